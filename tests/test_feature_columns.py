"""Columns that are no measurements are no features; those that are taken are told."""

import pandas as pd
import pytest

from helpers.small_screens import FEATURES, plate, write_csv
from wellgram import InputError, open_wells, read_wells
from wellgram.errors import LabelsWarning

CP = {"layout": "cell-painting"}
NO_MEASUREMENTS = {
    "index": range(16),
    "ImageNumber": range(16),
    "Nuclei_Number_Object_Number": range(16),
    "Nuclei_Location_Center_X": 1.5,
    "Cells_AreaShape_Center_Y": 2.5,
    "Image_Metadata_Site": 1,
    "concentration": 10.0,
    "Well_Row": 3,
}


def test_columns_that_number_or_place_are_left_out_and_listed():
    frame = pd.concat([pd.DataFrame(NO_MEASUREMENTS), plate()], axis=1)
    with pytest.warns(LabelsWarning, match="8 columns of the table are no features.*'ImageNumber'"):
        wells = read_wells(frame, **CP)
    assert list(wells.feature_columns) == FEATURES
    taken = read_wells(frame, **CP, features=["ImageNumber", "Cells_?"])
    assert list(taken.feature_columns) == ["ImageNumber", *FEATURES]


def test_features_can_be_excluded():
    wells = read_wells(plate(), **CP, exclude_features=["Cells_0", "*_[45]"])
    assert list(wells.feature_columns) == FEATURES[1:4]
    with pytest.raises(InputError, match="no feature columns"):
        read_wells(plate(), **CP, exclude_features="*")


def test_features_that_some_files_lack(tmp_path):
    paths = [
        write_csv(tmp_path / "P1.csv", plate("P1").drop(columns="Cells_0")),
        write_csv(tmp_path / "P2.csv", plate("P2").drop(columns="Cells_5")),
    ]
    with pytest.raises(InputError, match=r"take the 4 that all have \(common_features=True\)"):
        read_wells(paths, **CP)
    for open_ in (read_wells, open_wells):
        wells = open_(paths, **CP, common_features=True)
        assert list(wells.feature_columns) == FEATURES[1:5]
        assert wells.features == 4
    strange = write_csv(tmp_path / "P3.csv", plate("P3").rename(columns=lambda c: f"Metadata_{c}"))
    strange = pd.read_csv(strange).rename(columns=lambda c: c.removeprefix("Metadata_"))
    strange = strange.rename(columns={name: f"Nuclei_{name}" for name in FEATURES})
    with pytest.raises(InputError, match="no feature in common"):
        read_wells([paths[0], write_csv(tmp_path / "P4.csv", strange)], **CP, common_features=True)


def test_features_that_are_dropped_are_not_told():
    frame = plate()
    frame.loc[3, "Cells_2"] = None
    for open_ in (read_wells, open_wells):
        wells = open_(frame, **CP, missing="drop-features")
        assert list(wells.feature_columns) == [name for name in FEATURES if name != "Cells_2"]
