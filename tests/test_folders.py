"""Folders of tables: which files are read, how many that is, and which columns folders give."""

import json
import pickle
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import wellgram as wg
from helpers.small_screens import plate, write_csv
from wellgram import InputError, open_wells, read_wells
from wellgram.cli import main
from wellgram.io import open_blocks

COLUMNS = {"layout": "columns", "perturbation": "gene", "control": "DMSO", "well_id": "well_id"}
PLATES = ("001", "002", "003")


@pytest.fixture
def screen():
    """Three plates of 8 wells."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame(
        {
            "well_id": [f"w{k}" for k in range(24)],
            "gene": ["DMSO", "a", "b", "c"] * 6,
            "plate": np.repeat(PLATES, 8),
        }
    )
    features = pd.DataFrame(rng.normal(size=(24, 3))).add_prefix("feature_")
    return pd.concat([labels, features], axis=1)


@pytest.fixture
def folder(screen, tmp_path):
    """A parquet for each plate."""
    (tmp_path / "plates").mkdir()
    for name, part in screen.groupby("plate"):
        part.to_parquet(tmp_path / "plates" / f"{name}.parquet", index=False)
    return tmp_path / "plates"


def same(wells, screen):
    """Check that wells are those of a screen, in its order."""
    assert wells.metadata["well_id"].tolist() == screen["well_id"].tolist()
    np.testing.assert_array_equal(wells.embeddings, screen.filter(like="feature_"))


@pytest.mark.parametrize("name", ["._001.parquet", ".001.parquet", "_001.parquet"])
def test_hidden_files_are_ignored(folder, screen, name):
    shutil.copy(folder / "001.parquet", folder / name)
    same(read_wells(folder, batch="plate", **COLUMNS), screen)
    (folder / name).write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X        ")
    same(read_wells(folder, batch="plate", **COLUMNS), screen)


@pytest.mark.parametrize("name", [".ipynb_checkpoints", "_temporary"])
def test_hidden_folders_are_ignored(folder, screen, tmp_path, name):
    deep = tmp_path / "deep"
    shutil.copytree(folder, deep / "run")
    shutil.copytree(folder, deep / name)
    shutil.copytree(folder, deep / "run" / name)
    same(read_wells(deep, batch="plate", **COLUMNS), screen)


def test_hidden_files_are_neither_relationships_nor_blocks(tmp_path):
    (tmp_path / "pairs").mkdir()
    pairs = pd.DataFrame({"entity1": ["a"], "entity2": ["b"]})
    for name in ("known.csv", "._known.csv", "_known.csv"):
        write_csv(tmp_path / "pairs" / name, pairs)
    assert list(wg.relationship_sources(tmp_path / "pairs")) == ["known"]
    (tmp_path / "blocks").mkdir()
    for name in ("0.csv", "1.csv", "._1.csv"):
        write_csv(tmp_path / "blocks" / name, plate())
    assert open_blocks(tmp_path / "blocks", layout="cell-painting").names == ["0", "1"]


def test_a_hidden_file_that_is_named_is_read(folder, screen):
    shutil.copy(folder / "001.parquet", folder / "_001.parquet")
    same(read_wells(folder / "_001.parquet", batch="plate", **COLUMNS), screen[:8])


LINK = r"'.*gone.*' is a link whose target is missing: '/nowhere/annex/SHA256'"


def test_a_link_without_target_is_an_error_in_a_folder(folder, tmp_path):
    (folder / "gone.parquet").symlink_to("/nowhere/annex/SHA256")
    with pytest.raises(InputError, match=LINK):
        read_wells(folder, batch="plate", **COLUMNS)
    deep = tmp_path / "deep"
    shutil.copytree(folder, deep / "run", symlinks=True)
    with pytest.raises(InputError, match=LINK):
        read_wells(deep, batch="plate", **COLUMNS)


def test_a_link_to_a_missing_folder_of_a_plate_is_an_error(folder, tmp_path):
    deep = tmp_path / "deep"
    shutil.copytree(folder, deep / "run")
    (deep / "gone").symlink_to("/nowhere/annex/SHA256")
    with pytest.raises(InputError, match=LINK):
        read_wells(deep, batch="plate", **COLUMNS)


def test_a_link_without_target_is_an_error_wherever_a_file_would_be(folder, tmp_path):
    link = tmp_path / "gone.parquet"
    link.symlink_to("/nowhere/annex/SHA256")
    (tmp_path / "gone").symlink_to("/nowhere/annex/SHA256")
    (tmp_path / "gone.npy").symlink_to("/nowhere/annex/SHA256")
    for read in (
        lambda: read_wells(link, **COLUMNS),
        lambda: read_wells(tmp_path / "gone" / "001.parquet", **COLUMNS),
        lambda: read_wells(folder, link, **COLUMNS),
        lambda: wg.read_map(link),
        lambda: wg.relationship_sources(link),
        lambda: wg.read_targets(link),
        lambda: wg.read_gene_sets(link),
        lambda: open_blocks([link, link]),
        lambda: open_blocks(tmp_path / "gone.npy", folder / "001.parquet"),
    ):
        with pytest.raises(InputError, match=LINK):
            read()


def test_a_link_whose_target_is_there_is_read(folder, screen, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    for file in folder.iterdir():
        (linked / file.name).symlink_to(file)
    same(read_wells(linked, batch="plate", **COLUMNS), screen)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "run").symlink_to(folder)
    (tmp_path / "deep" / "again").symlink_to(tmp_path / "deep")  # has no end
    same(read_wells(tmp_path / "deep", batch="plate", **COLUMNS), screen)


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_a_folder_of_each_plate_is_read(screen, tmp_path, suffix):
    for name, part in screen.groupby("plate"):
        path = tmp_path / name / f"{name}{suffix}"
        path.parent.mkdir()
        part.to_parquet(path) if suffix == ".parquet" else part.to_csv(path, index=False)
    (tmp_path / "readme.md").write_text("no table")
    same(read_wells(tmp_path, batch="plate", **COLUMNS), screen)


def test_subfolders_are_left_where_the_folder_has_tables(folder, screen):
    shutil.copytree(folder, folder / "old")
    same(read_wells(folder, batch="plate", **COLUMNS), screen)


def test_stores_that_are_folders_are_tables(screen, tmp_path):
    zarr = pytest.importorskip("zarr")
    for name, part in screen.groupby("plate"):
        group = zarr.open_group(str(tmp_path / "run" / f"{name}.zarr"), mode="w")
        for column in ("well_id", "gene", "plate"):
            values = part[column].to_numpy(np.dtypes.StringDType())
            group.create_array(column, data=values)
        rows = np.ascontiguousarray(part.filter(like="feature_"))
        group.create_array("embeddings", data=rows, config={"write_empty_chunks": True})
    same(read_wells(tmp_path, batch="plate", **COLUMNS), screen)


@pytest.mark.parametrize("get", [read_wells, open_wells])
def test_names_of_folders_are_columns(screen, tmp_path, get):
    """As Spark, DuckDB and pyarrow write them; text stays text."""
    table = pa.Table.from_pandas(screen, preserve_index=False)
    pq.write_to_dataset(table, tmp_path / "hive", partition_cols=["plate"])
    wells = get(tmp_path / "hive", batch="plate", **COLUMNS)
    assert wells.metadata["batch"].tolist() == screen["plate"].tolist()
    same(wells.read() if get is open_wells else wells, screen)
    part = read_wells(tmp_path / "hive" / "plate=002", batch="plate", **COLUMNS)
    assert part.metadata["batch"].tolist() == ["002"] * 8


def test_names_of_folders_are_decoded_and_may_be_missing(screen, tmp_path):
    media = np.repeat(["1 uM", "a/b", None], 8)
    table = pa.Table.from_pandas(screen.assign(medium=media), preserve_index=False)
    pq.write_to_dataset(table, tmp_path, partition_cols=["medium", "plate"])
    wells = read_wells(tmp_path, batch="plate", columns=["medium"], **COLUMNS)
    assert set(wells.metadata["medium"].dropna()) == {"1 uM", "a/b"}
    assert int(wells.metadata["medium"].isna().sum()) == 8


def test_names_of_folders_are_no_features(tmp_path):
    (tmp_path / "run=7").mkdir()
    write_csv(tmp_path / "run=7" / "x.csv", plate())
    wells = read_wells(tmp_path, layout="cell-painting", columns=["run"])
    assert wells.features == 6
    assert wells.metadata["run"].tolist() == ["7"] * len(wells)


def test_a_column_of_the_file_goes_before_the_name_of_its_folder(screen, tmp_path):
    (tmp_path / "plate=9").mkdir()
    screen.to_parquet(tmp_path / "plate=9" / "x.parquet", index=False)
    wells = read_wells(tmp_path, batch="plate", **COLUMNS)
    assert wells.metadata["batch"].tolist() == screen["plate"].tolist()


def test_wells_of_hive_folders_go_to_other_processes_in_parts(screen, tmp_path):
    table = pa.Table.from_pandas(screen, preserve_index=False)
    pq.write_to_dataset(table, tmp_path, partition_cols=["plate"])
    wells = open_wells(tmp_path, batch="plate", **COLUMNS)
    parts = pickle.loads(pickle.dumps(wells.source.parts(1)))
    rows = [chunk.rows for part in parts for chunk in part()]
    assert len(parts) == 3
    np.testing.assert_array_equal(np.concatenate(rows), screen.filter(like="feature_"))


def test_a_pattern_chooses_files(folder, screen):
    same(read_wells(folder, batch="plate", pattern="00[12].parquet", **COLUMNS), screen[:16])
    shutil.copytree(folder, folder / "deep" / "er")
    wells = read_wells(folder, batch="plate", pattern="*/er/003*", **COLUMNS)
    same(wells, screen[16:])
    wells = read_wells(folder / "deep", batch="plate", pattern="**/00[23].parquet", **COLUMNS)
    same(wells, screen[8:])


def test_a_pattern_that_chooses_nothing(folder):
    with pytest.raises(InputError, match=r"holds no table named like '\*_normalized.csv'"):
        read_wells(folder, batch="plate", pattern="*_normalized.csv", **COLUMNS)
    with pytest.raises(InputError, match=r"'\*.parquet' chooses files of a folder, and no folder"):
        read_wells(folder / "001.parquet", batch="plate", pattern="*.parquet", **COLUMNS)
    with pytest.raises(InputError, match=r"chooses files of a folder, and no folder"):
        open_blocks(np.zeros((2, 3, 4)), pattern="*.parquet")


def test_how_many_files_were_read_is_kept(folder, tmp_path):
    wells = read_wells(folder, batch="plate", **COLUMNS)
    assert wells.origin["files"] == f"3 files of '{folder}'"
    files = sorted(folder.iterdir())
    assert read_wells(files, batch="plate", **COLUMNS).origin["files"] == "3 files"
    assert "files" not in read_wells(files[0], batch="plate", **COLUMNS).origin


def test_the_command_line_says_how_many_files_were_read(folder, tmp_path, monkeypatch, capsys):
    options = (
        "--layout columns --perturbation gene --batch plate --control DMSO --metric consistency"
    )
    command = ["wellgram", "score", str(folder), *options.split(), "--pattern", "00[12]*"]
    monkeypatch.setattr("sys.argv", [*command, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as end:
        main()
    printed = capsys.readouterr()
    assert end.value.code == 0, printed.err
    assert f"read from 2 files of '{folder}'" in printed.out
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert f"2 files of '{folder}'" in json.dumps(summary)


def test_a_folder_that_cannot_be_listed_is_an_error(folder, monkeypatch):
    """A plate without permission must not be left out."""

    def forbidden(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", forbidden)
    with pytest.raises(InputError, match=r"cannot list folder '.*plates': Permission denied"):
        read_wells(folder, batch="plate", **COLUMNS)
