"""Every layout, from files to a map."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.small_screens import FEATURES, mean_of, plate, rxrx3_core, write_csv, write_wide
from wellgram import build_map, read_wells, wells_from_frame
from wellgram.errors import LabelsWarning


@pytest.fixture
def core(tmp_path):
    values, metadata = rxrx3_core()
    embeddings = write_wide(tmp_path / "embeddings.parquet", values, metadata["well_id"])
    return values, metadata, embeddings, write_csv(tmp_path / "metadata.csv", metadata)


def test_rxrx3_core_gives_genes_doses_and_the_crispr_controls(core):
    values, metadata, embeddings, described = core
    map_ = build_map(read_wells(embeddings, described), dtype="float64")
    assert map_.labels.fillna(-1).to_numpy().tolist() == [
        ["COMPOUND", "Cmp", 0.0025, 2],
        ["COMPOUND", "Cmp", 1.0, 2],
        ["COMPOUND", "Cmp", 10.0, 2],
        ["CRISPR", "EMPTY_control", -1, 4],
        ["CRISPR", "MTOR", -1, 4],
        ["CRISPR", "PLK1", -1, 8],
    ]
    np.testing.assert_allclose(map_.embeddings[5], mean_of(values, metadata, "PLK1"), rtol=1e-12)
    np.testing.assert_allclose(map_.embeddings[1], mean_of(values, metadata, "Cmp", 1.0))


def test_rxrx3_core_controls_are_the_empty_wells_of_both_kinds(core):
    wells = read_wells(*core[2:])
    controls = wells.metadata[wells.metadata["is_control"]]
    assert set(controls["perturbation"]) == {"EMPTY_control"}
    assert controls["perturbation_type"].value_counts().to_dict() == {"CRISPR": 4, "COMPOUND": 4}
    assert wells.batches()[1] == ["compound-001", "gene-001"]


def test_several_rows_of_a_well_are_averaged(core, tmp_path):
    values, metadata, _, described = core
    first, second = values + 1, values - 1
    path = write_wide(
        tmp_path / "sites.parquet", np.concatenate([first, second]), [*metadata["well_id"]] * 2
    )
    with pytest.warns(LabelsWarning, match="64 rows are averaged into 32 wells"):
        wells = read_wells(path, described)
    assert wells.metadata["well_id"].tolist() == metadata["well_id"].tolist()
    np.testing.assert_allclose(wells.embeddings, values, atol=1e-6)
    assert wells.embeddings.dtype == np.float32


def test_rxrx3_core_in_one_file(core, tmp_path):
    values, metadata, embeddings, described = core
    columns = {name: metadata[name] for name in metadata if name != "well_id"}
    both = write_wide(tmp_path / "both.parquet", values, metadata["well_id"], **columns)
    assert len(build_map(read_wells(both))) == len(build_map(read_wells(embeddings, described)))


def test_rxrx3_is_a_tree_of_plates_with_features_of_any_name(core, tmp_path):
    values, metadata, embeddings, described = core
    for experiment, rows in metadata.groupby("experiment_name").indices.items():
        folder = tmp_path / "tree" / experiment / "Plate1"
        folder.mkdir(parents=True)
        columns = {f"phenom_{j}": values[rows, j] for j in range(values.shape[1])}
        ids = metadata["well_id"][rows]
        pq.write_table(pa.table({"well_id": ids, **columns}), folder / "embeddings.parquet")
    (tmp_path / "tree" / "other.parquet").write_bytes(b"not read")
    tree = build_map(read_wells(tmp_path / "tree", described, layout="rxrx3"))
    core_map = build_map(read_wells(embeddings, described))
    np.testing.assert_array_equal(tree.embeddings, core_map.embeddings)
    assert tree.labels.equals(core_map.labels)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet"])
def test_cell_painting_in_every_format(tmp_path, suffix):
    path, frame = tmp_path / f"plate{suffix}", plate()
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        write_csv(path, frame, sep="\t" if "tsv" in suffix else ",")
    wells = read_wells(path, layout="cell-painting")
    np.testing.assert_array_equal(wells.embeddings, frame[FEATURES])
    map_ = build_map(wells, dtype="float64")
    assert map_.labels["perturbation"].tolist() == [*"ABCDEF"]
    np.testing.assert_allclose(map_.embeddings[2], frame[FEATURES].iloc[8:10].mean())


def test_cell_painting_keeps_the_metadata_that_wells_of_a_perturbation_share(tmp_path):
    path = write_csv(tmp_path / "plate.csv", plate())
    wells = read_wells(path, layout="cell-painting", columns=["Metadata_moa", "Metadata_Well"])
    labels = build_map(wells).labels
    assert labels["Metadata_moa"].fillna("").tolist() == [
        *["kinase"] * 2,
        *["tubulin"] * 2,
        "HDAC",
        "",
    ]
    assert "Metadata_Well" not in labels


@pytest.mark.parametrize("as_folder", [True, False])
def test_several_plates_are_batches(tmp_path, as_folder):
    plates = [plate("P2", seed=2), plate("P1", seed=1)]
    paths = [
        write_csv(tmp_path / "P2.csv.gz", plates[0]),
        write_csv(tmp_path / "P1.tsv", plates[1], sep="\t"),
    ]
    (tmp_path / "notes.md").write_text("no table")
    wells = read_wells(tmp_path if as_folder else paths, layout="cell-painting")
    assert wells.batches()[1] == ["P1", "P2"]
    map_ = build_map(wells, dtype="float64")
    both = np.mean([frame[FEATURES].to_numpy()[4:6] for frame in plates], axis=(0, 1))
    np.testing.assert_allclose(map_.embeddings[0], both)
    assert (map_.labels["n_wells"] == 4).all()


def test_plates_may_order_their_columns_differently(tmp_path):
    frames = [plate("P1"), plate("P2")]
    write_csv(tmp_path / "a.csv", frames[0])
    write_csv(tmp_path / "b.csv", frames[1][frames[1].columns[::-1]])
    wells = read_wells(tmp_path, layout="cell-painting")
    np.testing.assert_array_equal(wells.embeddings[16:], frames[1][FEATURES])


def own_columns(frame):
    names = {"Metadata_broad_sample": "compound", "Metadata_Plate": "run", "Metadata_dose": "uM"}
    return frame.rename(columns=names)


def test_columns_with_names_of_ones_own_and_a_pattern(tmp_path):
    path = write_csv(tmp_path / "own.csv", own_columns(plate()))
    wells = read_wells(
        path, layout="columns", perturbation="compound", batch="run", dose="uM",
        control=["DMSO", "F"], features="Cells_*",
    )  # fmt: skip
    map_ = build_map(wells)
    assert map_.labels["dose"].tolist() == [1.0, 10.0] * 5
    assert wells.metadata["is_control"].sum() == 6
    assert wells.embeddings.shape == (16, 6)


def test_patterns_and_names_of_features_add_up(tmp_path):
    path = write_csv(tmp_path / "plate.csv", plate())
    wells = read_wells(path, layout="cell-painting", features=["Cells_[0-1]", "Cells_5", "Cells_1"])
    np.testing.assert_array_equal(wells.embeddings, plate()[["Cells_0", "Cells_1", "Cells_5"]])


@pytest.mark.parametrize("size", [6, -1], ids=["fixed", "variable"])
def test_columns_with_one_column_of_lists(tmp_path, size):
    frame = own_columns(plate())
    table = pa.Table.from_pandas(frame[["compound", "run"]], preserve_index=False)
    vectors = pa.array(frame[FEATURES].to_numpy(np.float32).tolist(), pa.list_(pa.float32(), size))
    pq.write_table(
        table.append_column("vector", vectors), tmp_path / "lists.parquet", row_group_size=5
    )
    wells = read_wells(
        tmp_path / "lists.parquet", layout="columns", perturbation="compound", control="DMSO"
    )
    np.testing.assert_array_equal(wells.embeddings, frame[FEATURES].to_numpy(np.float32))
    assert wells.embeddings.dtype == np.float32


def test_batch_none_and_dose_none(core):
    wells = read_wells(*core[2:], batch="none", dose="none")
    assert wells.batches()[1] == ["all wells"]
    labels = build_map(wells).labels
    assert "dose" not in labels
    # Without doses there is no grid to be off.
    assert labels.loc[labels["perturbation"] == "Cmp", "n_wells"].tolist() == [8]


def test_labels_and_plates_that_look_like_numbers_stay_what_they_are(tmp_path):
    frame = plate().assign(Metadata_Plate=[7] * 8 + [10] * 8)
    frame["Metadata_broad_sample"] = ["0"] * 4 + ["007"] * 6 + ["7"] * 6
    wells = read_wells(write_csv(tmp_path / "p.csv", frame), layout="cell-painting", control="0")
    assert wells.batches()[1] == ["10", "7"]
    assert build_map(wells).labels["perturbation"].tolist() == ["007", "7"]


def test_labels_in_any_script_and_with_commas(tmp_path):
    names = {"A": "β-лактам, (+)", "B": '"quoted" 薬', "C": "a_b_c"}
    frame = plate().replace({"Metadata_broad_sample": names})
    wells = read_wells(write_csv(tmp_path / "p.csv", frame), layout="cell-painting")
    assert set(names.values()) < set(build_map(wells).labels["perturbation"])


def test_categorical_metadata_of_a_parquet(core, tmp_path):
    *_, metadata, embeddings, _ = core
    metadata.astype({"treatment": "category", "experiment_name": "category"}).to_parquet(
        tmp_path / "metadata.parquet"
    )
    assert len(build_map(read_wells(embeddings, tmp_path / "metadata.parquet"))) == 6


def test_float32_doses_are_the_doses_written(core, tmp_path):
    *_, metadata, embeddings, _ = core
    metadata.astype({"concentration": "float32"}).to_parquet(tmp_path / "metadata.parquet")
    labels = build_map(read_wells(embeddings, tmp_path / "metadata.parquet")).labels
    assert labels["dose"].dropna().tolist() == [0.0025, 1.0, 10.0]


def test_files_and_frames_give_the_same_wells(core):
    values, metadata, embeddings, described = core
    from_files, from_frame = (
        read_wells(embeddings, described),
        wells_from_frame(values, metadata, layout="rxrx3-core"),
    )
    np.testing.assert_array_equal(from_files.embeddings, from_frame.embeddings)
    for column in ("well_id", "perturbation", "dose", "batch", "is_control", "in_map"):
        a, b = from_files.metadata[column], from_frame.metadata[column]
        assert a.fillna(-1).tolist() == b.fillna(-1).tolist()
