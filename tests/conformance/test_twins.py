"""Consumers on every backend decide as their definitions in NumPy do, to the last pair.

No tolerance, but for one last bit (`same_answer`): `pair_cosines` gives the very values of the
pass, and the definition absorbs those.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.cases import SIZES, extent_of, met, unit, x_and_y
from helpers.comparers import as_defined, same, same_answer
from helpers.oracle import reference
from wellgram import InputError
from wellgram.backends.consumers import (
    FIXED_POINT,
    Bracket,
    Bracketed,
    CountBelow,
    Extent,
    Histogram,
    Matrix,
    Nearest,
    Ranked,
    Ranks,
    RowMoments,
    WithinGroups,
)


def compare(backend, consumers, x, y=None):
    """Each consumer finds on a backend what its definition finds of the same cosines."""
    pairs, extent = met(backend, x, y), extent_of(x, y)
    for consumer, got in zip(consumers, backend.scan_pairs(x, consumers, y), strict=True):
        same_answer(consumer, got, as_defined(consumer, pairs, extent), x.dtype)


@st.composite
def consumers_around(draw, cosines):
    """Consumers whose bounds lie on cosines, next to them in either type, or anywhere."""
    near = [0.0, -0.0, 1e300, -1e300, np.inf, -np.inf]
    for cosine in cosines[np.isfinite(cosines)][:20].astype(np.float64):
        narrow = np.float32(cosine)
        near += [np.nextafter(cosine, side) for side in (-9, cosine, 9)]
        near += [float(np.nextafter(narrow, np.float32(side))) for side in (-9, 9)]
    bound = st.sampled_from(near) | st.floats(-1.5, 1.5)
    low, high = sorted(draw(st.tuples(bound, bound)))
    edges = draw(st.tuples(st.floats(-2, 0), st.floats(0.25, 2)))
    return [
        CountBelow(tuple(draw(st.lists(bound, max_size=5)))),
        Bracket(low, high, 1 << 20),
        Histogram(*edges, bins=draw(st.integers(1, 100))),
        Ranks(
            np.array(draw(st.lists(bound, max_size=40)), np.float64),
            tuple(tuple(sorted(draw(st.tuples(bound, bound)))) for _ in range(2)),
            1 << 20,
        ),
        Nearest(draw(st.integers(0, 9)), draw(st.integers(1, 9))),
    ]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), wide=st.booleans())
def test_consumers_of_any_bounds_on_any_rows(backend, data, wide):
    """Small integers give ties, zero rows and rows of NaN (from Inf) among the unit rows."""
    values = st.integers(-3, 3).map(float) | st.just(np.inf)
    shape = st.tuples(st.integers(0, 40), st.integers(1, 5))
    rows = data.draw(arrays(np.float64 if wide else np.float32, shape, elements=values))
    x, _ = reference.unit_rows(rows)
    y = x[: data.draw(st.integers(0, len(x)))] if data.draw(st.booleans()) else None
    compare(backend, data.draw(consumers_around(met(backend, x, y).cosines)), x, y)


def test_equal_and_opposite_rows(backend, dtype):
    """Cosines of exactly 1 and -1: strict below, within inclusive, ends of the histogram."""
    x = np.array([[1, 0], [1, 0], [-1, 0], [0, 1]], dtype)
    consumers = [CountBelow((-1, 0, 1)), Bracket(0, 1, 100), Histogram(bins=2)]
    below, kept, bins = backend.scan_pairs(x, consumers)
    assert below.tolist() == [0, 2, 5]
    assert (kept.below, kept.within, sorted(kept.values.tolist())) == (2, 4, [0, 0, 0, 1])
    assert bins.tolist() == [2, 4]


def test_thresholds_compare_as_float64(backend):
    """A threshold between two floats of a narrower type is not rounded onto one of them."""
    x = np.array([[1, 0], [0.6, 0.8]], np.float32)
    cosine = float(np.float32(0.6))
    consumers = [CountBelow((cosine, np.nextafter(cosine, 1))), Bracket(cosine - 1e-12, cosine, 9)]
    below, kept = backend.scan_pairs(x, consumers)
    assert below.tolist() == [0, 1]
    assert kept.within == 1
    (empty,) = backend.scan_pairs(x, [Bracket(cosine + 1e-12, cosine + 2e-12, 9)])
    assert (empty.below, empty.within) == (1, 0)


def test_a_cosine_of_nan_is_below_nothing_and_in_the_first_bin(backend, dtype):
    x = np.array([[np.nan, 0], [1, 0], [1, 0]], dtype)
    consumers = [CountBelow((np.inf,)), Bracket(-np.inf, np.inf, 9), Histogram(bins=3)]
    below, kept, bins = backend.scan_pairs(x, consumers)
    assert below.tolist() == [1]
    assert (kept.below, kept.within, kept.values.tolist()) == (0, 1, [1])
    assert bins.tolist() == [2, 0, 1]


@pytest.mark.parametrize("capacity", [0, 10])
def test_a_bracket_counts_past_its_capacity(backend, rng, capacity):
    x, _ = reference.unit_rows(rng.normal(size=(100, 3)).astype(np.float32))
    (kept,) = backend.scan_pairs(x, [Bracket(-2, 2, capacity)])
    assert kept.within == 4950
    assert not kept.complete
    assert capacity <= len(kept.values) < 4950
    assert np.isin(kept.values, met(backend, x).cosines).all()


def test_several_consumers_of_a_kind_in_one_pass(backend, rng):
    x, _ = reference.unit_rows(rng.normal(size=(60, 3)))
    consumers = [CountBelow((t,)) for t in (0.3, -0.3)] + [CountBelow(())]
    high, low, nothing = backend.scan_pairs(x, consumers)
    (both,) = backend.scan_pairs(x, [CountBelow((0.3, -0.3))])
    assert [*high, *low] == both.tolist()
    assert nothing.shape == (0,)


@pytest.mark.parametrize("bounds", [(0.5, -0.5, 9), (np.nan, 0.5, 9), (0, np.nan, 9), (0, 1, -1)])
def test_a_bracket_that_holds_nothing_is_refused(bounds):
    with pytest.raises(InputError, match="low <= high"):
        Bracket(*bounds)


@pytest.mark.parametrize("bounds", [(-np.inf, 1), (0, np.inf), (np.nan, 1)])
def test_a_histogram_without_ends_is_refused(bounds):
    with pytest.raises(InputError, match="finite"):
        Histogram(*bounds)


def test_a_cosine_of_nan_is_no_neighbor_and_has_no_rank(backend, dtype):
    x = np.array([[np.nan, 0], [1, 0], [1, 0]], dtype)
    found, ranked = backend.scan_pairs(x, [Nearest(2, 1), Ranks(np.array([1.0, np.inf]))])
    assert found.nearest.tolist() == [[-1, -1], [2, -1], [1, -1]]
    assert found.farthest.tolist() == [[-1], [2], [1]]
    np.testing.assert_array_equal(found.nearest_cosines, [[np.nan] * 2, [1, np.nan], [1, np.nan]])
    np.testing.assert_array_equal(found.farthest_cosines, [[np.nan], [1], [1]])
    assert ranked.below.tolist() == [0, 1]
    assert ranked.up_to.tolist() == [1, 1]
    # Values past any cosine, so many that they share a place with NaN and fill it.
    (past,) = backend.scan_pairs(x, [Ranks(np.arange(3.0, 40.0), ((2.0, 50.0),), 9)])
    assert set(past.below) == set(past.up_to) == {1}
    assert past.brackets[0].within == 0


def rows_of_kind(rng, kind, dtype):
    x = {
        "equal": np.ones((90, 2)),
        "two directions": rng.choice([-1.0, 1.0], size=(90, 1)),
        "repeated": np.repeat(rng.normal(size=(9, 3)), 10, axis=0),
        "zero": np.zeros((90, 3)),
    }[kind]
    return reference.unit_rows(x.astype(dtype))[0]


@pytest.mark.parametrize("kind", ["equal", "two directions", "repeated", "zero"])
@pytest.mark.parametrize("others", [None, 41])
def test_nearest_among_equals_are_those_of_smaller_index(backend, rng, dtype, kind, others):
    x = rows_of_kind(rng, kind, dtype)
    y = None if others is None else x[rng.permutation(len(x))[:others]]
    compare(backend, [Nearest(12, 12)], x, y)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("sides", [(7, 3), (5, 0), (0, 5), (400, 400)], ids=str)
def test_nearest(backend, rng, dtype, sizes, sides):
    """Many, few, of one side only, and more than there are."""
    compare(backend, [Nearest(*sides)], *x_and_y(rng, *sizes, 5, dtype))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("count", [0, 1, 5, 3000])
def test_ranks(backend, rng, dtype, sizes, count):
    """Values are cosines of the pass, their neighbors, repeats, and what no cosine is."""
    x, y = x_and_y(rng, *sizes, 6, dtype)
    cosines = met(backend, x, y).cosines.astype(np.float64)
    some = rng.choice(cosines, count) if len(cosines) else np.zeros(count)
    values = np.concatenate([some, np.nextafter(some, 2), some[:3], rng.uniform(-2, 2, count)])
    compare(backend, [Ranks(values)], x, y)
    brackets = ((-0.3, -0.1), (0.0, 0.0), (-0.2, 0.4), (-np.inf, -0.5), (3.0, 4.0))
    compare(backend, [Ranks(values, brackets, 1 << 20)], x, y)


@pytest.mark.parametrize("d", [384, 1500])
def test_ranks_beside_long_products(backend, rng, dtype, d):
    """So many features that a cosine is ranked only every few steps of the next product."""
    x, _ = x_and_y(rng, 90, None, d, dtype)
    values = rng.choice(met(backend, x).cosines, 500).astype(np.float64)
    compare(backend, [Ranks(values, ((-0.02, 0.01),), 1 << 20), Nearest(3, 3)], x)


def ranks_by_sorting(values, brackets, cosines):
    """Without the definition: in sorted cosines, ranks are places."""
    ascending = np.sort(cosines.astype(np.float64))
    below, up_to = (np.searchsorted(ascending, values, side) for side in ("left", "right"))
    found = []
    for low, high in brackets:
        first = int(np.searchsorted(ascending, low, "left"))
        last = int(np.searchsorted(ascending, high, "right"))
        found.append(Bracketed(first, last - first, ascending[first:last]))
    return Ranked(below, up_to, found)


@pytest.mark.parametrize("spread", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize("count", [300, 30_000])
def test_ranks_of_tens_of_thousands_of_values(backend, rng, dtype, spread, count):
    """Rows around one direction: their cosines, and the values, crowd into a small part of [-1, 1].

    With a spread of 1e-4 thousands of values share the place of a few, and hundreds one cosine of
    float32.
    """
    base = rng.normal(size=4)
    x = reference.unit_rows((base + spread * rng.normal(size=(300, 4))).astype(dtype))[0]
    cosines = met(backend, x).cosines.astype(np.float64)
    some = rng.choice(cosines, count)
    values = np.concatenate([some, np.nextafter(some[:99], 2), [-1.0, 0.0, 1.0, np.inf, -np.inf]])
    low, high = np.quantile(cosines, [0.4, 0.6])
    brackets = [(low, high), (np.nextafter(low, -9), np.nextafter(high, 9)), (cosines[7],) * 2]
    (got,) = backend.scan_pairs(x, [Ranks(values, tuple(brackets), 1 << 20)])
    same(got, ranks_by_sorting(values, brackets, cosines))


def test_ranks_of_cosines_that_recur(backend, rng, dtype):
    """A few cosines, tens of thousands of times each: at a value, near one, kept and not.

    More than any short counter holds.
    """
    copies = np.repeat(rng.normal(size=(3, 8)), [300, 270, 40], 0)
    x = reference.unit_rows(np.r_[copies, rng.normal(size=(20, 8))].astype(dtype))[0]
    cosines = met(backend, x).cosines.astype(np.float64)
    common, rarer = cosines.max(), np.median(cosines)
    for values in (
        [common],
        [rarer],
        [rarer - 1e-3, rarer + 1e-3],
        [-0.99, common + 1e-3],
        cosines[::99],
    ):
        for brackets in ((), ((rarer - 1e-2, rarer + 1e-2),), ((-2.0, 2.0),)):
            (got,) = backend.scan_pairs(x, [Ranks(np.array(values), brackets, 1 << 20)])
            same(got, ranks_by_sorting(np.array(values), brackets, cosines))


@pytest.mark.parametrize("n", [200, 30])
def test_several_ranks_in_one_pass(backend, rng, dtype, n):
    """One of them is done beside the next product, the others are not; each keeps its own."""
    x, _ = x_and_y(rng, n, None, 4, dtype)
    consumers = [
        Ranks(rng.uniform(-1, 1, size), brackets, 1 << 20)
        for size, brackets in [(400, ((-0.1, 0.1),)), (9, ()), (0, ((-2, 2), (0.9, 1))), (0, ())]
    ]
    compare(backend, consumers, x)


def test_ranks_of_more_cosines_than_a_short_counter_holds(cpu, monkeypatch):
    """Short counters are emptied after 2^31 / 384 tiles of one thread, full or not.

    Those of the plainest instruction set hold 48 float64 at most: 2^28 pairs. What is to be kept
    must be kept after that too; the last rows are met throughout the pass.
    """
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "1")
    cpu.kernels.use_instruction_set(cpu.kernels.instruction_sets()[-1])
    n, negative = 24_000, 3
    x = np.ones((n, 1))
    x[-negative:] = -1
    unequal, pairs = negative * (n - negative), n * (n - 1) // 2
    assert pairs > 1 << 28
    (ranked,) = cpu.scan_pairs(x, [Ranks(np.array([-1.0, 0.0, 1.0]), ((-2.0, -0.5),), 1 << 20)])
    assert ranked.below.tolist() == [0, unequal, unequal]
    assert ranked.up_to.tolist() == [unequal, unequal, pairs]
    (kept,) = ranked.brackets
    assert (kept.below, kept.within, set(kept.values)) == (0, unequal, {-1})
    assert kept.complete


@pytest.mark.parametrize("count", [0, 2000])
def test_brackets_beside_ranks_answer_as_brackets_do(backend, rng, dtype, count):
    """On cosines and next to them, nested, equal, empty, overlapping, without ends."""
    x, _ = x_and_y(rng, 150, None, 4, dtype)
    cosines = met(backend, x).cosines.astype(np.float64)
    a, b, c, d = np.sort(rng.choice(cosines, 4, replace=False)).tolist()
    past_b, past_c = np.nextafter(b, 2), np.nextafter(c, -2)
    bounds = [(a, d), (b, c), (b, c), (a, c), (b, d), (b, b), (past_b, past_c), (b, past_b)]
    bounds += [(past_b, np.nextafter(past_b, 2)), (-np.inf, a), (d, np.inf), (-np.inf, np.inf)]
    bounds += [(2.0, 3.0), (-3.0, -2.0)]
    ranks = Ranks(rng.choice(cosines, count), tuple(bounds), 1 << 20)
    brackets = [Bracket(low, high, 1 << 20) for low, high in bounds]
    ranked, *bracketed = backend.scan_pairs(x, [ranks, *brackets])
    same(ranked.brackets, bracketed)
    assert all(found.complete for found in ranked.brackets)


@pytest.mark.parametrize("capacity", [0, 10])
def test_brackets_beside_ranks_count_past_their_capacity(backend, rng, capacity):
    x, _ = x_and_y(rng, 150, None, 3, np.float32)
    (ranked,) = backend.scan_pairs(x, [Ranks(np.zeros(0), ((-2.0, 2.0),), capacity)])
    (kept,) = ranked.brackets
    assert kept.within == 11175
    assert capacity <= len(kept.values) < 11175


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_moments_of_rows(backend, rng, dtype, sizes):
    compare(backend, [RowMoments()], *x_and_y(rng, *sizes, 6, dtype))


def test_moments_of_rows_round_halves_to_even(backend, dtype):
    """Cosines halfway between multiples of 2^-40, of which Python's `round` decides likewise."""
    halves = np.arange(1, 2001, 2) / 2
    x, y = np.ones((40, 1), dtype), (halves / FIXED_POINT).astype(dtype)[:, None]
    compare(backend, [RowMoments()], x, y)
    (moments,) = backend.scan_pairs(x, [RowMoments()], y)
    assert (moments[1] * FIXED_POINT == sum(round(half) for half in halves.tolist())).all()


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("groups", [0, 1, 4, 60])
def test_sums_within_groups(backend, rng, dtype, sizes, groups):
    """From no group at all to groups of which only one side has rows."""
    n, m = sizes
    x, y = x_and_y(rng, n, m, 6, dtype)
    others = None if m is None else rng.integers(-1, groups, m)
    compare(backend, [WithinGroups(rng.integers(-1, groups, n), others)], x, y)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("wider", [0, 5])
