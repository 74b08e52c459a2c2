"""Frames of pandas as people have them: keyed by an index, with columns of any kind."""

import numpy as np
import pandas as pd
import pytest

from helpers.small_screens import FEATURES, plate
from wellgram import InputError, PerturbationMap, Wells, read_wells, wells_from_frame
from wellgram.errors import LabelsWarning
from wellgram.io import open_blocks

CP = {"layout": "cell-painting"}
EXPECTED = plate()[FEATURES].to_numpy()


@pytest.mark.parametrize("where", ["frame", "parquet"])
@pytest.mark.parametrize(
    "key", [["name"], ["Metadata_Plate"], ["Metadata_broad_sample"], ["Metadata_Plate", "name"]]
)
def test_a_table_keyed_by_an_index(tmp_path, where, key):
    frame = plate().assign(name=[f"w{k}" for k in range(16)]).set_index(key)
    if where == "parquet":
        frame.to_parquet(tmp_path / "p.parquet")
        frame = tmp_path / "p.parquet"
    wells = read_wells(frame, **CP, well_id="name", features="Cells_*")
    np.testing.assert_array_equal(wells.embeddings, EXPECTED)
    assert wells.metadata["well_id"].tolist() == [f"w{k}" for k in range(16)]
    assert wells.metadata["batch"].unique().tolist() == ["P1"]


def test_metadata_keyed_by_an_index():
    frame = plate().assign(name=[f"w{k}" for k in range(16)])
    about = frame.drop(columns=FEATURES).set_index("name")
    wells = read_wells(frame[["name", *FEATURES]], about, **CP, well_id="name")
    assert wells.metadata["perturbation"].tolist() == frame["Metadata_broad_sample"].tolist()


@pytest.mark.parametrize(
    "column",
    [
        [1, "a"] * 8,
        [{"a": 1}, [1]] * 8,
        [object()] * 16,
        pd.arrays.SparseArray([0] * 16),
        [2**70] * 16,
        [1 + 2j] * 16,
    ],
    ids=["mixed", "dicts and lists", "objects", "sparse", "large", "complex"],
)
def test_a_column_that_nobody_asked_for_hinders_nothing(column):
    frame = plate().assign(Metadata_notes=column)
    np.testing.assert_array_equal(read_wells(frame, **CP).embeddings, EXPECTED)
    wells_from_frame(EXPECTED, frame, **CP)


def test_labels_of_numbers_and_text_are_text():
    frame = plate().drop(columns="Metadata_Well").assign(Metadata_Plate=[1, "2"] * 8)
    assert read_wells(frame, **CP).batches()[1] == ["1", "2"]


def test_columns_may_be_named_by_numbers():
    frame = plate().drop(columns=FEATURES)
    frame = pd.concat([frame, pd.DataFrame(EXPECTED)], axis=1)
    options = {"layout": "columns", "perturbation": "Metadata_broad_sample", "control": "DMSO"}
    wells = read_wells(frame, **options, features=[0, 1])
    np.testing.assert_array_equal(wells.embeddings, EXPECTED[:, :2])


def test_what_is_in_memory_is_of_the_layout_columns():
    frame = plate().rename(columns={name: f"feature_{k}" for k, name in enumerate(FEATURES)})
    wells = read_wells(frame, perturbation="Metadata_broad_sample", control="DMSO")
    assert wells.metadata["is_control"].sum() == 4
    with pytest.raises(InputError, match=r"which column of the table is the perturbation.*Metadat"):
        read_wells(frame)


def test_a_kept_column_may_hold_lists():
    frame = plate().assign(Metadata_targets=[["a", "b"], ["c"]] * 8)
    sites = pd.concat([frame, frame])
    with pytest.warns(LabelsWarning, match="32 rows are averaged into 16 wells"):
        wells = read_wells(sites, **CP, columns=["Metadata_targets"])
    assert [list(v) for v in wells.metadata["Metadata_targets"][:2]] == [["a", "b"], ["c"]]
    sites = pd.concat([frame, frame.assign(Metadata_targets=[["a"]] * 16)])
    refused = pytest.raises(InputError, match=r"'P1/A01' has \"\('a', 'b'\)\" and \"\('a',\)\"")
    with refused:
        read_wells(sites, **CP, columns=["Metadata_targets"])


def test_large_whole_numbers_are_features():
    wells = read_wells(plate().assign(Cells_9=2**60 + 1), **CP)
    assert wells.embeddings[0, -1] == 2.0**60


def test_one_column_is_kept_as_several_are():
    assert "Metadata_moa" in read_wells(plate(), **CP, columns="Metadata_moa").metadata
    for role in ("batch", "dose", "well_id"):
        with pytest.raises(InputError, match="has no column '5'"):
            read_wells(plate(), **CP, **{role: 5})


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda: Wells.from_arrays(None, ["a"]), "embeddings"),
        (lambda: Wells.from_arrays([1.0, 2.0], ["a", "b"]), "must be a matrix"),
        (lambda: Wells.from_arrays(np.eye(2), plate()), "takes one column"),
        (lambda: Wells(np.eye(2), ["a", "b"]), "a table of pandas"),
        (lambda: PerturbationMap(np.eye(2), ["a", "b"]), "a table of pandas"),
        (lambda: wells_from_frame(np.eye(2), ["a", "b"]), "a table of pandas"),
        (lambda: open_blocks(None), "the name of a file"),
        (lambda: open_blocks([5, 6]), "the name of a file"),
        (lambda: open_blocks({"a": 1, "b": 2}), "wells are needed"),
    ],
)
def test_what_holds_no_wells_is_refused_in_words(of, words):
    with pytest.raises(InputError, match=words):
        of()


def test_labels_may_be_a_table_of_one_column():
    labels = Wells.from_arrays(np.eye(2), pd.DataFrame({"gene": ["a", "b"]})).metadata
    assert labels["perturbation"].tolist() == ["a", "b"]
