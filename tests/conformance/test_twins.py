"""Consumers on every backend decide as their definitions in NumPy do, to the last pair.

No tolerance: `pair_cosines` gives the very values of the pass, and the definition absorbs those.
"""

import itertools

import numpy as np
import pytest
from cases import met_values
from comparers import cosine_error
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wellgram import InputError
from wellgram.backends import reference
from wellgram.backends.consumers import (
    FIXED_POINT,
    Bracket,
    CountBelow,
    Extent,
    Histogram,
    Matrix,
    Met,
    Nearest,
    Ranks,
    RowMoments,
    WithinGroups,
)


def met(backend, x, y=None):
    """The very cosines of a pass, with the rows they belong to."""
    if y is None:
        i, j = np.triu_indices(len(x), k=1)
    else:
        i, j = np.indices((len(x), len(y))).reshape(2, -1)
    return Met(backend.pair_cosines(x, i, j, y), i, j, y is None)


def as_defined(consumer, met, x, y=None):
    extent = Extent(len(x), None if y is None else len(y))
    return consumer.finish(consumer.absorb(consumer.start(extent), met))


def same(got, expected):
    """Answers are equal; what a bracket kept is in no order."""
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(got, expected)
    elif isinstance(expected, list):
        for one, other in zip(got, expected, strict=True):
            same(one, other)
    elif isinstance(expected, int):
        assert got == expected
    else:
        for name, part in vars(expected).items():
            if name == "values":
                same(np.sort(got.values), np.sort(part))
            else:
                same(getattr(got, name), part)


def compare(backend, consumers, x, y=None):
    """Each consumer finds on a backend what its definition finds of the same cosines."""
    cosines = met(backend, x, y)
    for consumer, got in zip(consumers, backend.scan_pairs(x, consumers, y), strict=True):
        same(got, as_defined(consumer, cosines, x, y))


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


# Sizes on both sides of tiles and blocks; one map against itself and against another.
SIZES = [(150, None), (331, None), (40, 130), (200, 7), (1, 30), (1, None), (0, None)]


def rows(rng, n, m, d, dtype):
    x = reference.unit_rows(rng.normal(size=(n, d)).astype(dtype))[0]
    return x, None if m is None else reference.unit_rows(rng.normal(size=(m, d)).astype(dtype))[0]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("sides", [(7, 3), (5, 0), (0, 5), (400, 400)], ids=str)
def test_nearest(backend, rng, dtype, sizes, sides):
    compare(backend, [Nearest(*sides)], *rows(rng, *sizes, 5, dtype))


@pytest.mark.parametrize("kind", ["equal", "two directions", "repeated"])
def test_nearest_among_equals_are_those_of_smaller_index(backend, rng, dtype, kind):
    x = {
        "equal": np.ones((90, 2)),
        "two directions": rng.choice([-1.0, 1.0], size=(90, 1)),
        "repeated": np.repeat(rng.normal(size=(9, 3)), 10, axis=0),
    }[kind]
    compare(backend, [Nearest(12, 12)], reference.unit_rows(x.astype(dtype))[0])


def test_a_cosine_of_nan_is_no_neighbor_and_has_no_rank(backend, dtype):
    x = np.array([[np.nan, 0], [1, 0], [1, 0]], dtype)
    found, ranked = backend.scan_pairs(x, [Nearest(2, 1), Ranks(np.array([1.0, np.inf]))])
    assert found.most.tolist() == [[-1, -1], [2, -1], [1, -1]]
    assert found.least.tolist() == [[-1], [2], [1]]
    assert ranked.below.tolist() == [0, 1]
    assert ranked.up_to.tolist() == [1, 1]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("count", [0, 1, 5, 3000])
