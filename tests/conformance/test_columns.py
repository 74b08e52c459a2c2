"""rows_of_columns, row_faults, and sums that go on from others, against the reference."""

import numpy as np
import pytest

from helpers.cases import SHAPES, labelled
from helpers.comparers import close
from helpers.oracle import reference
from wellgram import InputError


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_of_columns(backend, rng, dtype, shape):
    x = rng.normal(size=shape).astype(dtype)
    rows = backend.rows_of_columns(list(x.T))
    assert rows.dtype == dtype
    assert rows.flags.c_contiguous
    np.testing.assert_array_equal(rows, x)


def test_columns_that_lie_anywhere(backend, rng):
    wide = rng.normal(size=(3, 2 * 97)).astype(np.float32)
    columns = [wide[0, ::2], wide[1, :97], wide[2, 96::-1]]
    np.testing.assert_array_equal(
        backend.rows_of_columns(columns), reference.rows_of_columns(columns)
    )


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["f2", "f4"], "f4"),
        (["f2", "f2"], "f4"),
        (["f4", "f8"], "f8"),
        (["f4", "i4"], "f8"),
        (["u1", "f2"], "f8"),
        (["f4", ">f4"], "f4"),
    ],
)
def test_columns_of_several_types(backend, kinds, expected):
    columns = [np.arange(40).astype(kind) for kind in kinds]
    rows = backend.rows_of_columns(columns)
    assert rows.dtype == expected
    np.testing.assert_array_equal(rows, np.arange(40)[:, None].repeat(2, axis=1))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ([], "no columns"),
        ([np.zeros(3), np.zeros(4)], "column 1"),
        ([np.zeros((2, 2))], "column 0"),
        ([np.array(["a"])], "column 0 has dtype"),
    ],
)
def test_columns_that_make_no_rows(backend, columns, words):
    with pytest.raises(InputError, match=words):
        backend.rows_of_columns(columns)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_faults(backend, rng, dtype, shape):
    """A NaN, an Inf or a zero anywhere; zeros of either sign; the least and the largest number."""
    x = rng.normal(size=shape).astype(dtype)
    facts = np.finfo(dtype)
    for row, value in enumerate([np.nan, -np.nan, np.inf, -np.inf, facts.max, -facts.max]):
        if row < len(x):
            x[row, rng.integers(shape[1])] = value
    for row, value in enumerate([0.0, -0.0, facts.smallest_subnormal, -facts.tiny], start=6):
        if row < len(x):
            x[row] = 0
            x[row, rng.integers(shape[1])] = value
    not_finite, zero = backend.row_faults(x)
    expected = [k < min(4, len(x)) for k in range(len(x))]
    np.testing.assert_array_equal(not_finite, expected)
    np.testing.assert_array_equal(zero, [k in (6, 7) for k in range(len(x))])


def test_faults_of_rows_apart(backend, rng):
    x = rng.normal(size=(60, 9)).astype(np.float32)
    x[3, 8] = np.nan  # beyond the columns looked at
    x[10, :8] = 0
    not_finite, zero = backend.row_faults(x[::2, :8])
    assert not not_finite.any()
    assert np.flatnonzero(zero).tolist() == [5]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_go_on_from_others(backend, rng, dtype, shape):
    x, codes, groups = labelled(rng, *shape, dtype)
    start = rng.normal(size=(groups, shape[1]))
    sums, counts = backend.group_sums(x, codes, groups, given := start.copy())
    assert sums is given
    expected, expected_counts = reference.group_sums(x, codes, groups, start.copy())
    np.testing.assert_array_equal(counts, expected_counts)
    magnitude, _ = reference.group_sums(np.abs(x), codes, groups, np.abs(start))
    close(sums, expected, terms=len(x) + 1, dtype=np.float64, magnitude=magnitude)


def test_sums_in_row_order_do_not_depend_on_the_cut(backend, rng):
    """Of groups of fewer rows than a chunk, to the bit."""
    x, codes, groups = labelled(rng, 700, 33, np.float32)
    whole, _ = backend.group_sums(x, codes, groups)
    cut = np.zeros_like(whole)
    for part in np.split(np.arange(700), [1, 90, 91, 400]):
        backend.group_sums(x[part], codes[part], groups, cut)
    if backend is reference:  # NumPy adds a group's rows in an order of its own
        np.testing.assert_allclose(cut, whole, rtol=1e-14)
    else:
        np.testing.assert_array_equal(cut, whole)


@pytest.mark.parametrize("out", [np.zeros((5, 3)), np.zeros((6, 3), "f4"), np.zeros((3, 6)).T])
def test_sums_refuse_what_they_cannot_be_added_to(backend, rng, out):
    x, codes, groups = labelled(rng, 20, 3, np.float32)
    with pytest.raises(InputError, match="out must be"):
        backend.group_sums(x, codes, groups, out)
