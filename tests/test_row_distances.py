"""Euclidean distances of the compiled core beside those of NumPy, by every instruction set."""

import numpy as np
import pytest

cpu = pytest.importorskip("wellgram.backends.cpu", reason="there is no compiled core")

from wellgram.backends.row_distances import (  # noqa: E402
    class_distance_sums,
    distances_between,
    distances_within,
)


@pytest.fixture(params=cpu.instruction_sets(), autouse=True)
def _instruction_set(request):
    before = cpu.instruction_set()
    cpu.use_instruction_set(request.param)
    yield
    cpu.use_instruction_set(before)


def rows(n, d=7, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def expected(x, y):
    return np.sqrt(np.square(x[:, None] - y[None]).sum(axis=-1))


SIZES = [(1, 1), (2, 40), (13, 16), (70, 33), (150, 97)]


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("d", [1, 7, 50])
def test_distances_of_two_sets(n, m, d):
    x, y = rows(n, d), rows(m, d, 1)
    within = expected(x, y)
    # Sums of d squares in another order: some units in the last place.
    np.testing.assert_allclose(distances_between(x, y), within, rtol=1e-14)
    halves = distances_between(x, y, half_squares=True)
    np.testing.assert_allclose(halves, np.minimum(within**2 / 2, 2), rtol=1e-14)


@pytest.mark.parametrize("n", [0, 1, 2, 12, 13, 33, 150])
def test_distances_of_one_set(n):
    x = rows(n)
    upper = expected(x, x)[np.triu_indices(n, 1)]
    np.testing.assert_allclose(distances_within(x), upper, rtol=1e-14)


def test_nearly_equal_rows_keep_all_digits():
    x = 1e6 + np.zeros((40, 5))
    x[:, 2] += np.arange(40) * 2.0**-30
    apart = np.abs(np.subtract.outer(x[:, 2], x[:, 2]))
    np.testing.assert_array_equal(distances_between(x, x), apart)


@pytest.mark.parametrize(("in_float32", "within"), [(False, 1e-13), (True, 1e-6)])
@pytest.mark.parametrize("classes", [1, 2, 9, 150])
def test_sums_by_class(classes, in_float32, within):
    x = rows(150)
    codes = np.random.default_rng(1).permutation(np.arange(150) % classes)
    sums = class_distance_sums(x, codes, classes, in_float32=in_float32)
    distances = expected(x, x)
    by_class = np.stack([distances[:, codes == c].sum(axis=1) for c in range(classes)], axis=1)
    np.testing.assert_allclose(sums, by_class, rtol=within, atol=1e-15)


def test_sums_are_the_same_by_any_number_of_threads(monkeypatch):
    x, codes = rows(900, 20), np.arange(900) % 11
    sums = []
    for count in ("1", "2", "7"):
        monkeypatch.setenv("WELLGRAM_NUM_THREADS", count)
        sums.append(class_distance_sums(x, codes, 11, in_float32=True))
    np.testing.assert_array_equal(sums[0], sums[1])
    np.testing.assert_array_equal(sums[0], sums[2])


def test_equal_rows_are_at_no_distance_of_any_class():
    sums = class_distance_sums(np.ones((30, 3)), np.arange(30) % 2, 2, in_float32=False)
    assert (sums == 0).all()
