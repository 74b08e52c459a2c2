"""A masked value within a table is missing: in frames, AnnData objects and Dask collections."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg

LABELS = ["a", "a", "b", "b", "DMSO", "DMSO"]
ROLES = {"layout": "columns", "perturbation": "perturbation", "control": "DMSO"}


@pytest.fixture
def masked(rng):
    """Rows with a masked value at row 4, feature 2."""
    values = rng.normal(size=(6, 3))
    return np.ma.masked_array(values, np.arange(18).reshape(6, 3) == 14)


def of_vectors(rows):
    return pd.DataFrame({"perturbation": LABELS, "v": list(rows)})


def read(table, features):
    return wg.read_wells(table, features=features, **ROLES).embeddings


def test_vectors_of_a_frame(masked):
    whole = np.ma.masked_array(masked.data)
    np.testing.assert_array_equal(read(of_vectors(whole), "v"), masked.data)
    with pytest.raises(wg.InputError, match=r"1 values of v\[4\] are masked.*v\[4\]\[2\]"):
        read(of_vectors(masked), "v")


def test_columns_of_a_frame(masked):
    """Here pandas writes NaN for what is masked."""
    frame = pd.DataFrame(masked, columns=["f0", "f1", "f2"]).assign(perturbation=LABELS)
    with pytest.raises(wg.InputError, match=r"hold a NaN or an Inf \(first: 'row 5'\)"):
        read(frame, "f*")


@pytest.mark.parametrize("kind", ["text", "numbers"])
def test_single_values(kind, masked):
    values = [np.ma.masked, *(["x"] if kind == "text" else [1.5]) * 5]
    frame = of_vectors(masked.data).assign(note=pd.Series(values, dtype=object))
    notes = wg.read_wells(frame, features="v", columns=["note"], **ROLES).metadata["note"]
    assert notes.isna().tolist() == [True, *[False] * 5]
    assert notes.tolist()[1:] == values[1:]


@pytest.fixture
def dask():
    """Dask on threads, whatever clients other tests have lost."""
    dask = pytest.importorskip("dask")
    with dask.config.set(scheduler="threads"):
        yield dask


def test_a_dask_array(masked, dask):
    array = pytest.importorskip("dask.array")
    labels = pd.DataFrame({"perturbation": LABELS})
    whole = array.from_array(masked.data, chunks=(6, 3))
    np.testing.assert_array_equal(wg.read_wells(whole, labels, **ROLES).embeddings, masked.data)
    with pytest.raises(wg.InputError, match=r"1 values of .* masked.*\[4, 2\]"):
        wg.read_wells(array.from_array(masked, chunks=(6, 3)), labels, **ROLES)


def test_a_dask_frame(masked, dask):
    frame = pytest.importorskip("dask.dataframe")
    with dask.config.set({"dataframe.convert-string": False}):  # which makes text of vectors
        made = frame.from_pandas(of_vectors(masked), npartitions=1)
    with pytest.raises(wg.InputError, match=r"1 values of v\[4\] are masked"):
        read(made, "v")


@pytest.mark.parametrize("features", ["X", "layers/raw", "e"])
def test_an_anndata_object(masked, features):
    anndata = pytest.importorskip("anndata")
    x = masked.data
    obs = pd.DataFrame({"perturbation": LABELS}, index=[f"w{i}" for i in range(6)])
    made = anndata.AnnData(x.copy(), obs=obs, layers={"raw": x.copy()}, obsm={"e": x.copy()})
    np.testing.assert_array_equal(read(made, features), x)
    if features == "X":
        made.X = masked
    else:
        (made.obsm if features == "e" else made.layers)[features.removeprefix("layers/")] = masked
    with pytest.raises(wg.InputError, match=rf"1 values of {features} .*masked.*\[4, 2\]"):
        read(made, features)
    if features == "X":
        with pytest.raises(wg.InputError, match=r"masked.*X\[4, 2\]"):
            wg.read_map(made)
    else:
        np.testing.assert_array_equal(read(made, "X"), x)  # another matrix hinders nothing
