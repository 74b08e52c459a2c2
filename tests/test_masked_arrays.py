"""A masked value is missing, whatever number lies below the mask."""

import numpy as np
import pytest

import wellgram as wg
from wellgram.nulls import empirical_p

LABELS = ["a", "a", "b", "b", "DMSO", "DMSO"]


@pytest.fixture
def rows():
    """Rows without a masked value, and the same with one at row 4, feature 2."""
    values = np.random.default_rng(3).normal(size=(6, 3))
    mask = np.zeros(values.shape, bool)
    mask[4, 2] = True
    return np.ma.masked_array(values), np.ma.masked_array(values, mask)


CALLS = {
    "wells": lambda x: wg.Wells.from_arrays(x, LABELS, control="DMSO").embeddings,
    "with_embeddings": lambda x: (
        wg.Wells.from_arrays(np.eye(6), LABELS).with_embeddings(x).embeddings
    ),
    "map": lambda x: wg.PerturbationMap(x, wg.Wells.from_arrays(np.eye(6), LABELS).metadata),
    "cosines": wg.cosine_matrix,
    "other cosines": lambda x: wg.cosine_matrix(np.eye(3), other=x),
    "quantiles": lambda x: wg.pair_quantiles(x, [0.5]).cosines,
    "neighbors": lambda x: wg.neighbors(x, 2).nearest,
    "align": lambda x: wg.CenterScale().fit_transform(x),
    "transform": lambda x: wg.CenterScale().fit(np.eye(3)).transform(x),
    "primitive": lambda x: wg.get_backend().unit_rows(x)[0],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_rows(call, rows):
    whole, masked = rows
    np.testing.assert_array_equal(_values(call(whole)), _values(call(whole.data)))
    with pytest.raises(wg.InputError, match=r"1 values of .* masked.*\[4, 2\]"):
        call(masked)


def _values(made):
    return getattr(made, "embeddings", made)


@pytest.mark.parametrize("name", ["perturbation", "batch"])
def test_labels(name):
    labels = np.ma.masked_array(np.array(LABELS, object), [0, 1, 0, 0, 0, 0])
    given = {"perturbation": LABELS, name: labels}
    with pytest.raises(wg.InputError, match=rf"{name} are masked.*{name}\[1\]"):
        wg.Wells.from_arrays(np.eye(6), **given)


def test_scores():
    masked = np.ma.masked_array([0.1, 0.2], [False, True])
    with pytest.raises(wg.InputError, match="null are masked"):
        empirical_p([0.1], masked)
    with pytest.raises(wg.InputError, match="shares are masked"):
        wg.pair_quantiles(np.eye(3), masked)
    indices = np.ma.masked_array([0, 1], [True, False])
    with pytest.raises(wg.InputError, match="rows are masked"):
        wg.cosine_matrix(np.eye(3), rows=indices)


def test_a_number_is_no_matrix():
    with pytest.raises(wg.InputError, match="must be a matrix"):
        wg.cosine_matrix(np.float32(3))
