"""Order statistics are exact, whatever the sample said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wellgram import InputError
from wellgram.pairs import CountBelow, order, order_statistics, pair_count, unit_embeddings


def all_cosines(unit, backend="cpu"):
    """Every pair's cosine by the same backend, sorted: the answer by brute force."""
    from wellgram.backends import get_backend

    i, j = np.triu_indices(len(unit), k=1)
    return np.sort(get_backend(backend).pair_cosines(unit, i, j).astype(np.float64))


@pytest.fixture
def small_sample(monkeypatch):
    """A sample and a capacity so small that brackets miss and overflow."""
    monkeypatch.setattr(order, "_SAMPLE", 16)
    monkeypatch.setattr(order, "_CAPACITY", 8)
    monkeypatch.setattr(order, "_SIGMAS", 0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d"), [(2, 1), (2, 5), (3, 4), (50, 7), (700, 9)])
def test_every_rank_equals_sorting(n, d, dtype):
    unit = unit_embeddings(np.random.default_rng(n).normal(size=(n, d)).astype(dtype))
    expected = all_cosines(unit)
    ranks = sorted(
        {0, 1, len(expected) // 3, len(expected) // 2, len(expected) - 1}
        & set(range(len(expected)))
    )
    np.testing.assert_array_equal(order_statistics(unit, ranks)[0], expected[ranks])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_brackets_that_miss_or_overflow_only_cost_passes(small_sample, dtype):
    unit = unit_embeddings(np.random.default_rng(0).normal(size=(90, 6)).astype(dtype))
    expected = all_cosines(unit)
    ranks = [0, 17, 1000, 2000, len(expected) - 2, len(expected) - 1]
    np.testing.assert_array_equal(order_statistics(unit, ranks)[0], expected[ranks])


@pytest.mark.parametrize("d", [1, 3])
def test_ties_without_end(small_sample, d):
    """Equal rows, and for d = 1 rows of one of two directions: most cosines are the same."""
    rng = np.random.default_rng(1)
    unit = unit_embeddings(rng.choice([-1.0, 2.0], size=(80, d)).astype(np.float32))
    expected = all_cosines(unit)
    ranks = [*list(range(0, len(expected), 211)), len(expected) - 1]
    np.testing.assert_array_equal(order_statistics(unit, ranks)[0], expected[ranks])


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
    unit = unit_embeddings(rows)
    expected = all_cosines(unit)
    rank = min(int(share * len(expected)), len(expected) - 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "_SAMPLE", 4)
        patch.setattr(order, "_CAPACITY", 2)
        assert order_statistics(unit, [rank])[0] == expected[rank]


def test_the_reference_backend_finds_the_same():
    unit = unit_embeddings(np.random.default_rng(2).normal(size=(40, 5)))
    expected = all_cosines(unit, "reference")
    np.testing.assert_array_equal(
        order_statistics(unit, [0, 99, 700], backend="reference")[0], expected[[0, 99, 700]]
    )


@pytest.mark.parametrize("rank", [-1, 45])
def test_a_rank_out_of_range_is_refused(rank):
    unit = unit_embeddings(np.eye(10))
    assert pair_count(10) == 45
    with pytest.raises(InputError, match="45 pairs of 10 rows"):
        order_statistics(unit, [rank])


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_rows_without_direction_are_refused(bad):
    x = np.ones((4, 3))
    x[2] = bad
    with pytest.raises(InputError, match="row 2"):
        unit_embeddings(x)


def test_consumers_along_see_every_pair_once(small_sample):
    unit = unit_embeddings(np.random.default_rng(3).normal(size=(60, 4)))
    expected = all_cosines(unit)
    values, (below,) = order_statistics(unit, [900], along=[CountBelow((0.0, 2.0))])
    assert values.tolist() == [expected[900]]
    assert below.tolist() == [(expected < 0).sum(), len(expected)]
