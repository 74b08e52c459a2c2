"""rank_counts and null_precisions against the reference."""

import numpy as np
import pytest

from helpers.cases import SHAPES, unit
from helpers.oracle import reference
from wellgram import InputError


def rankings(rng, n, m, most, kinds=2, spread=0.3):
    """Values of n rows, ascending, and labels of n and of m rows."""
    sizes = rng.integers(0, most + 1, n)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    values = [np.sort(rng.normal(0, spread, size)) for size in sizes]
    labels = (rng.integers(0, 4, (kinds, count)).astype(np.int32) for count in (n, m))
    return starts, np.concatenate([*values, np.empty(0)]), *labels


def counted(backend, x, y, starts, values, own, other, absolute):
    """The definition, on the very products of the backend."""
    n, m = len(x), len(y)
    i, j = np.indices((n, m)).reshape(2, -1)
    products = backend.pair_cosines(x, i, j, y).reshape(n, m)
    if absolute:
        products = np.abs(products)
    products[(own[:, :, None] == other[:, None, :]).any(axis=0)] = -np.inf
    row = np.repeat(np.arange(n), np.diff(starts))
    return (products[row] > values[:, None]).sum(axis=1)


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_counts(backend, rng, dtype, shape, absolute):
    n, d = shape
    x = unit(rng, n, d, dtype)
    for m in (0, 1, 13, 150):
        y = unit(rng, m, d, dtype)
        for most in (0, 3, 30, 300):  # compared in turn; in trees; in memory
            asked = rankings(rng, n, m, most)
            got = backend.rank_counts(x, y, *asked, absolute=absolute)
            np.testing.assert_array_equal(got, counted(backend, x, y, *asked, absolute))
            assert got.dtype == np.int64


@pytest.mark.parametrize("most", [31, 32, 63, 64, 127, 128, 255, 256])
def test_counts_of_rows_among_themselves(backend, rng, most):
    """Trees of each height, full and with room, and what is just too much for one."""
    n = 150
    x = unit(rng, n, 9, np.float32)
    starts, values, own, _ = rankings(rng, n, n, most)
    sizes = np.append(np.diff(starts)[:-1], most)  # one is full
    values = np.concatenate([np.sort(rng.normal(0, 0.3, size)) for size in sizes])
    asked = np.append(0, np.cumsum(sizes)), values, own, own
    got = backend.rank_counts(x, x, *asked)
    np.testing.assert_array_equal(got, counted(backend, x, x, *asked, False))


def test_values_that_are_met_are_not_above_themselves(backend, rng, dtype):
    """The values of pair_cosines are, to the bit, those that are counted."""
    x, n = unit(rng, 60, 37, dtype), 60
    everyone = np.tile(np.arange(n), n)
    cosines = backend.pair_cosines(x, np.repeat(np.arange(n), n), everyone).reshape(n, n)
    values = np.sort(cosines, axis=1).astype(np.float64)
    none = np.zeros((0, n), np.int32)
    for k in (5, 60):
        starts = np.arange(n + 1) * k
        got = backend.rank_counts(x, x, starts, values[:, -k:].ravel(), none, none)
        np.testing.assert_array_equal(got.reshape(n, k), np.tile(np.arange(k)[::-1], (n, 1)))
        below = np.nextafter(values.astype(x.dtype), x.dtype.type(-2)).astype(np.float64)
        got = backend.rank_counts(x, x, starts, below[:, -k:].ravel(), none, none)
        np.testing.assert_array_equal(got.reshape(n, k), np.tile(np.arange(1, k + 1)[::-1], (n, 1)))


def test_a_value_between_two_floats_is_not_rounded(backend):
    """0.5 + 1e-12 is above float32's 0.5 and must not become it."""
    x, y = np.array([[1.0, 0.0]], np.float32), np.array([[0.5, 0.8]], np.float32)
    label = np.zeros((0, 1), np.int32)
    for value, above in ((0.5 - 1e-12, 1), (0.5, 0), (0.5 + 1e-12, 0)):
        assert backend.rank_counts(x, y, [0, 1], [value], label, label).tolist() == [above]


@pytest.mark.parametrize("kinds", [0, 1, 3])
def test_labels_in_common_are_left_out(backend, rng, kinds):
    x, y = unit(rng, 40, 5, np.float32), unit(rng, 70, 5, np.float32)
    starts, values, own, other = rankings(rng, 40, 70, 2, kinds)
    values[:] = -2  # everything is above
    got = backend.rank_counts(x, y, starts, values, own, other)
    compared = (own[:, :, None] != other[:, None, :]).all(axis=0).sum(axis=1)
    np.testing.assert_array_equal(got, np.repeat(compared, np.diff(starts)))


def test_counts_do_not_depend_on_threads(backend, rng, by_threads):
    x = unit(rng, 700, 20, np.float32)
    asked = rankings(rng, 700, 700, 40)
    first, *others = by_threads(lambda: backend.rank_counts(x, x, *asked))
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"starts": [0, 2]}, "starts must rise"),
        ({"starts": [0, 3, 2]}, "starts must rise"),
        ({"starts": [1, 2, 3]}, "starts must rise"),
        ({"values": [0.1, 0.0, 0.5]}, "must ascend"),
        ({"values": [0.1, np.nan, 0.5]}, "none be NaN"),
        ({"own": np.zeros((2, 2), np.int32)}, "labels are"),
        ({"other": np.zeros((1, 2), np.int32)}, "labels are"),
    ],
)
def test_values_that_cannot_be_ranked(backend, rng, change, said):
    x, y = unit(rng, 2, 4, np.float32), unit(rng, 3, 4, np.float32)
    own, other = np.zeros((1, 2), np.int32), np.zeros((1, 3), np.int32)
    asked = {"starts": [0, 2, 3], "values": [0.0, 0.1, -0.5], "own": own, "other": other} | change
    with pytest.raises(InputError, match=said):
        backend.rank_counts(x, y, **asked)


@pytest.mark.parametrize(
    ("positives", "total"), [(1, 1), (1, 9), (8, 9), (9, 9), (3, 64), (61, 64), (40, 65), (5, 700)]
)
def test_null_precisions(backend, positives, total):
    got, expected = (
        b.null_precisions(positives, total, 60, seed=7, stream=11) for b in (backend, reference)
    )
    # Sums of at most 64 quotients, in another order or by harmonic numbers up to 5.
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    assert got.min() > 0
    assert got.max() <= 1 + 1e-13


def test_null_precisions_are_those_of_draws(backend, by_threads):
    whole, *others = by_threads(lambda: backend.null_precisions(4, 50, 300, seed=1, stream=2))
    for other in others:
        np.testing.assert_array_equal(other, whole)
    np.testing.assert_array_equal(
        backend.null_precisions(4, 50, 130, seed=1, stream=2), whole[:130]
    )
    assert (backend.null_precisions(4, 50, 300, seed=1, stream=3) != whole).any()
    assert (backend.null_precisions(4, 50, 300, seed=2, stream=2) != whole).any()


@pytest.mark.parametrize(("positives", "total", "draws"), [(0, 5, 1), (6, 5, 1), (1, 5, -1)])
def test_rankings_that_are_none(backend, positives, total, draws):
    with pytest.raises(InputError):
        backend.null_precisions(positives, total, draws, seed=0, stream=0)
