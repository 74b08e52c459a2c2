"""Metadata in several tables, and embeddings of several tables in memory."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from helpers.small_screens import rxrx3_core, write_csv, write_wide
from wellgram import InputError, read_wells
from wellgram.io import open_blocks


@pytest.fixture
def screen(tmp_path):
    """Embeddings in a file, and their metadata."""
    values, metadata = rxrx3_core()
    return write_wide(tmp_path / "e.parquet", values, metadata["well_id"]), metadata


def check_same(wells, screen):
    embeddings, metadata = screen
    expected = read_wells(embeddings, metadata)
    pd.testing.assert_frame_equal(wells.metadata, expected.metadata)
    np.testing.assert_array_equal(wells.embeddings, expected.embeddings)


def parts_of(metadata):
    return [metadata[:9], metadata[9:20], metadata[20:]]


def test_a_folder_of_tables(screen, tmp_path):
    (tmp_path / "m").mkdir()
    for k, part in enumerate(parts_of(screen[1])):
        write_csv(tmp_path / "m" / f"{k}.csv", part)
    check_same(read_wells(screen[0], tmp_path / "m"), screen)


@pytest.mark.parametrize("name", ["m.csv", "../s/m.csv"])
def test_metadata_in_the_folder_of_embeddings(screen, tmp_path, name):
    """It is no file of embeddings."""
    folder = tmp_path / "s"
    folder.mkdir()
    screen[0].rename(folder / "e.parquet")
    write_csv(folder / "m.csv", screen[1])
    for metadata in (folder / name, [folder / name]):
        wells = read_wells(folder, metadata, layout="rxrx3-core", pattern="*")
        check_same(wells, (folder / "e.parquet", screen[1]))


def test_a_folder_that_spark_wrote(screen, tmp_path):
    folder = tmp_path / "m.parquet"
    folder.mkdir()
    for k, part in enumerate(parts_of(screen[1])):
        part.to_parquet(folder / f"part-0000{k}-c000.snappy.parquet", index=False)
    for name in ("_SUCCESS", "._SUCCESS.crc", ".part-00000-c000.snappy.parquet.crc"):
        (folder / name).write_bytes(b"")
    check_same(read_wells(screen[0], folder), screen)


def test_a_folder_of_each_plate_gives_columns(screen, tmp_path):
    for k, part in enumerate(parts_of(screen[1])):
        path = tmp_path / "m" / f"run=0{k}" / "wells.csv"
        path.parent.mkdir(parents=True)
        write_csv(path, part)
    wells = read_wells(screen[0], tmp_path / "m", columns=["run"])
    check_same(read_wells(screen[0], tmp_path / "m"), screen)
    assert wells.metadata["run"].tolist() == ["00"] * 9 + ["01"] * 11 + ["02"] * 12


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_of_files_and_tables(screen, tmp_path, kind):
    first, second, third = parts_of(screen[1])
    given = kind([write_csv(tmp_path / "1.csv", first), second, pa.Table.from_pandas(third)])
    check_same(read_wells(screen[0], given), screen)


def test_columns_that_some_tables_lack_may_be_left_out(screen):
    first, *others = parts_of(screen[1])
    check_same(read_wells(screen[0], [first.assign(note="x"), *others]), screen)
    with pytest.raises(InputError, match=r"3 tables or e.parquet has no column 'note'"):
        read_wells(screen[0], [first.assign(note="x"), *others], columns=["note"])


def test_no_metadata_in_a_list_or_folder(screen, tmp_path):
    with pytest.raises(InputError, match=r"no metadata were given"):
        read_wells(screen[0], [])
    (tmp_path / "m").mkdir()
    with pytest.raises(InputError, match=r"folder '.*m' holds no table"):
        read_wells(screen[0], tmp_path / "m")


def test_a_well_that_two_tables_describe_differently(screen):
    first, *others = parts_of(screen[1])
    again = first[:1].assign(treatment="MTOR_guide_1")
    with pytest.raises(InputError, match=r"'w00' has 'EMPTY_control' and 'MTOR_guide_1'"):
        read_wells(screen[0], [first, *others, again])


def test_embeddings_in_a_list_of_tables(screen, tmp_path):
    values, metadata = rxrx3_core()
    frame = pd.DataFrame(values).add_prefix("feature_")
    frame.insert(0, "well_id", metadata["well_id"])
    file = write_wide(tmp_path / "1.parquet", values[:9], metadata["well_id"][:9])
    given = [file, frame[9:20], pa.Table.from_pandas(frame[20:], preserve_index=False)]
    wells = read_wells(given, metadata)
    check_same(wells, screen)
    assert wells.origin["files"] == "3 tables"


def test_a_table_of_a_list_is_named_in_messages():
    values, metadata = rxrx3_core()
    frame = pd.DataFrame(values).add_prefix("feature_")
    frame.insert(0, "well_id", metadata["well_id"])
    with pytest.raises(InputError, match=r"table 2 has no column 'well_id'"):
        read_wells([frame[:9], frame[9:].drop(columns="well_id")], metadata, layout="rxrx3-core")


def test_what_is_no_table_in_a_list():
    with pytest.raises(InputError, match=r"not from a dict"):
        read_wells([{"well_id": ["a"]}], layout="columns", perturbation="gene")


def test_blocks_take_metadata_in_several_tables(tmp_path):
    values, metadata = rxrx3_core()
    stack = np.stack([values, values + 1])
    options = {"layout": "rxrx3-core", "dose": "none"}
    whole = open_blocks(stack, metadata, **options)
    for given in (parts_of(metadata), [write_csv(tmp_path / "m.csv", metadata)]):
        wells = open_blocks(stack, given, **options).open(0)
        pd.testing.assert_frame_equal(wells.metadata, whole.open(0).metadata)
