"""Order statistics are exact, whatever the sample said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wellgram import InputError
from wellgram.backends import using_backend
from wellgram.pairs import CountBelow, UnitRows, order, order_statistics, pair_count


def all_cosines(rows):
    """Every pair's cosine by the same backend, sorted: the answer by brute force."""
    return np.sort(rows.cosines(*np.triu_indices(rows.n, k=1)).astype(np.float64))


def found_at(rows, ranks):
    """The cosines at these ranks, found with and without values ranked in the same pass."""
    alone = order_statistics(rows, ranks).cosines
    values = all_cosines(rows)[::7]
    beside = order_statistics(rows, ranks, values=values)
    np.testing.assert_array_equal(alone, beside.cosines)
    every = all_cosines(rows)
    np.testing.assert_array_equal(beside.ranked.below, np.searchsorted(every, values, "left"))
    np.testing.assert_array_equal(beside.ranked.up_to, np.searchsorted(every, values, "right"))
    return alone


@pytest.fixture
def small_sample(monkeypatch):
    """A sample and a capacity so small that brackets miss and overflow."""
    monkeypatch.setattr(order, "_SAMPLE", 16)
    monkeypatch.setattr(order, "_CAPACITY", 8)
    monkeypatch.setattr(order, "_SIGMAS", 0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d"), [(2, 1), (2, 5), (3, 4), (50, 7), (700, 9)])
def test_every_rank_equals_sorting(n, d, dtype):
    unit = UnitRows(np.random.default_rng(n).normal(size=(n, d)).astype(dtype))
    expected = all_cosines(unit)
    ranks = sorted(
        {0, 1, len(expected) // 3, len(expected) // 2, len(expected) - 1}
        & set(range(len(expected)))
    )
    np.testing.assert_array_equal(found_at(unit, ranks), expected[ranks])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_brackets_that_miss_or_overflow_only_cost_passes(small_sample, dtype):
    unit = UnitRows(np.random.default_rng(0).normal(size=(90, 6)).astype(dtype))
    expected = all_cosines(unit)
    ranks = [0, 17, 1000, 2000, len(expected) - 2, len(expected) - 1]
    np.testing.assert_array_equal(found_at(unit, ranks), expected[ranks])


@pytest.mark.parametrize("d", [1, 3])
def test_ties_without_end(small_sample, d):
    """Equal rows, and for d = 1 rows of one of two directions: most cosines are the same."""
    rng = np.random.default_rng(1)
    unit = UnitRows(rng.choice([-1.0, 2.0], size=(80, d)).astype(np.float32))
    expected = all_cosines(unit)
    ranks = [*list(range(0, len(expected), 211)), len(expected) - 1]
    np.testing.assert_array_equal(found_at(unit, ranks), expected[ranks])


@settings(max_examples=60, deadline=None)
@given(
    rows=arrays(
        np.float64, st.tuples(st.integers(2, 12), st.integers(1, 4)), elements=st.integers(-3, 3)
    ),
    share=st.floats(0, 1),
)
def test_any_rank_of_any_small_map(rows, share):
    rows = rows[np.abs(rows).any(axis=1)]
    if len(rows) < 2:
        return
    unit = UnitRows(rows)
    expected = all_cosines(unit)
    rank = min(int(share * len(expected)), len(expected) - 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "_SAMPLE", 4)
        patch.setattr(order, "_CAPACITY", 2)
        assert found_at(unit, [rank]) == expected[rank]


def test_the_reference_backend_finds_the_same():
    with using_backend("reference"):
        unit = UnitRows(np.random.default_rng(2).normal(size=(40, 5)))
    ranks = [0, 99, 700]
    np.testing.assert_array_equal(found_at(unit, ranks), all_cosines(unit)[ranks])


@pytest.mark.parametrize("rank", [-1, 45])
def test_a_rank_out_of_range_is_refused(rank):
    unit = UnitRows(np.eye(10))
    assert pair_count(10) == 45
    with pytest.raises(InputError, match="45 pairs of 10 rows"):
        order_statistics(unit, [rank])


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_rows_without_direction_are_refused(bad):
    x = np.ones((4, 3))
    x[2] = bad
    with pytest.raises(InputError, match="row 2"):
        UnitRows(x)


def test_consumers_along_see_every_pair_once(small_sample):
    unit = UnitRows(np.random.default_rng(3).normal(size=(60, 4)))
    expected = all_cosines(unit)
    for values in (None, np.zeros(1)):
        found = order_statistics(unit, [900], values=values, along=[CountBelow((0.0, 2.0))])
        assert found.cosines.tolist() == [expected[900]]
    (below,) = found.along
    assert below.tolist() == [(expected < 0).sum(), len(expected)]
