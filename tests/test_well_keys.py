"""A well is named by one column or several; the same well twice is refused, or said."""

import numpy as np
import pandas as pd
import pytest

from helpers.small_screens import FEATURES, plate, write_csv
from wellgram import InputError, open_wells, read_wells, wells_from_frame
from wellgram.errors import LabelsWarning

BOTH = ["Metadata_Plate", "Metadata_Well"]
NOTED = ["Metadata_broad_sample", "Metadata_dose", "Metadata_moa"]
CP = {"layout": "cell-painting"}


@pytest.fixture
def plates():
    """Two plates of one layout, with other values."""
    return pd.concat([plate("P1", 1), plate("P2", 2)], ignore_index=True)


def read(embeddings, metadata=None, **options):
    return read_wells(embeddings, metadata, **{**CP, **options})


def test_plate_and_well_join_a_table_of_wells(plates):
    profiles, described = plates[[*BOTH, *FEATURES]], plates[[*BOTH, *NOTED]]
    wells = read(profiles, described[::-1], well_id=BOTH)
    expected = read(plates)
    pd.testing.assert_frame_equal(wells.metadata, expected.metadata)
    np.testing.assert_array_equal(wells.embeddings, expected.embeddings)
    assert wells.metadata["well_id"].tolist()[::16] == ["P1/A01", "P2/A01"]
    with pytest.raises(InputError, match=r"described in two ways.*\['Metadata_Plate', 'Metadata_W"):
        read(profiles, described, well_id="Metadata_Well")


def test_one_platemap_serves_several_plates(plates):
    profiles, platemap = plates[[*BOTH, *FEATURES]], plate()[["Metadata_Well", *NOTED]]
    expected = read(plates).metadata
    for options in ({}, {"well_id": BOTH}, {"well_id": "Metadata_Well"}):
        wells = read(profiles, platemap, **options)
        assert wells.metadata["perturbation"].tolist() == expected["perturbation"].tolist()
        assert wells.metadata["batch"].tolist() == expected["batch"].tolist()
        np.testing.assert_array_equal(wells.embeddings, plates[FEATURES])


def test_wells_of_several_plates_are_not_averaged_in_silence(plates):
    profiles, platemap = plates[[*BOTH, *FEATURES]], plate()[["Metadata_Well", *NOTED]]
    with pytest.raises(InputError, match=r"16 wells are described in two ways.*'P1' and 'P2'"):
        read(profiles, platemap, well_id="Metadata_Well", batch="none")


def test_a_platemap_that_lacks_wells(plates):
    profiles, platemap = plates[[*BOTH, *FEATURES]], plate()[["Metadata_Well", *NOTED]]
    with pytest.raises(InputError, match="4 embeddings have no metadata"):
        read(profiles, platemap[:14])
    assert len(read(profiles, platemap[:14], allow_unmatched=True)) == 28


def test_several_columns_make_one_batch(plates):
    frame = plates.assign(Metadata_Source=["s1"] * 16 + ["s2"] * 16, Metadata_Plate="1")
    frame = frame.drop(columns="Metadata_Well")
    with pytest.warns(LabelsWarning, match="'Metadata_Source' have the same 'Metadata_Plate'"):
        assert read(frame).metadata["batch"].unique().tolist() == ["1"]
    wells = read(frame, batch=["Metadata_Source", "Metadata_Plate"])
    assert wells.metadata["batch"].unique().tolist() == ["s1/1", "s2/1"]
    assert wells.origin["batch"] == "Metadata_Source + Metadata_Plate"
    arrays = wells_from_frame(
        frame[FEATURES].to_numpy(), frame, **CP, batch=["Metadata_Source", "Metadata_Plate"]
    )
    assert arrays.batches()[1] == ["s1/1", "s2/1"]
    with pytest.raises(InputError, match=r"name each \(batch=\['Metadata_Source', 'Metadata_Pl"):
        read(frame, batch="Metadata_Source,Metadata_Plate")


def test_different_values_never_make_one_key():
    frame = plate().assign(a=["x/y", "x"] * 8, b=["z", "y/z"] * 8)
    wells = read(frame, batch=["a", "b"], features="Cells_*")
    assert len(wells.batches()[1]) == 2


@pytest.mark.parametrize("open_", [read_wells, open_wells])
def test_the_same_well_in_two_files_is_refused(tmp_path, plates, open_):
    first = write_csv(tmp_path / "P1.csv", plates[:16])
    again = write_csv(tmp_path / "again.csv", plates[8:24])
    words = r"8 wells are in several files \(first: well 'P1/A09' is in 'P1.csv' and in 'again.csv'"
    with pytest.raises(InputError, match=words):
        open_([first, again], **CP)
    with pytest.warns(LabelsWarning, match="16 rows are averaged into 8 wells"):
        assert len(open_([first, again], **CP, allow_duplicates=True)) == 24


def test_rows_that_are_averaged_are_counted_out_loud(plates):
    sites = pd.concat([plates, plates])
    with pytest.warns(LabelsWarning, match="64 rows are averaged into 32 wells.*'P1/A01'"):
        wells = read(sites)
    np.testing.assert_allclose(wells.embeddings, plates[FEATURES], rtol=1e-12)  # eps of a sum
    with pytest.raises(InputError, match=r"32 rows are of a well that is there before.*'P1/A01'"):
        wells_from_frame(sites[FEATURES].to_numpy(), sites, **CP)


@pytest.mark.parametrize("blank", ["", "  ", "nan", "None", None])
@pytest.mark.parametrize("column", ["Metadata_broad_sample", "Metadata_Plate"])
@pytest.mark.parametrize("suffix", ["csv", "parquet", "frame", "arrays"])
def test_labels_that_say_nothing_are_missing(tmp_path, plates, blank, column, suffix):
    plates.loc[5, column] = blank
    source = plates
    if suffix == "csv":
        source = write_csv(tmp_path / "p.csv", plates)
    elif suffix == "parquet":
        source = tmp_path / "p.parquet"
        plates.to_parquet(source, index=False)
    role = "perturbation" if column == "Metadata_broad_sample" else "batch"
    refused = pytest.raises(InputError, match=f"1 wells have no (value|{role})")
    if suffix == "arrays":
        with refused:
            wells_from_frame(plates[FEATURES].to_numpy(), plates, **CP)
    else:
        with refused:
            read(source)


def test_columns_that_are_kept_have_no_group_of_blanks(plates):
    plates["Metadata_moa"] = plates["Metadata_moa"].fillna("")
    kept = read(plates, columns=["Metadata_moa"]).metadata["Metadata_moa"]
    assert kept.isna().sum() == 12