def test_ranks(backend, rng, dtype, sizes, count):
    """Values are cosines of the pass, their neighbors, repeats, and what no cosine is."""
    x, y = rows(rng, *sizes, 6, dtype)
    cosines = met(backend, x, y).cosines.astype(np.float64)
    some = rng.choice(cosines, count) if len(cosines) else np.zeros(count)
    values = np.concatenate([some, np.nextafter(some, 2), some[:3], rng.uniform(-2, 2, count)])
    compare(backend, [Ranks(values)], x, y)
    brackets = ((-0.3, -0.1), (0.0, 0.0), (-0.2, 0.4), (-np.inf, -0.5), (3.0, 4.0))
    compare(backend, [Ranks(values, brackets, 1 << 20)], x, y)


def test_ranks_of_values_that_crowd(backend, rng, dtype):
    """Hundreds of values within what one line of the table is meant for, and one far away."""
    x, _ = rows(rng, 300, None, 4, dtype)
    crowd = rng.uniform(0.1, 0.1001, 5000).astype(dtype).astype(np.float64)
    values = np.concatenate([crowd, [-1.0, 1.0]])
    compare(backend, [Ranks(values, ((0.1, 0.10002),), 1 << 20)], x)


def test_several_ranks_in_one_pass(backend, rng):
    x, _ = rows(rng, 200, None, 4, np.float32)
    compare(backend, [Ranks(rng.uniform(-1, 1, size)) for size in (400, 9, 0)], x)


@pytest.mark.parametrize("capacity", [0, 10])
def test_brackets_beside_ranks_count_past_their_capacity(backend, rng, capacity):
    x, _ = rows(rng, 150, None, 3, np.float32)
    (ranked,) = backend.scan_pairs(x, [Ranks(np.zeros(0), ((-2.0, 2.0),), capacity)])
    (kept,) = ranked.brackets
    assert kept.within == 11175
    assert capacity <= len(kept.values) < 11175


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_moments_of_rows(backend, rng, dtype, sizes):
    """Sums exactly. A square of float64 may be rounded once (in a fused multiply-add) or twice."""
    x, y = rows(rng, *sizes, 6, dtype)
    (got,) = backend.scan_pairs(x, [RowMoments()], y)
    expected = as_defined(RowMoments(), met(backend, x, y), x, y)
    np.testing.assert_array_equal(got[:2], expected[:2])
    bound = 0 if dtype == np.float32 else expected[0] / FIXED_POINT
    assert (np.abs(got[2] - expected[2]) <= bound).all()


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("groups", [1, 4, 60])
def test_sums_within_groups(backend, rng, dtype, sizes, groups):
    n, m = sizes
    x, y = rows(rng, n, m, 6, dtype)
    others = None if m is None else rng.integers(-1, groups, m)
    compare(backend, [WithinGroups(rng.integers(-1, groups, n), others)], x, y)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_matrix(backend, rng, dtype, sizes):
    n, m = sizes
    x, y = rows(rng, n, m, 6, dtype)
    out = np.full((n, n if m is None else m), 7, dtype)
    (got,) = backend.scan_pairs(x, [Matrix(out)], y)
    assert got is out
    pairs = met(backend, x, y)
    cosines = pairs.cosines.astype(dtype)  # the reference computes in float64
    np.testing.assert_array_equal(out[pairs.i, pairs.j], cosines)
    if m is None:
        np.testing.assert_array_equal(out[pairs.j, pairs.i], cosines)
        assert (np.diag(out) == 7).all()


def every_consumer(rng, n):
    return [
        CountBelow((-0.2, 0.1)),
        Histogram(bins=9),
        Bracket(-0.1, 0.1, 1 << 20),
        Ranks(rng.uniform(-1, 1, 300), ((0.2, 0.3),), 1 << 20),
        Nearest(11, 6),
        RowMoments(),
        WithinGroups(rng.integers(-1, 5, n)),
    ]


def blocks(rng, n):
    """The pairs of n rows as blocks in any order: uneven, some across the diagonal."""
    cuts = [0, 5, 64, 100, n]
    spans = list(itertools.pairwise(cuts))
    pairs = [(a, b) for a in spans for b in spans if a <= b]
    return [pairs[k] for k in rng.permutation(len(pairs))]


