"""The simulated study has RxRx1's published shape, and its files read as RxRx1's do."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg
from wellgram import InputError
from wellgram.simulate import block_stack, rxrx1


@pytest.fixture(scope="module")
def study():
    return rxrx1(0.1, seed=3, features=24)


@pytest.fixture(scope="module")
def files(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rxrx1")
    study.write(folder)
    return folder


def test_the_full_design_has_the_published_counts():
    metadata = rxrx1(seed=0, features=16).metadata
    assert len(metadata) == 125_510
    wells = metadata.drop_duplicates("well_id")
    assert metadata["dataset"].value_counts().to_dict() == {"train": 81_224, "test": 44_286}
    assert wells["sirna"].nunique() == 1_139
    experiments = wells.drop_duplicates("experiment")
    assert experiments["cell_type"].value_counts().to_dict() == {
        "HUVEC": 24, "RPE": 11, "HEPG2": 11, "U2OS": 5,
    }  # fmt: skip
    assert experiments["dataset"].value_counts().to_dict() == {"train": 33, "test": 18}
    kinds = wells.drop_duplicates("sirna")["well_type"].value_counts().to_dict()
    assert kinds == {"treatment": 1108, "positive_control": 30, "negative_control": 1}
    plates = wells.groupby(["experiment", "plate"])
    assert (plates.size() == 308).all()
    assert len(plates) == 204
    untreated = wells[wells["sirna"] == "EMPTY"]
    assert (untreated["well"] == "B02").all()
    treated = wells[wells["well_type"] == "treatment"]
    assert (treated.groupby("sirna").size() == 51).all()
    assert (treated.groupby("sirna")["plate"].std() == 0).all()  # fixed groups share a plate


def test_labels_are_numbered_as_published():
    wells = rxrx1(seed=0, features=16).metadata.drop_duplicates("sirna")
    for kind, low, high in (
        ("treatment", 0, 1107), ("positive_control", 1108, 1137), ("negative_control", 1138, 1138),
    ):  # fmt: skip
        own = wells.loc[wells["well_type"] == kind, "sirna_id"]
        assert (own.min(), own.max()) == (low, high)


def test_columns_are_the_published_ones(study):
    assert study.metadata.columns.tolist() == [
        "site_id", "well_id", "cell_type", "dataset", "experiment", "plate", "well", "site",
        "well_type", "sirna", "sirna_id",
    ]  # fmt: skip
    assert study.metadata["site_id"].is_unique


def test_the_layout_averages_the_sites_of_a_well(study, files):
    wells = wg.read_wells(files / "embeddings.parquet", files / "metadata.csv", layout="rxrx1")
    assert len(wells) == study.metadata["well_id"].nunique()
    well = wells.metadata["well_id"].iloc[5]
    of_well = study.embeddings[(study.metadata["well_id"] == well).to_numpy()]
    assert len(of_well) == 2
    # One rounding to float32 of a mean of two.
    np.testing.assert_allclose(
        wells.embeddings[5], of_well.mean(axis=0, dtype=np.float64), rtol=1e-6
    )
    pd.testing.assert_frame_equal(wells.metadata, study.wells().metadata, check_dtype=False)
    np.testing.assert_array_equal(wells.embeddings, study.wells().embeddings)


def test_the_layout_keeps_sites_apart_when_they_are_named_as_wells(study, files):
    sites = wg.read_wells(
        files / "embeddings.parquet", files / "metadata.csv", layout="rxrx1", well_id="site_id"
    )
    np.testing.assert_array_equal(sites.embeddings, study.embeddings)
    assert sites.metadata["well_id"].tolist() == study.metadata["site_id"].tolist()


def test_the_layout_reads_a_csv_and_a_folder(study, files, tmp_path):
    frame = pd.DataFrame(study.embeddings).add_prefix("feature_")
    frame.insert(0, "site_id", study.metadata["site_id"])
    frame.sample(frac=1, random_state=0).to_csv(tmp_path / "embeddings.csv", index=False)
    study.metadata.to_csv(tmp_path / "metadata.csv", index=False)
    wells = wg.read_wells(tmp_path, tmp_path / "metadata.csv", layout="rxrx1")
    order = wells.metadata["well_id"].argsort().to_numpy()
    expected = study.wells()
    # pandas writes the shortest digits that read back as float32; sites may
    # be added the other way round.
    np.testing.assert_allclose(
        wells.embeddings[order],
        expected.embeddings[expected.metadata["well_id"].argsort().to_numpy()],
        rtol=1e-5, atol=1e-6,
    )  # fmt: skip


def test_controls_are_told_by_the_kind_of_well_unless_they_are_named(study, files):
    paths = files / "embeddings.parquet", files / "metadata.csv"
    wells = wg.open_wells(*paths, layout="rxrx1")
    kind = study.metadata.drop_duplicates("well_id")["well_type"].to_numpy()
    assert (wells.metadata["is_control"].to_numpy() == (kind != "treatment")).all()
    assert "well_type" in wells.origin["control"]
    named = wg.open_wells(*paths, layout="rxrx1", control="EMPTY")
    assert (named.metadata["is_control"].to_numpy() == (kind == "negative_control")).all()
    assert {"cell_type", "dataset", "plate"} <= set(named.metadata)


def test_a_well_described_in_two_ways_is_refused(study, tmp_path):
    study.write(tmp_path)
    metadata = study.metadata.copy()
    metadata.loc[1, "sirna"] = "another"
    metadata.to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(InputError, match="'sirna'"):
        wg.open_wells(tmp_path / "embeddings.parquet", tmp_path / "metadata.csv", layout="rxrx1")


def test_same_seed_same_bytes():
    one, same, other = (rxrx1(0.05, seed=s, features=16) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.embeddings, same.embeddings)
    assert not np.array_equal(one.embeddings, other.embeddings)


def test_a_stack_of_blocks_is_of_the_same_wells(tmp_path):
    stack = block_stack(5, seed=0, perturbations=9, batches=4, features=8)
    assert stack.embeddings.shape == (5, 4 * (9 + 4), 8)
    assert stack.best == stack.names[3]
    stack.write(tmp_path)
    for k, name in enumerate(stack.names):
        wells = wg.read_wells(
            tmp_path / "blocks" / f"{name}.parquet", tmp_path / "metadata.csv", layout="rxrx1",
            control="EMPTY",
        )  # fmt: skip
        np.testing.assert_array_equal(wells.embeddings, stack.embeddings[k])
    assert len(stack.relationships) == 9  # three groups of three


@pytest.mark.parametrize(
    ("make", "options", "word"),
    [
        (rxrx1, {"scale": 0}, "scale"),
        (rxrx1, {"seed": -1}, "seed"),
        (rxrx1, {"features": 4}, "features"),
        (block_stack, {"blocks": 2}, "blocks"),
        (block_stack, {"batches": 3}, "batches"),
    ],
)
def test_options_out_of_range_are_refused(make, options, word):
    with pytest.raises(InputError, match=word):
        make(**options)
