"""Files whose wells would count twice: the same file, or a plate at several levels."""

import numpy as np
import pandas as pd
import pytest

from helpers.small_screens import plate, write_csv
from wellgram import InputError, read_wells
from wellgram.io import open_blocks

LEVELS = (
    "",
    "_augmented",
    "_normalized",
    "_normalized_negcon",
    "_normalized_feature_select_negcon",
)


@pytest.fixture
def path(tmp_path):
    return write_csv(tmp_path / "P1.csv", plate())


def refused(sources, words, **options):
    with pytest.raises(InputError, match=words):
        read_wells(sources, layout="cell-painting", **options)


def test_a_file_and_a_link_to_it(path, tmp_path):
    link = tmp_path / "P2.csv"
    link.symlink_to(path)
    words = r"'.*P1.csv' and '.*P2.csv' are the same file; its wells would count twice"
    refused([path, link], words)
    refused(tmp_path, words)
    with pytest.raises(InputError, match=words):
        open_blocks(tmp_path, layout="cell-painting")


def test_a_file_and_another_name_of_it(path, tmp_path):
    (tmp_path / "P2.csv").hardlink_to(path)
    refused(tmp_path, r"'.*P1.csv' and '.*P2.csv' are the same file")


def test_a_path_through_a_folder_and_back(path, tmp_path):
    again = f"{tmp_path}/../{tmp_path.name}/P1.csv"
    refused([path, again], r"'.*/P1.csv' and '.*/\.\./.*/P1.csv' are the same file")
    refused([tmp_path, again], r"are the same file")


def test_a_folder_given_twice(path, tmp_path):
    refused([tmp_path, tmp_path], r"'.*P1.csv' was given twice")


def test_a_table_given_twice():
    frame = plate()
    refused([frame, plate("P3"), frame], r"table 1 and table 3 are the same table")
    assert len(read_wells([frame, plate("P2")], layout="cell-painting")) == 32


def of_levels(folder, plates=("P1",), suffix=".csv.gz", levels=LEVELS):
    for seed, level in enumerate(levels):
        for name in plates:
            write_csv(folder / f"{name}{level}{suffix}", plate(name, seed))


def test_levels_of_processing_are_refused_and_one_is_chosen(tmp_path):
    of_levels(tmp_path, ("P1", "P2"))
    refused(
        tmp_path,
        r"'.*P1.csv.gz' and '.*P1_augmented.csv.gz' are plate 'P1' at two levels .*no level named "
        r"\(2 files\), augmented \(2 files\), normalized \(2 files\), .*"
        r"pattern='\*_normalized.csv.gz' chooses it",
    )
    wells = read_wells(tmp_path, layout="cell-painting", pattern="*_normalized.csv.gz")
    expected = pd.concat([plate("P1", 2), plate("P2", 2)]).filter(like="Cells_")
    np.testing.assert_array_equal(wells.embeddings, expected)


def test_the_pattern_in_the_message_works_where_nothing_is_normalized(tmp_path):
    of_levels(tmp_path, suffix=".CSV", levels=("", "_augmented"))
    refused(tmp_path, r"pattern='\*_augmented.CSV'")
    read_wells(tmp_path, layout="cell-painting", pattern="*_augmented.CSV")


def test_levels_in_a_folder_of_each_plate(tmp_path):
    for name in ("P1", "P2"):
        (tmp_path / name).mkdir()
        of_levels(tmp_path / name, (name,))
    refused(tmp_path, r"plate 'P1' at two levels")
    wells = read_wells(tmp_path, layout="cell-painting", pattern="*_normalized.csv.gz")
    assert len(wells) == 32


def test_levels_in_a_folder_of_each_level(tmp_path):
    for level in ("_augmented", "_normalized"):
        (tmp_path / level.strip("_")).mkdir()
        of_levels(tmp_path / level.strip("_"), levels=(level,))
    refused(tmp_path, r"plate 'P1' at two levels")


def test_levels_that_are_listed(tmp_path):
    of_levels(tmp_path)
    refused(sorted(tmp_path.iterdir()), r"plate 'P1' at two levels")


def test_plates_at_one_level_each_are_read(tmp_path):
    of_levels(tmp_path, ("P1", "P2", "P1_10"), levels=("_normalized",))
    assert len(read_wells(tmp_path, layout="cell-painting")) == 48


def test_plates_of_one_name_in_several_folders_are_read(tmp_path):
    for k, name in enumerate(("batch_1", "batch_2")):
        (tmp_path / name).mkdir()
        write_csv(tmp_path / name / "P1.csv", plate(f"{name} P1", k))
    assert len(read_wells(tmp_path, layout="cell-painting")) == 32


def test_a_plate_in_two_formats(path, tmp_path):
    plate().to_parquet(tmp_path / "P1.parquet", index=False)
    refused(
        tmp_path, r"'.*P1.csv' and '.*P1.parquet' are one table in two formats.*pattern='\*.csv'"
    )
    assert len(read_wells(tmp_path, layout="cell-painting", pattern="*.csv")) == 16