def test_a_pass_in_blocks_is_the_pass_in_one(backend, rng, dtype):
    x, _ = rows(rng, 140, None, 5, dtype)
    consumers = every_consumer(rng, 140)
    whole = backend.scan_pairs(x, consumers)
    scan = backend.pair_scan(consumers, Extent(140), x.dtype)
    for (top, bottom), (left, right) in blocks(rng, 140):
        scan.add(x[top:bottom], x[left:right], top, left)
    same([c.finish(s) for c, s in zip(consumers, scan.states(), strict=True)], whole)


def test_passes_of_blocks_merge_to_the_whole(backend, rng, dtype):
    x, _ = rows(rng, 140, None, 5, dtype)
    consumers = every_consumer(rng, 140)
    states = []
    for (top, bottom), (left, right) in blocks(rng, 140):
        scan = backend.pair_scan(consumers, Extent(140), x.dtype)
        scan.add(x[top:bottom], x[left:right], top, left)
        states.append(scan.states())
    merged = states[0]
    for more in states[1:]:
        merged = [c.merge(a, b) for c, a, b in zip(consumers, merged, more, strict=True)]
    whole = backend.scan_pairs(x, consumers)
    same([c.finish(s) for c, s in zip(consumers, merged, strict=True)], whole)


def test_every_consumer_on_any_number_of_threads(backend, rng, by_threads):
    n = 700 if backend is not reference else 60
    x, _ = rows(rng, n, None, 5, np.float32)
    consumers = every_consumer(rng, n)
    one, *more = by_threads(lambda: backend.scan_pairs(x, consumers))
    for other in more:
        same(other, one)


@pytest.mark.parametrize(
    ("consumer", "extent", "words"),
    [
        (WithinGroups(np.zeros(9, int)), Extent(10), "9 by None"),
        (WithinGroups(np.zeros(9, int)), Extent(9, 4), "by 4"),
        (Matrix(np.empty((4, 5))), Extent(4), r"\(4, 4\)"),
        (RowMoments(), Extent(1 << 24), "2\\^23"),
    ],
)
def test_consumers_that_do_not_fit_the_pass_are_refused(backend, consumer, extent, words):
    with pytest.raises(InputError, match=words):
        backend.pair_scan([consumer], extent, np.float64)


@pytest.mark.parametrize("d", [1, 2, 3, 16, 17, 33, 384])
@pytest.mark.parametrize("sizes", [(120, None), (45, 37)], ids=str)
def test_bfloat16_products(backend, rng, sizes, d):
    """A pass meets what pair_cosines gives, and both are near the reference's exact sums.

    The rounded rows are the same. Products of bfloat16 are exact in float32; what is rounded is d
    sums, of partial sums of size 1 at most, in float32: (d + 4) eps, as in `cosine_error`. The
    instruction adds two products before it rounds, and takes subnormals for zero: no more than
    that, and d times the smallest normal number.
    """
    x, y = rows(rng, *sizes, d, np.float32)
    if y is None:
        i, j = np.triu_indices(len(x), k=1)
    else:
        i, j = np.indices((len(x), len(y))).reshape(2, -1)
    cosines = backend.pair_cosines(x, i, j, y, bfloat16=True)
    np.testing.assert_array_equal(
        met_values(backend, x, y, bfloat16=True).astype(np.float64),
        np.sort(cosines).astype(np.float64),
    )
    exact = reference.pair_cosines(x, i, j, y, bfloat16=True)
    assert np.abs(cosines - exact).max() <= 1.01 * cosine_error(d, np.float32)


def test_bfloat16_products_are_of_float32(backend):
    with pytest.raises(InputError, match="float32"):
        backend.pair_cosines(np.eye(2), [0], [1], bfloat16=True)
    with pytest.raises(InputError, match="float32"):
        backend.scan_pairs(np.eye(2), [], bfloat16=True)
