"""Controls are named by labels of any type, in any column; labels nearly theirs are told of."""

import numpy as np
import pytest

import wellgram as wg
from helpers.small_screens import plate, write_csv
from wellgram import InputError, Wells, read_wells
from wellgram.errors import LabelsWarning

X = np.arange(12.0).reshape(6, 2) + 1


@pytest.mark.parametrize(
    ("labels", "control"),
    [
        (["DMSO", "DMSO", "a", "a", "b", "b"], "DMSO"),
        ([b"DMSO", b"DMSO", b"a", b"a", b"b", b"b"], b"DMSO"),
        ([b"DMSO", b"DMSO", b"a", b"a", b"b", b"b"], "DMSO"),
        ([1138, 1138, 1, 1, 2, 2], 1138),
        ([1138, 1138, 1, 1, 2, 2], "1138"),
        ([1138, 1138, 1, 1, 2, 2], np.int64(1138)),
        ([1138.0, 1138.0, 1, 1, 2, 2], [1138]),
        ([0, 0, 1, 1, 2, 2], 0),
        (["x", "DMSO", "a", "a", "b", "b"], ["x", b"DMSO"]),
    ],
)
def test_a_label_of_any_type(labels, control):
    wells = Wells.from_arrays(X, labels, control=control)
    assert wells.metadata["is_control"].tolist() == [True, True, *[False] * 4]


def test_the_controls_of_a_table_may_be_numbers():
    frame = plate()
    frame["Metadata_broad_sample"] = [1138] * 4 + list(range(12))
    wells = read_wells(frame, layout="cell-painting", control=1138)
    assert wells.metadata["is_control"].sum() == 4


@pytest.mark.parametrize("control", [np.array([True, False]), {"a": [1]}, [["DMSO"]]])
def test_what_is_no_label_is_refused(control):
    with pytest.raises(InputError, match="control= takes the label or labels"):
        Wells.from_arrays(X, [*"aabbcc"], control=control)


def test_another_column_may_tell_controls(tmp_path):
    frame = plate().assign(Metadata_control_type=["negcon"] * 4 + [None] * 12)
    frame["Metadata_broad_sample"] = frame["Metadata_broad_sample"].replace("DMSO", "JCP_033924")
    path = write_csv(tmp_path / "p.csv", frame)
    options = {"layout": "cell-painting", "control_column": "Metadata_control_type"}
    wells = read_wells(path, control="negcon", **options)
    assert wells.metadata["is_control"].tolist() == [True] * 4 + [False] * 12
    assert wells.metadata["perturbation"][0] == "JCP_033924"
    with pytest.raises(InputError, match=r"'pos': .*column 'Metadata_control_type'"):
        read_wells(path, control="pos", **options)


def test_a_misspelt_control_is_named(tmp_path):
    with pytest.raises(InputError, match=r"'dmso': .*'DMSO' \(4 wells\) differs in case"):
        read_wells(plate(), layout="cell-painting", control="dmso")
    with pytest.raises(InputError, match="no well is a control 'dmso'; 'DMSO' differs in case"):
        Wells.from_arrays(X, [*["DMSO"] * 3, *"abc"], control="dmso")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_labels_nearly_the_controls_are_told_of(tmp_path, suffix):
    frame = plate()
    frame.loc[0, "Metadata_broad_sample"] = "dmso"
    frame.loc[1, "Metadata_broad_sample"] = "DMSO "
    path = tmp_path / f"p.{suffix}"
    if suffix == "csv":
        write_csv(path, frame)
    else:
        frame.to_parquet(path)
    near = pytest.warns(LabelsWarning, match=r"'dmso' \(1 wells\), 'DMSO ' \(1 wells\) .* no contr")
    spelt = pytest.warns(LabelsWarning, match="1 perturbations .* spelt in several ways")
    with near, spelt:
        wells = read_wells(path, layout="cell-painting")
    assert wells.metadata["is_control"].sum() == 2


def test_wells_without_controls_say_so_where_they_are_needed():
    wells = Wells.from_arrays(X, [*"aabbcc"])
    assert not wells.metadata["is_control"].any()
    with pytest.raises(InputError, match=r"no control well .*none named"):
        wg.build_map(wells, wg.CenterScale())
