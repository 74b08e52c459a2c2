"""The comparers can fail, and the suite fails a backend that is wrong."""

from dataclasses import replace

import numpy as np
import pytest
import test_arrays
import test_bfloat16
import test_blocks
import test_groups
import test_pairs
import test_rows
import test_twins

from helpers.cases import labelled, some_maps
from helpers.comparers import close, close_affine, close_moments, counted_below, same, same_answer
from helpers.oracle import reference
from wellgram.backends.consumers import (
    FIXED_POINT,
    Bracketed,
    CountBelow,
    NearestFound,
    Ranked,
    RowMoments,
)
from wellgram.backends.front import CheckedBackend


def test_close_refuses_an_error_past_its_bound():
    with pytest.raises(AssertionError, match="error"):
        close([1.001], [1.0], terms=10, dtype=np.float32, magnitude=1)
    close([1 + 1e-7], [1.0], terms=10, dtype=np.float32, magnitude=1)


@pytest.mark.parametrize(("got", "expected"), [(np.nan, 1), (1, np.nan), (np.inf, 1), (1, np.inf)])
def test_close_refuses_what_is_finite_on_one_side_only(got, expected):
    with pytest.raises(AssertionError):
        close([got], [expected], terms=10, dtype=np.float32, magnitude=1)


def test_close_refuses_another_shape():
    with pytest.raises(AssertionError):
        close([1.0, 1.0], [1.0], terms=1, dtype=np.float64, magnitude=1)


@pytest.mark.parametrize("wrong", [1, 4])
def test_counted_below_refuses_a_count_off_by_one(wrong):
    values = np.array([0.1, 0.2, 0.3, 0.4])
    counted_below(2, values, 0.25, 1e-6)
    counted_below(3, values, 0.3 + 1e-7, 1e-6)
    with pytest.raises(AssertionError):
        counted_below(wrong, values, 0.25, 1e-6)


def test_close_moments_refuses_a_scatter_taken_in_float32(rng):
    x, codes, groups = labelled(rng, 90, 4, np.float64, groups=3)
    right = reference.group_moments(x, codes, groups)
    close_moments(right, right, x, codes)
    rounded = [spread.astype(np.float32).astype(np.float64) for spread in right.spreads]
    with pytest.raises(AssertionError):
        close_moments(replace(right, spreads=rounded), right, x, codes)


def test_close_affine_refuses_a_part_rounded_to_float32(rng):
    x, codes, maps = rng.normal(size=(20, 6)), np.zeros(20, int), some_maps(rng, 6, 4, (2,))
    close_affine(reference.apply_affine(x, codes, maps), x, codes, maps)
    for part in ("shift", "basis", "offset", "scale"):
        rounded = getattr(maps, part).astype(np.float32).astype(np.float64)
        wrong = reference.apply_affine(x, codes, replace(maps, **{part: rounded}))
        with pytest.raises(AssertionError):
            close_affine(wrong, x, codes, maps)


def test_same_answer_allows_the_squares_of_float64_one_unit_per_partner_and_nothing_else():
    right = np.array([[3.0, 3.0], [0.5, -0.5], [0.25, 0.25]])
    sums, squares = right.copy(), right.copy()
    sums[1, 0] += 1 / FIXED_POINT
    squares[2, 0] += 3 / FIXED_POINT
    same_answer(RowMoments(), squares, right, np.float64)
    for wrong, dtype in [(sums, np.float64), (squares, np.float32), (squares + 1e-9, np.float64)]:
        with pytest.raises(AssertionError):
            same_answer(RowMoments(), wrong, right, dtype)


def test_same_refuses_another_answer_however_deep():
    kept = Bracketed(1, 2, np.array([0.1, 0.2]))
    ranked = Ranked(np.array([1]), np.array([2]), [kept])
    same(Ranked(np.array([1]), np.array([2]), [replace(kept, values=kept.values[::-1])]), ranked)
    for wrong in (
        replace(ranked, brackets=[]),
        replace(ranked, up_to=np.array([3])),
        replace(ranked, brackets=[replace(kept, below=0)]),
        replace(ranked, brackets=[replace(kept, values=np.array([0.1, 0.3]))]),
    ):
        with pytest.raises((AssertionError, ValueError)):
            same(wrong, ranked)


# Backends that are the reference but for one mistake, and the test that must find it.


def drop_last_row(x, codes, groups):
    return reference.group_sums(x[:-1], codes[:-1], groups)


def sum_in_float32(x, codes, groups):
    sums, counts = reference.group_sums(x, codes, groups)
    return sums.astype(np.float32).astype(np.float64), counts


def scatter_about_zero(x, codes, groups, spread="smaller"):
    moments = reference.group_moments(x, codes, groups, spread)
    for g, n in enumerate(moments.counts):
        if spread == "smaller" and n >= x.shape[1]:
            moments.spreads[g] += n * np.outer(moments.means[g], moments.means[g])
    return moments