def test_the_matrix(backend, rng, dtype, sizes, wider):
    """Also as a part of one that is wider, whose rest stays as it was."""
    n, m = sizes
    x, y = x_and_y(rng, n, m, 6, dtype)
    columns = n if m is None else m
    whole = np.full((n, columns + wider), 7, dtype)
    out = whole[:, :columns]
    (got,) = backend.scan_pairs(x, [Matrix(out)], y)
    assert got is out
    assert (whole[:, columns:] == 7).all()
    pairs = met(backend, x, y)
    expected = np.full((n, columns), 7, dtype)
    expected[pairs.i, pairs.j] = pairs.cosines  # in the type of the matrix: the reference's differ
    if m is None:
        expected[pairs.j, pairs.i] = pairs.cosines
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    ("dtype", "bfloat16"), [(np.float32, False), (np.float64, False), (np.float32, True)]
)
def test_cosines_that_are_kept_are_of_the_type_of_the_pass(backend, rng, dtype, bfloat16):
    x = unit(rng, 30, 4, dtype)
    consumers = [Bracket(-2, 2, 99), Ranks(np.zeros(1), ((-2, 2), (3, 4)), 99), Nearest(2, 2)]
    kept, ranked, found = backend.scan_pairs(x, consumers, bfloat16=bfloat16)
    expected = backend.pair_cosines(x, [0], [1], bfloat16=bfloat16).dtype
    assert expected == (np.float64 if backend is reference else dtype)
    bracketed = [kept, *ranked.brackets]
    types = [b.values.dtype for b in bracketed]
    assert {*types, found.nearest_cosines.dtype, found.farthest_cosines.dtype} == {expected}


