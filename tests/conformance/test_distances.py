"""distance_sums and group_distances against the reference."""

import numpy as np
import pytest

from helpers.cases import SHAPES, labelled
from helpers.oracle import reference
from wellgram import InputError


def close(got, expected, x, terms):
    """Squares of distances about a centre err by some eps of the rows' spread, in float64.

    A distance that is nearly zero is the root of that: up to 1e-7 of the spread, each.
    """
    spread = np.linalg.norm(x.astype(np.float64) - x.mean(axis=0), axis=1).max() if len(x) else 0
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-7 * spread * terms)


@pytest.mark.parametrize("origin", [0, 100])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums(backend, rng, dtype, shape, origin):
    n, d = shape
    x = (rng.normal(size=shape) + origin).astype(dtype)
    for m in (0, 1, 13, 150):
        y = (rng.normal(size=(m, d)) + origin).astype(dtype)
        got, expected = (b.distance_sums(x, y) for b in (backend, reference))
        assert got.dtype == np.float64
        # Rows of two samples are never near each other but in one dimension.
        np.testing.assert_allclose(got, expected, rtol=1e-9 if d > 1 else 1e-6)
        assert len(got) == n


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_groups(backend, rng, dtype, shape):
    x, codes, groups = labelled(rng, *shape, dtype)
    got, expected = (b.group_distances(x, codes, groups) for b in (backend, reference))
    assert got.shape == (groups,)
    np.testing.assert_allclose(got, expected, rtol=1e-9 if shape[1] > 1 else 1e-6)


def test_large_and_small_groups(backend, rng):
    """On both sides of the size at which threads share a group, not in the order of rows."""
    x = rng.normal(size=(1400, 17)).astype(np.float32)
    codes = rng.permutation(np.repeat([0, 1, 2, -1], [700, 512, 60, 128]))
    got, expected = (b.group_distances(x, codes, 3) for b in (backend, reference))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_equal_rows_are_no_distance_apart(backend, rng):
    x = np.repeat(rng.normal(size=(1, 20)), 70, axis=0).astype(np.float32)
    x[0] += 3  # so that the centre is not on the others
    close(backend.distance_sums(x[1:], x[1:]), np.zeros(69), x, terms=69)
    close(backend.group_distances(x[1:], np.zeros(69, np.int64), 1), [0.0], x, terms=69 * 68 / 2)


def near(got, expected):
    """A distance has 36 bits of its square at least: see `is_kept` in csrc/cpu/distances.cpp."""
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_nearly_equal_rows(backend, rng):
    x = rng.normal(size=(90, 20))
    x[45:] = x[:45] + 1e-7 * rng.normal(size=(45, 20))
    codes = np.tile(np.arange(45), 2)
    near(backend.group_distances(x, codes, 45), reference.group_distances(x, codes, 45))


@pytest.mark.parametrize("far", [1e4, 1e8, 1e30])
def test_a_far_row_leaves_the_others_alone(backend, rng, dtype, far):
    x = rng.normal(size=(60, 16)).astype(dtype)
    x[-1] *= dtype(far)
    codes = np.repeat([0, 1, 2], 20)
    near(backend.group_distances(x, codes, 3), reference.group_distances(x, codes, 3))
    near(backend.distance_sums(x, x[::3]), reference.distance_sums(x, x[::3]))


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e200, 1e303])
def test_values_of_any_size(backend, rng, size):
    x = rng.normal(size=(60, 16)) * size
    x[40:] /= size  # some rows of another size
    codes = np.repeat([0, 1, 2], 20)
    got = backend.group_distances(x, codes, 3)
    assert np.isfinite(got).all()
    near(got, reference.group_distances(x, codes, 3))
    near(backend.distance_sums(x, x[::3]), reference.distance_sums(x, x[::3]))


def test_groups_are_half_of_all_sums(backend, rng):
    x = rng.normal(size=(90, 5))
    whole = backend.group_distances(x, np.zeros(90, np.int64), 1)
    np.testing.assert_allclose(2 * whole, backend.distance_sums(x, x).sum(), rtol=1e-7)


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_sums_do_not_depend_on_threads(backend, rng, monkeypatch, threads):
    x = rng.normal(size=(900, 12)).astype(np.float32)
    codes = (np.arange(900) >= 600).astype(np.int64)
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "3")
    sums, groups = backend.distance_sums(x, x[:40]), backend.group_distances(x, codes, 2)
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", threads)
    np.testing.assert_array_equal(backend.distance_sums(x, x[:40]), sums)
    np.testing.assert_array_equal(backend.group_distances(x, codes, 2), groups)


@pytest.mark.parametrize("y", [np.zeros((3, 4), "f4"), np.zeros((3, 5)), np.zeros(5, "f4")])
def test_rows_that_cannot_be_compared(backend, y):
    with pytest.raises(InputError):
        backend.distance_sums(np.zeros((2, 5), np.float32), y)
