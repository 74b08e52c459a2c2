"""unit_rows, pair_cosines and apply_affine against the reference."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from helpers.cases import DIMENSIONS, SHAPES, some_maps, unit
from helpers.comparers import close, close_affine, cosine_error
from helpers.oracle import reference
from wellgram import InputError


def compare_unit_rows(backend, x):
    got, zero = backend.unit_rows(x)
    expected, expected_zero = reference.unit_rows(x)
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(zero, expected_zero)
    # The length is taken in float64; what is left is one rounding to the type of x.
    terms = x.shape[1] if x.dtype == np.float64 else 2
    close(got, expected, terms=terms, dtype=x.dtype, magnitude=np.abs(expected))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_unit_rows(backend, rng, dtype, shape):
    scale = 10.0 ** rng.integers(-3, 4, (shape[0], 1))
    compare_unit_rows(backend, (rng.normal(size=shape) * scale).astype(dtype))


def test_unit_rows_past_2_to_the_16(backend, rng):
    compare_unit_rows(backend, rng.normal(size=((1 << 16) + 3, 2)).astype(np.float32))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), wide=st.booleans())
def test_unit_rows_of_any_values(backend, data, wide):
    """Zeros, subnormals, the largest numbers, Inf and NaN, together in a row."""
    dtype = np.dtype(np.float64 if wide else np.float32)
    values = st.floats(width=8 * dtype.itemsize)
    shapes = array_shapes(min_dims=2, max_dims=2, max_side=20)
    compare_unit_rows(backend, data.draw(arrays(dtype, shapes, elements=values)))


def test_zero_rows_are_reported_and_stay(backend, dtype):
    unit, zero = backend.unit_rows(np.array([[1, 1], [0, -0.0], [0, 2]], dtype))
    assert zero.tolist() == [1]
    np.testing.assert_array_equal(unit[1], 0)


@pytest.mark.parametrize("scale", [1e-45, 1e-38, 3e38])
def test_unit_rows_at_the_ends_of_float32(backend, scale):
    x = np.array([[1, -1, 0], [1, 0, 0]], np.float32) * np.float32(scale)
    unit, zero = backend.unit_rows(x)
    assert len(zero) == 0
    np.testing.assert_allclose(unit, [[0.5**0.5, -(0.5**0.5), 0], [1, 0, 0]], rtol=1e-6)


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-200, 1e-160, 1e-139, 1e139, 1e200, 1.7e308])
def test_unit_rows_neither_overflow_nor_vanish(backend, scale):
    """Squares of 1e-160 do not vanish but have few digits left."""
    x = np.array([[1.0, -1.0, 0.0], [1.0, 0.0, 0.0]]) * scale
    unit, zero = backend.unit_rows(x)
    assert len(zero) == 0
    np.testing.assert_allclose(unit, [[0.5**0.5, -(0.5**0.5), 0], [1, 0, 0]], rtol=1e-14)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_becomes_nan(backend, dtype, value):
    x = np.ones((3, 20), dtype)
    x[1, 17] = value
    unit, zero = backend.unit_rows(x)
    assert np.isnan(unit[1]).all()
    assert np.isfinite(unit[[0, 2]]).all()
    assert len(zero) == 0


@pytest.mark.parametrize("d", DIMENSIONS)
def test_pair_cosines(backend, rng, dtype, d):
    x, y = unit(rng, 41, d, dtype), unit(rng, 9, d, dtype)
    i, j, k = (rng.integers(rows, size=1030) for rows in (41, 41, 9))
    for got, expected in (
        (backend.pair_cosines(x, i, j), reference.pair_cosines(x, i, j)),
        (backend.pair_cosines(x, i, k, y), reference.pair_cosines(x, i, k, y)),
    ):
        np.testing.assert_allclose(got, expected, rtol=0, atol=cosine_error(d, dtype))


@pytest.mark.parametrize("rows", [0, 3])
def test_pair_cosines_of_no_pairs(backend, rows):
    none = np.empty(0, np.int64)
    assert backend.pair_cosines(np.ones((rows, 3)), none, none).shape == (0,)


@pytest.mark.parametrize(
    ("j", "words"),
    [
        ([0, 3], r"j\[1\] is 3; expected 0 to 2"),
        ([-1, 0], r"j\[0\] is -1"),
        (np.array([2**64 - 1, 0], np.uint64), r"j\[0\] is 18446744073709551615"),
        ([0, 1, 2], "i has 2 rows and j 3"),
        ([0.0, 1.0], "integers"),
    ],
)
def test_pair_indices_that_cannot_be_are_refused(backend, j, words):
    with pytest.raises(InputError, match=words):
        backend.pair_cosines(np.eye(3), np.array([0, 1]), np.array(j))


@pytest.mark.parametrize(
    ("d", "k", "ranks", "basis"),
    [
        (1, 1, (0,), False),
        (3, 3, (1,), False),
        (17, 17, (0, 0), False),
        (17, 17, (3, 17), False),
        (33, 33, (0, 5, 1), True),
        (40, 13, (13, 0), True),
        (130, 130, (7, 40), True),
        (384, 31, (16, 2, 31), True),
    ],
)
@pytest.mark.parametrize("n", [0, 1, 2, 300])
def test_apply_affine(backend, rng, dtype, d, k, ranks, basis, n):
    """No basis and one, fewer features out than in, no correction, a low and a full rank."""
    maps = some_maps(rng, d, k, ranks, basis)
    x, codes = rng.normal(size=(n, d)).astype(dtype), rng.integers(-1, len(ranks), n)
    close_affine(backend.apply_affine(x, codes, maps), x, codes, maps)


def test_apply_affine_shifts_exactly(backend, rng, dtype):
    """Rows far from the origin: rounding the shift to float32 would cost what is left of them."""
    maps = some_maps(rng, 3, 3, (1,), basis=False, origin=1000)
    x, codes = (rng.normal(size=(50, 3)) + 1000).astype(dtype), np.zeros(50, int)
    close_affine(backend.apply_affine(x, codes, maps), x, codes, maps)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_apply_affine_of_any_shape(backend, data):
    n, d = data.draw(st.integers(0, 40)), data.draw(st.integers(1, 40))
    basis = data.draw(st.booleans())
    k = data.draw(st.integers(0, 40)) if basis else d
    ranks = data.draw(st.lists(st.integers(0, k), max_size=4))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    maps = some_maps(rng, d, k, ranks, basis)
    x, codes = rng.normal(size=(n, d)).astype(np.float32), rng.integers(-1, len(ranks), n)
    close_affine(backend.apply_affine(x, codes, maps), x, codes, maps)


def test_only_rows_of_no_batch_and_rows_with_nan_become_nan(backend, rng, dtype):
    x, codes = rng.normal(size=(40, 5)).astype(dtype), rng.integers(0, 2, 40)
    codes[[1, 30]], x[7, 2] = -1, np.nan
    y = backend.apply_affine(x, codes, some_maps(rng, 5, 3, (0, 2)))
    assert np.flatnonzero(np.isnan(y).all(axis=1)).tolist() == [1, 7, 30]
    assert np.isnan(y).sum() == 3 * 3


@pytest.mark.parametrize(
    ("shape", "wrong", "words"),
    [
        ((2, 6), {}, "5 features, but x has 6"),
        ((2, 5), {"basis": np.zeros((5, 4))}, "do not fit together"),
        ((2, 5), {"basis": None}, "do not fit together"),
        ((2, 5), {"scale": np.zeros((2, 3))}, "do not fit together"),
        ((2, 5), {"gains": (np.zeros(2),)}, "do not fit together"),
        ((2, 5), {"factors": ()}, "do not fit together"),
    ],
)
def test_maps_that_do_not_fit_are_refused(backend, rng, shape, wrong, words):
    maps = some_maps(rng, 5, 3, (1,))
    maps = type(maps)(**(vars(maps) | wrong))
    with pytest.raises(InputError, match=words):
        backend.apply_affine(np.ones(shape), np.zeros(2, np.int64), maps)


def test_a_batch_without_a_map_is_refused(backend, rng):
    with pytest.raises(InputError, match=r"codes\[1\] is 2; expected -1 to 1"):
        backend.apply_affine(np.ones((2, 5)), np.array([0, 2]), some_maps(rng, 5, 3, (1, 0)))


def test_rows_do_not_depend_on_threads(backend, rng, by_threads):
    x, codes = rng.normal(size=(900, 21)).astype(np.float32), rng.integers(0, 3, 900)
    maps = some_maps(rng, 21, 13, (0, 4, 13))
    i, j = rng.integers(900, size=(2, 3000))
    one, *more = by_threads(
        lambda: (
            backend.unit_rows(x)[0],
            backend.pair_cosines(x, i, j),
            backend.apply_affine(x, codes, maps),
        )
    )
    for other in more:
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