@pytest.mark.parametrize(
    ("consumer", "extent", "words"),
    [
        (WithinGroups(np.zeros(9, int)), Extent(10), "9 by None"),
        (WithinGroups(np.zeros(9, int)), Extent(9, 4), "9 by 4"),
        (WithinGroups(np.zeros(9, int), np.zeros(4, int)), Extent(9), "9 by None"),
        (WithinGroups(np.zeros(9, int), np.zeros(4, int)), Extent(9, 5), "9 by 5"),
        (Matrix(np.empty((4, 5))), Extent(4), r"\(4, 4\)"),
        (Matrix(np.empty((4, 5))), Extent(5, 4), r"\(5, 4\)"),
        (Matrix(np.empty(16)), Extent(4), r"\(4, 4\)"),
        (RowMoments(), Extent((1 << 22) + 1), "2\\^22"),
        (RowMoments(), Extent(3, (1 << 22) + 1), "2\\^22"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "start") else None,
)
def test_consumers_that_do_not_fit_the_pass_are_refused(backend, consumer, extent, words):
    """Before anything is made: the rows themselves need not be there."""
    with pytest.raises(InputError, match=words):
        backend.pair_scan([CountBelow(()), consumer], extent, np.float64)


def test_what_is_no_consumer_is_refused_by_name(backend):
    with pytest.raises(InputError, match="'Histogram' is no consumer; derive it from"):
        backend.pair_scan(["Histogram"], Extent(4), np.float64)


def test_a_nan_of_either_sign_has_no_rank(backend, dtype):
    x = np.array([[np.copysign(np.nan, -1), 0], [1, 0], [1, 0]], dtype)
    (ranked,) = backend.scan_pairs(x, [Ranks(np.array([0.5, 1.0, np.inf]))])
    assert ranked.up_to.tolist() == [0, 1, 1]


@pytest.mark.parametrize("out", [np.empty((4, 4), np.float16), np.empty((4, 4)).T, "F"])
def test_a_matrix_of_another_type_or_order_is_refused(backend, out):
    out = np.empty((4, 4), order="F") if isinstance(out, str) else out
    with pytest.raises(InputError, match="contiguous rows"):
        backend.scan_pairs(np.eye(4), [Matrix(out)])


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ((np.eye(3), np.eye(3), 2, 0), "rows 2 to 5 are not within the pass's 0 to 4"),
        ((np.eye(3), np.eye(3), 0, -1), "not within"),
        ((np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32), 0, 0), "over float64 rows"),
        ((np.eye(3), np.ones((3, 2)), 0, 0), "3 features and y 2"),
    ],
)
def test_blocks_that_are_none_of_the_pass_are_refused(backend, block, words):
    scan = backend.pair_scan([], Extent(4), np.float64)
    with pytest.raises(InputError, match=words):
        scan.add(*block)
    with pytest.raises(InputError, match="float32 or float64"):
        backend.pair_scan([], Extent(4), np.float16)
