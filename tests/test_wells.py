"""The containers: what they refuse, and how they read."""

import numpy as np
import pandas as pd
import pytest

from wellgram import InputError, PerturbationMap, Wells


def metadata(n=3, **changes):
    columns = {
        "well_id": [f"w{i}" for i in range(n)],
        "perturbation": list("abc")[:n],
        "is_control": [False] * n,
        "in_map": [True] * n,
    }
    return pd.DataFrame(columns | changes)


def test_wells_describe_themselves():
    wells = Wells.from_arrays(
        np.eye(4), ["x", "y", "y", "DMSO"], control="DMSO", batch=[1, 1, 2, 2]
    )
    assert repr(wells) == "Wells(4 wells x 4 features, 3 perturbations, 2 batches, 1 controls)"
    assert wells.metadata["in_map"].tolist() == [True, True, True, False]
    codes, names = wells.batches()
    assert codes.tolist() == [0, 0, 1, 1]
    assert names == ["1", "2"]


def test_integer_embeddings_are_refused_by_dtype():
    with pytest.raises(InputError, match="int64"):
        Wells(np.eye(3, dtype=np.int64), metadata())


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "a NaN or an Inf"), (np.inf, "a NaN or an Inf")]
)
def test_a_value_that_is_not_finite_names_count_and_first_well(value, words):
    x = np.eye(3)
    x[1, 2] = value
    with pytest.raises(InputError, match=f"1 wells hold {words}.*'w1'.*drop"):
        Wells(x, metadata())


def test_an_all_zero_well_is_named():
    x = np.eye(3)
    x[2] = 0
    with pytest.raises(InputError, match=r"nothing but zeros.*'w2'"):
        Wells(x, metadata())


@pytest.mark.parametrize("column", ["well_id", "perturbation", "is_control", "in_map"])
def test_a_missing_column_is_named(column):
    with pytest.raises(InputError, match=column):
        Wells(np.eye(3), metadata().drop(columns=column))


def test_a_missing_perturbation_names_the_well():
    with pytest.raises(InputError, match=r"1 wells have no perturbation.*'w1'"):
        Wells(np.eye(3), metadata(perturbation=["a", None, "c"]))


def test_lengths_must_agree():
    with pytest.raises(InputError, match="4 embeddings but 3 rows"):
        Wells(np.eye(4), metadata())
    with pytest.raises(InputError, match="4 embeddings but 3 labels"):
        PerturbationMap(np.eye(4), metadata())


def test_a_map_describes_itself_and_needs_labels():
    map_ = PerturbationMap(np.eye(3, dtype=np.float32), metadata(), {"align": "tvn"})
    assert repr(map_) == "PerturbationMap(3 perturbations x 3 features, align='tvn')"
    with pytest.raises(InputError, match="perturbation"):
        PerturbationMap(np.eye(3), metadata()[["well_id"]])
