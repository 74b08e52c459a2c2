"""resample_counts and random_subsets against the reference."""

import numpy as np
import pytest
from scipy.stats import chisquare

from helpers.oracle import reference
from wellgram import InputError


@pytest.mark.parametrize("items", [0, 1, 2, 7, 500])
def test_counts(backend, items):
    got, expected = (
        b.resample_counts(items, 9, seed=5, stream=3, first=4) for b in (backend, reference)
    )
    np.testing.assert_array_equal(got, expected)
    assert got.dtype == np.int32
    assert (got.sum(axis=1) == items).all()


def test_resamples_are_named_by_seed_stream_and_place(backend, by_threads):
    whole, *others = by_threads(lambda: backend.resample_counts(30, 40, seed=1, stream=2))
    for other in others:
        np.testing.assert_array_equal(other, whole)
    rest = backend.resample_counts(30, 25, seed=1, stream=2, first=15)
    np.testing.assert_array_equal(rest, whole[15:])
    for other in ({"seed": 2, "stream": 2}, {"seed": 1, "stream": 3}):
        assert (backend.resample_counts(30, 40, **other) != whole).any()


def test_every_item_is_as_likely(backend):
    drawn = backend.resample_counts(20, 2000, seed=9, stream=0).sum(axis=0)
    assert chisquare(drawn).pvalue > 0.01


@pytest.mark.parametrize("wrong", [(-1, 2, 0), (3, -1, 0), (3, 1, -1), (3, 1, 1 << 32)])
def test_resamples_that_are_none(backend, wrong):
    items, draws, first = wrong
    with pytest.raises(InputError, match="cannot draw resamples"):
        backend.resample_counts(items, draws, seed=0, stream=0, first=first)


@pytest.mark.parametrize("pools", [(), (5,), (0, 3), (40, 1, 300)])
def test_subsets(backend, pools):
    taken = [pool // 2 + pool % 2 for pool in pools]
    got, expected = (
        b.random_subsets(pools, taken, 130, seed=5, stream=3) for b in (backend, reference)
    )
    np.testing.assert_array_equal(got, expected)
    ends = np.cumsum([0, *taken])
    for pool, first, last in zip(pools, ends[:-1], ends[1:], strict=True):
        own = np.sort(got[:, first:last], axis=1)
        assert (np.diff(own, axis=1) > 0).all()
        assert ((own >= 0) & (own < pool)).all()


def test_subsets_are_named_by_seed_stream_and_place(backend, by_threads):
    def draw(draws=200, seed=1, stream=2):
        return backend.random_subsets([30, 9], [4, 9], draws, seed=seed, stream=stream)

    whole, *others = by_threads(draw)
    for other in others:
        np.testing.assert_array_equal(other, whole)
    np.testing.assert_array_equal(draw(draws=70), whole[:70])
    assert (draw(seed=2) != whole).any()
    assert (draw(stream=3) != whole).any()


@pytest.mark.parametrize("wrong", [([3], [4], 1), ([3], [-1], 1), ([3], [1, 1], 1), ([3], [1], -1)])
def test_subsets_that_cannot_be_drawn(backend, wrong):
    pools, taken, draws = wrong
    with pytest.raises(InputError):
        backend.random_subsets(pools, taken, draws, seed=0, stream=0)
