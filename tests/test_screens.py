"""Joining embeddings with metadata, dropping wells and features, and what columns may be kept."""

import numpy as np
import pandas as pd
import pytest

from helpers.small_screens import FEATURES, plate, rxrx3_core, write_csv, write_wide
from wellgram import InputError, build_map, read_wells
from wellgram.errors import LabelsWarning


@pytest.fixture
def values():
    return rxrx3_core()[0]


@pytest.fixture
def metadata():
    return rxrx3_core()[1]


def read(folder, values, metadata, ids=None, **options):
    """Read embeddings and metadata after writing them."""
    ids = metadata["well_id"] if ids is None else ids
    return read_wells(
        write_wide(folder / "e.parquet", values, ids),
        write_csv(folder / "m.csv", metadata),
        **options,
    )


def test_metadata_in_another_order_is_joined_by_well(tmp_path, values, metadata):
    shuffled = metadata.sample(frac=1, random_state=1)
    wells = read(tmp_path, values, shuffled, metadata["well_id"])
    assert wells.metadata["well_id"].tolist() == metadata["well_id"].tolist()
    np.testing.assert_array_equal(wells.embeddings, values)
    assert wells.metadata["perturbation"][4:6].tolist() == ["PLK1", "PLK1"]


def test_wells_named_by_numbers_join_across_formats(tmp_path, values, metadata):
    numbers = np.arange(len(values)) + 1000
    wells = read(tmp_path, values, metadata.assign(well_id=numbers), numbers)
    assert wells.metadata["well_id"][0] == "1000"


def test_a_metadata_row_repeated_word_for_word_is_one(tmp_path, values, metadata):
    ids = metadata["well_id"]
    repeated = pd.concat([metadata, metadata.iloc[3:9].assign(SMILES="C")])
    assert len(read(tmp_path, values, repeated, ids)) == len(values)


def test_allow_unmatched_keeps_the_wells_found_in_both(tmp_path, values, metadata):
    ids = metadata["well_id"]
    wells = read(tmp_path, values[:28], metadata[3:], ids[:28], allow_unmatched=True)
    assert wells.metadata["well_id"].tolist() == ids[3:28].tolist()
    np.testing.assert_array_equal(wells.embeddings, values[3:28])


def test_allow_unmatched_does_not_hide_that_nothing_matches(tmp_path, values, metadata):
    ids = [f"x{i}" for i in range(len(values))]
    with pytest.raises(InputError, match=r"'well_id' is 'x0' .*'w00' in m.csv"):
        read(tmp_path, values, metadata, ids, allow_unmatched=True)


def spoilt(values, *wells, value=np.nan, feature=2):
    values = values.copy()
    values[list(wells), feature] = value
    return values


def test_drop_wells_drops_those_not_finite_or_zero(tmp_path, values, metadata):
    values = spoilt(spoilt(values, 4), 9, value=-np.inf)
    values[20] = 0
    wells = read(tmp_path, values, metadata, missing="drop-wells")
    assert len(wells) == len(values) - 3
    assert not set(wells.metadata["well_id"]) & {"w04", "w09", "w20"}
    np.testing.assert_array_equal(wells.embeddings[4], values[5])


def test_drop_features_drops_those_not_finite(tmp_path, values, metadata):
    wells = read(tmp_path, spoilt(values, 4, 5), metadata, missing="drop-features")
    np.testing.assert_array_equal(wells.embeddings, np.delete(values, 2, axis=1))


def test_one_bad_row_spoils_its_well_only(tmp_path, values, metadata):
    rows = np.concatenate([values, spoilt(values, 6, value=np.inf)])
    rows[6, 2] = -np.inf
    averaged = pytest.warns(LabelsWarning, match="64 rows are averaged into 32 wells")
    with averaged, pytest.raises(InputError, match=r"1 wells.*'w06'"):
        read(tmp_path, rows, metadata, [*metadata["well_id"]] * 2)


def test_wells_without_a_name_are_called_by_file_and_row(tmp_path):
    plates = [plate(p).drop(columns="Metadata_Well") for p in ("P1", "P2")]
    paths = [write_csv(tmp_path / f"P{k}.csv", frame) for k, frame in enumerate(plates, start=1)]
    one = read_wells(paths[0], layout="cell-painting")
    assert one.metadata["well_id"][15] == "row 16"
    two = read_wells(paths, layout="cell-painting")
    assert two.metadata["well_id"][16] == "P2.csv row 1"
    assert two.metadata["well_id"].is_unique


def test_a_plate_without_wells_adds_none(tmp_path):
    write_csv(tmp_path / "P1.csv", plate())
    write_csv(tmp_path / "P2.csv", plate().head(0))
    assert len(read_wells(tmp_path, layout="cell-painting")) == 16


def test_a_mechanism_known_on_one_plate_only(tmp_path):
    """A column that is empty throughout one file has another type there."""
    write_csv(tmp_path / "P1.csv", plate("P1").assign(Metadata_moa=None))
    write_csv(tmp_path / "P2.csv", plate("P2"))
    wells = read_wells(tmp_path, layout="cell-painting", columns=["Metadata_moa"])
    assert wells.metadata["Metadata_moa"].notna().sum() == 10


def test_doses_whole_on_one_plate_and_not_on_another(tmp_path):
    for name, factor in (("P1", 1), ("P2", 0.5)):
        frame = plate(name)
        frame["Metadata_dose"] = (
            (frame["Metadata_dose"] * factor).astype("str").str.removesuffix(".0")
        )
        write_csv(tmp_path / f"{name}.csv", frame)
    labels = build_map(read_wells(tmp_path, layout="cell-painting", dose="Metadata_dose")).labels
    assert labels["dose"].unique().tolist() == [0.5, 1.0, 5.0, 10.0]


def test_a_feature_can_be_kept_as_metadata_too(tmp_path):
    path = write_csv(tmp_path / "plate.csv", plate())
    wells = read_wells(path, layout="cell-painting", columns=["Cells_3"], features="Cells_*")
    assert wells.embeddings.shape[1] == len(FEATURES)
    np.testing.assert_array_equal(wells.metadata["Cells_3"], wells.embeddings[:, 3])


@pytest.mark.parametrize("name", ["batch", "dose", "is_control", "in_map", "well_id"])
def test_a_kept_column_does_not_pass_for_a_role(tmp_path, name):
    path = write_csv(tmp_path / "plate.csv", plate().rename(columns={"Metadata_moa": name}))
    with pytest.raises(InputError, match=f"'{name}' of plate.csv cannot be kept.*rename"):
        read_wells(path, layout="cell-painting", columns=[name], features="Cells_*")


def test_a_role_can_be_kept_under_its_own_name(tmp_path):
    path = write_csv(tmp_path / "plate.csv", plate().rename(columns={"Metadata_dose": "dose"}))
    wells = read_wells(
        path, layout="cell-painting", dose="dose", columns=["dose"], features="Cells_*"
    )
    assert wells.metadata["dose"].tolist() == plate()["Metadata_dose"].tolist()
