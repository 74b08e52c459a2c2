"""unit_rows, pair_cosines, apply_affine, and what any array may look like."""

import numpy as np
import pytest
from comparers import close, cosine_error

from wellgram import InputError
from wellgram.backends import reference
from wellgram.backends.protocol import AffineMaps

DIMENSIONS = [1, 3, 15, 16, 17, 31, 33, 384]


@pytest.mark.parametrize("d", DIMENSIONS)
def test_unit_rows(backend, rng, dtype, d):
    x = (rng.normal(size=(67, d)) * 10.0 ** rng.integers(-3, 4, (67, 1))).astype(dtype)
    unit, zero = backend.unit_rows(x)
    expected, _ = reference.unit_rows(x)
    assert unit.dtype == dtype
    assert len(zero) == 0
    # The length is taken in float64; what is left is one rounding to dtype.
    close(
        unit,
        expected,
        terms=d if dtype == np.float64 else 2,
        dtype=dtype,
        magnitude=np.abs(expected),
    )


def test_unit_rows_past_2_to_the_16(backend, rng):
    x = rng.normal(size=((1 << 16) + 3, 2)).astype(np.float32)
    unit, _ = backend.unit_rows(x)
    np.testing.assert_allclose(np.linalg.norm(unit.astype(np.float64), axis=1), 1, rtol=1e-6)


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


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-200, 1e200, 1.7e308])
def test_unit_rows_neither_overflow_nor_vanish(backend, scale):
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
    unit, _ = backend.unit_rows(rng.normal(size=(41, d)).astype(dtype))
    other, _ = backend.unit_rows(rng.normal(size=(9, d)).astype(dtype))
    i, j = rng.integers(41, size=1030), rng.integers(41, size=1030)
    k = rng.integers(9, size=1030)
    for got, expected in (
        (backend.pair_cosines(unit, i, j), reference.pair_cosines(unit, i, j)),
        (backend.pair_cosines(unit, i, k, other), reference.pair_cosines(unit, i, k, other)),
    ):
        np.testing.assert_allclose(got, expected, rtol=0, atol=cosine_error(d, dtype))


def test_pair_cosines_of_no_pairs(backend):
    none = np.empty(0, np.int64)
    assert backend.pair_cosines(np.eye(3), none, none).shape == (0,)


def test_pair_indices_out_of_range_are_refused(backend):
    with pytest.raises(InputError, match=r"j\[1\] is 3; expected 0 to 2"):
        backend.pair_cosines(np.eye(3), np.array([0, 1]), np.array([0, 3]))


def some_maps(rng, d, k, ranks, basis=True):
    b = len(ranks)
    return AffineMaps(
        shift=rng.normal(size=d),
        basis=rng.normal(size=(d, k)) if basis else None,
        offset=rng.normal(size=(b, k)),
        scale=rng.uniform(0.5, 2, (b, k)),
        factors=tuple(rng.normal(size=(k, r)) for r in ranks),
        gains=tuple(rng.normal(size=r) for r in ranks),
    )


@pytest.mark.parametrize(
    ("d", "k", "ranks", "basis"),
    [
        (1, 1, (0,), False),
        (17, 17, (0, 0), False),
        (17, 17, (3, 17), False),
        (33, 33, (0, 5, 1), True),
        (40, 13, (13, 0), True),
        (130, 130, (7, 40), True),
    ],
)
@pytest.mark.parametrize("n", [0, 1, 300])
def test_apply_affine(backend, rng, dtype, d, k, ranks, basis, n):
    maps = some_maps(rng, d, k, ranks, basis)
    x, codes = rng.normal(size=(n, d)).astype(dtype), rng.integers(0, len(ranks), n)
    got = backend.apply_affine(x, codes, maps)
    assert got.dtype == dtype
    expected = reference.apply_affine(x.astype(np.float64), codes, maps)
    # Three products in a row: each multiplies what was rounded before by at most its own norm.
    size = np.abs(x.astype(np.float64) - maps.shift).sum(axis=1).max(initial=0)
    size = (size * (np.abs(maps.basis).max() if basis else 1) + 4) * max(
        1 + np.abs(f).sum() * (np.abs(f) * np.abs(g)).max(initial=0)
        for f, g in zip(maps.factors, maps.gains, strict=True)
    )
    close(got, expected, terms=d + k + max(ranks), dtype=dtype, magnitude=2 * size)


def test_a_row_of_no_batch_becomes_nan(backend, rng, dtype):
    x = rng.normal(size=(4, 5)).astype(dtype)
    y = backend.apply_affine(x, np.array([0, -1, 1, -1]), some_maps(rng, 5, 3, (0, 2)))
    np.testing.assert_array_equal(np.isnan(y).any(axis=1), [False, True, False, True])


def test_maps_of_another_width_are_refused(backend, rng):
    with pytest.raises(InputError, match="5 features, but x has 6"):
        backend.apply_affine(np.ones((2, 6)), np.zeros(2, np.int64), some_maps(rng, 5, 5, (0,)))


def forms(x):
    """The same rows as arrays may come: strided, Fortran, read-only, misaligned, byte-swapped."""
    n, d = x.shape
    wide = np.zeros((2 * n, 3 * d), x.dtype)
    wide[::2, ::3] = x
    rows = np.zeros((2 * n, d), x.dtype)
    rows[::2] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    raw = np.zeros(x.nbytes + 1, np.uint8)
    misaligned = raw[1:].view(x.dtype).reshape(x.shape)
    misaligned[:] = x
    return {
        "strided": wide[::2, ::3],
        "every other row": rows[::2],
        "reversed": x[::-1].copy()[::-1],
        "Fortran": np.asfortranarray(x),
        "read-only": frozen,
        "misaligned": misaligned,
        "byte-swapped": x.astype(x.dtype.newbyteorder()),
    }


@pytest.mark.parametrize("form", forms(np.ones((2, 2))))
def test_any_form_of_array_gives_the_same(backend, rng, dtype, form):
    x = rng.normal(size=(50, 19)).astype(dtype)
    other = forms(x)[form]
    codes = rng.integers(0, 3, 50)
    np.testing.assert_array_equal(backend.unit_rows(other)[0], backend.unit_rows(x)[0])
    np.testing.assert_array_equal(
        backend.group_sums(other, codes, 3)[0], backend.group_sums(x, codes, 3)[0]
    )
    np.testing.assert_array_equal(
        backend.group_medians(other, codes, 3), backend.group_medians(x, codes, 3)
    )
    i, j = np.triu_indices(50, k=1)
    np.testing.assert_array_equal(backend.pair_cosines(other, i, j), backend.pair_cosines(x, i, j))


def test_half_precision_is_widened(backend, rng):
    x = rng.normal(size=(9, 4)).astype(np.float16)
    unit, _ = backend.unit_rows(x)
    assert unit.dtype == np.float32
    np.testing.assert_array_equal(unit, backend.unit_rows(x.astype(np.float32))[0])


@pytest.mark.parametrize("x", [np.ones((2, 2), int), np.ones((2, 2), complex), np.array([["a"]])])
def test_other_types_are_refused_by_name(backend, x):
    with pytest.raises(InputError, match=f"{x.dtype}"):
        backend.unit_rows(x)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), ()])
def test_other_ranks_are_refused_by_shape(backend, shape):
    with pytest.raises(InputError, match="matrix"):
        backend.unit_rows(np.ones(shape))