def moments_in_one_pass(x, codes, groups, spread="smaller"):
    """Sum of squares less the squared sum, in float64."""
    moments = reference.group_moments(x, codes, groups, spread)
    for g, n in enumerate(moments.counts):
        if spread == "smaller" and n >= x.shape[1]:
            rows = x[codes == g].astype(np.float64)
            sums = rows.sum(axis=0)
            moments.spreads[g][:] = rows.T @ rows - np.outer(sums, sums) / n
    return moments


def variances_of_the_last_row_less(x, codes, groups, spread="smaller"):
    moments = reference.group_moments(x, codes, groups, spread)
    if spread == "variances":
        fewer = reference.group_moments(x[:-1], codes[:-1], groups, spread)
        moments = replace(moments, spreads=fewer.spreads)
    return moments


def rows_in_another_order(x, codes, groups, spread="smaller"):
    moments = reference.group_moments(x, codes, groups, spread)
    return replace(moments, spreads=[spread[::-1] for spread in moments.spreads])


def lower_median(x, codes, groups):
    members = (np.sort(x[codes == g], axis=0) for g in range(groups))
    none = np.full(x.shape[1], np.nan)
    return np.array([rows[(len(rows) - 1) // 2] if len(rows) else none for rows in members])


def without_correction(x, codes, maps):
    return reference.apply_affine(x, codes, replace(maps, gains=tuple(g * 0 for g in maps.gains)))


def with_a_narrow_shift(x, codes, maps):
    narrow = maps.shift.astype(np.float32).astype(np.float64)
    return reference.apply_affine(x, codes, replace(maps, shift=narrow))


def zero_for_no_batch(x, codes, maps):
    return np.nan_to_num(reference.apply_affine(x, codes, maps))


def scaled_to_largest(x):
    return x / np.abs(x).max(axis=1, keepdims=True, initial=1e-30), np.empty(0, np.int64)


def without_care_for_range(x):
    with np.errstate(all="ignore"):
        return x / np.sqrt(np.square(x).sum(axis=1, keepdims=True)), np.empty(0, np.int64)


def cosines_in_float16(x, i, j, y=None):
    return reference.pair_cosines(x, i, j, y).astype(np.float16)


def with_the_diagonal(x, consumers, y=None, progress=None):
    found = reference.scan_pairs(x, consumers, y, progress)
    return found if y is not None else [f + len(x) for f in found]


def every_pair_twice(x, consumers, y=None, progress=None):
    return [2 * f for f in reference.scan_pairs(x, consumers, y, progress)]


def without_the_last_column(x, consumers, y=None, progress=None):
    return reference.scan_pairs(x, consumers, None if y is None else y[:-1], progress)


def at_or_below(x, consumers, y=None, progress=None):
    loose = [
        CountBelow(tuple(np.nextafter(t, 9) for t in c.thresholds))
        if isinstance(c, CountBelow)
        else c
        for c in consumers
    ]
    return reference.scan_pairs(x, loose, y, progress)


def larger_indices_among_equals(x, consumers, y=None, progress=None):
    assert y is None
    found = reference.scan_pairs(x[::-1], consumers)
    last = len(x) - 1
    return [
        NearestFound(
            last - f.nearest[::-1], f.nearest_cosines, last - f.farthest[::-1], f.farthest_cosines
        )
        for f in found
    ]


def ranks_below_only(x, consumers, y=None, progress=None):
    found = reference.scan_pairs(x, consumers, y, progress)
    return [replace(f, up_to=f.below) for f in found]


def only_the_upper_triangle(x, consumers, y=None, progress=None):
    (out,) = reference.scan_pairs(x, consumers, y, progress)
    if y is None:
        out[np.tril_indices(len(out), k=-1)] = 7
    return [out]


def half_of_each_pair(x, consumers, y=None, progress=None):
    return [f / 2 for f in reference.scan_pairs(x, consumers, y, progress)]


class Misplaced:
    """A pass that forgets where a block of columns lies."""

    def __init__(self, scan):
        self.states, self._add = scan.states, scan.add

    def add(self, x, y, row, column):
        self._add(x, y, row, 0)


def misplaced_blocks(consumers, extent, dtype, **options):
    return Misplaced(reference.pair_scan(consumers, extent, dtype, **options))


def not_rounded(x, i, j, y=None, *, bfloat16=False):
    return reference.pair_cosines(x, i, j, y)


def cut_off(x, i, j, y=None, *, bfloat16=False):
    """Rounds towards zero: takes the upper halves as they are."""
    upper = (np.asarray(x).view(np.uint32) & 0xFFFF0000).view(np.float32)
    return reference.pair_cosines(upper if bfloat16 else x, i, j, y, bfloat16=bfloat16)


def as_it_lies_in_memory(x):
    """Takes any array for a contiguous one in native byte order."""
    raw = np.lib.stride_tricks.as_strided(x, strides=(x.shape[1] * x.itemsize, x.itemsize))
    return reference.unit_rows(raw)


F32, F64 = np.float32, np.float64
MUTANTS = [
    ("group_sums", drop_last_row, test_groups.test_sums, {"dtype": F32, "shape": (33, 17)}),
    ("group_sums", sum_in_float32, test_groups.test_sums, {"dtype": F64, "shape": (33, 17)}),
    (
        "group_moments",
        scatter_about_zero,
        test_groups.test_moments,
        {"dtype": F32, "shape": (257, 3), "origin": 3},
    ),
    (
        "group_moments",
        moments_in_one_pass,
        test_groups.test_moments,
        {"dtype": F32, "shape": (257, 3), "origin": 1e5},
    ),
    (
        "group_moments",
        variances_of_the_last_row_less,
        test_groups.test_moments,
        {"dtype": F64, "shape": (257, 3), "origin": 3},
    ),
    (
        "group_moments",
        rows_in_another_order,
        test_groups.test_moments,
        {"dtype": F32, "shape": (150, 384), "origin": 3},
    ),
    ("group_medians", lower_median, test_groups.test_medians, {"dtype": F32, "shape": (331, 33)}),
    (
        "apply_affine",
        without_correction,
        test_rows.test_apply_affine,
        {"dtype": F32, "d": 130, "k": 130, "ranks": (7, 40), "basis": True, "n": 300},
    ),
    (
        "apply_affine",
        with_a_narrow_shift,
        test_rows.test_apply_affine_shifts_exactly,
        {"dtype": F32},
    ),
    (
        "apply_affine",
        zero_for_no_batch,
        test_rows.test_only_rows_of_no_batch_and_rows_with_nan_become_nan,
        {"dtype": F32},
    ),
    ("unit_rows", scaled_to_largest, test_rows.test_unit_rows, {"dtype": F32, "shape": (7, 16)}),
    (
        "unit_rows",
        without_care_for_range,
        test_rows.test_unit_rows_neither_overflow_nor_vanish,
        {"scale": 1e200},
    ),
    (
        "unit_rows",
        as_it_lies_in_memory,
        test_arrays.test_any_form_of_array_gives_the_same,
        {"dtype": F32, "make": test_arrays.FORMS["every_other_row"], "name": "unit_rows"},
    ),
    ("pair_cosines", cosines_in_float16, test_rows.test_pair_cosines, {"dtype": F32, "d": 33}),
    (
        "pair_cosines",
        cosines_in_float16,
        test_pairs.test_a_pass_meets_the_very_values_of_pair_cosines,
        {"dtype": F64, "d": 17},
    ),
    ("scan_pairs", with_the_diagonal, test_pairs.test_counts, {"dtype": F32, "shape": (7, 16)}),
    ("scan_pairs", every_pair_twice, test_pairs.test_counts, {"dtype": F32, "shape": (7, 16)}),
    (
        "scan_pairs",
        without_the_last_column,
        test_pairs.test_counts_of_rows_against_others,
        {"dtype": F32, "sizes": (40, 7, 5)},
    ),
    ("scan_pairs", at_or_below, test_twins.test_equal_and_opposite_rows, {"dtype": F32}),
    (
        "scan_pairs",
        larger_indices_among_equals,
        test_twins.test_nearest_among_equals_are_those_of_smaller_index,
        {"dtype": F32, "kind": "two directions", "others": None},
    ),
    (
        "scan_pairs",
        ranks_below_only,
        test_twins.test_ranks_of_tens_of_thousands_of_values,
        {"dtype": F32, "spread": 1e-2, "count": 300},
    ),
    (
        "scan_pairs",
        only_the_upper_triangle,
        test_twins.test_the_matrix,
        {"dtype": F32, "sizes": (150, None), "wider": 0},
    ),
    (
        "scan_pairs",
        half_of_each_pair,
        test_twins.test_moments_of_rows,
        {"dtype": F32, "sizes": (40, 130)},
    ),
    (
        "pair_scan",
        misplaced_blocks,
        test_blocks.test_a_pass_in_blocks,
        {"dtype": F32, "sizes": (170, 90)},
    ),
    *(
        (
            "pair_cosines",
            wrong,
            test_bfloat16.test_rows_are_rounded_to_the_nearest_and_ties_to_even,
            {},
        )
        for wrong in (not_rounded, cut_off)
    ),
]


@pytest.mark.parametrize(
    ("primitive", "wrong", "test", "arguments"),
    MUTANTS,
    ids=[f"{primitive}-{wrong.__name__}" for primitive, wrong, *_ in MUTANTS],
)
def test_the_suite_finds_a_mistake(rng, primitive, wrong, test, arguments):
    wants_rng = "rng" in test.__code__.co_varnames[: test.__code__.co_argcount]
    arguments = arguments | ({"rng": rng} if wants_rng else {})
    test(reference, **arguments)  # it is the mistake that is found, not the test that is wrong
    mutant = CheckedBackend(reference.kernels)
    setattr(mutant, primitive, wrong)
    with pytest.raises(AssertionError):
        test(mutant, **arguments)
