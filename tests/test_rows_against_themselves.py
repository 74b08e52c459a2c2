"""Counts among the rows of one array, where a tile serves both ways, are those of a copy of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellgram.backends import get_backend, numpy_similarity

_cpu = pytest.importorskip("wellgram._cpu", reason="the compiled core is absent")


def asked(rng, n, most):
    """Return so many values for each row, or less, in ascending order, and where they begin."""
    sizes = rng.integers(0, most + 1, size=n)
    sizes[rng.uniform(size=n) < 0.2] = 0
    values = [np.sort(rng.choice([-0.5, -0.1, 0.0, 0.1, 0.2, 0.5], size=k)) for k in sizes]
    return np.append(0, np.cumsum(sizes)), np.concatenate([np.empty(0), *values])


@given(
    n=st.integers(1, 150),
    most=st.sampled_from([1, 3, 64, 70]),
    kinds=st.integers(1, 2),
    absolute=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
    how=st.sampled_from(["products", "cosines", "correlations", "euclidean"]),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=150)
def test_counts_are_those_of_a_copy(n, most, kinds, absolute, dtype, how, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 9)).astype(dtype)
    labels = rng.integers(0, max(1, n // 2), size=(kinds, n)).astype(np.int32)
    starts, values = asked(rng, n, most)
    if how == "products":
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        count = get_backend("cpu").rank_counts
        same = count(unit, unit, starts, values, labels, labels, absolute=absolute)
        copied = count(unit, unit.copy(), starts, values, labels, labels, absolute=absolute)
    else:
        similarity = getattr(numpy_similarity, how)(x)
        each = np.arange(n)
        rest = (starts, values, labels, labels)
        same = similarity.counts_above(each, each, *rest, absolute=absolute)
        # All rows and one more, which shares a label with every row, are another array.
        more = np.append(each, 0)
        own = np.vstack([labels, np.zeros((1, n), np.int32)])
        other = np.vstack([np.hstack([labels, labels[:, :1]]), np.append(-np.ones(n), 0)])
        copied = similarity.counts_above(
            each, more, starts, values, own, other.astype(np.int32), absolute=absolute
        )
    np.testing.assert_array_equal(same, copied)


@pytest.mark.parametrize("name", _cpu.instruction_sets())
def test_every_instruction_set_counts_the_same(name):
    best = _cpu.instruction_set()
    rng = np.random.default_rng(0)
    similarity = numpy_similarity.cosines(rng.normal(size=(90, 300)).astype(np.float32))
    i, j = np.divmod(np.arange(8100), 90)
    values = np.sort(similarity.pairs(i, j).reshape(90, 90)[:, :30].astype(np.float64), axis=1)
    each, labels = np.arange(90), np.arange(90, dtype=np.int32)[np.newaxis]
    rest = (np.arange(91) * 30, values.ravel(), labels, labels)
    expected = similarity.counts_above(each, each, *rest, absolute=False)
    try:
        assert _cpu.use_instruction_set(name)
        found = similarity.counts_above(each, each, *rest, absolute=False)
    finally:
        _cpu.use_instruction_set(best)
    np.testing.assert_array_equal(found, expected)
