"""Consumers on every backend decide as their definitions in NumPy do, to the last pair.

No tolerance: `pair_cosines` gives the very values of the pass, and the definition absorbs those.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wellgram import InputError
from wellgram.backends import reference
from wellgram.backends.consumers import Bracket, CountBelow, Histogram


def as_defined(consumer, cosines):
    return consumer.finish(consumer.absorb(consumer.start(), cosines))


def same(got, expected):
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(got, expected)
        return
    assert (got.below, got.within) == (expected.below, expected.within)
    np.testing.assert_array_equal(got.values, expected.values)


def met(backend, x):
    return backend.pair_cosines(x, *np.triu_indices(len(x), k=1)).astype(np.float64)


@st.composite
def consumers_around(draw, cosines):
    """Consumers whose bounds lie on cosines, next to them in either type, or anywhere."""
    near = [0.0, -0.0, 1e300, -1e300, np.inf, -np.inf]
    for cosine in cosines[np.isfinite(cosines)][:20]:
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
    cosines = met(backend, x)
    consumers = data.draw(consumers_around(cosines))
    for consumer, got in zip(consumers, backend.scan_pairs(x, consumers), strict=True):
        same(got, as_defined(consumer, cosines))


def test_equal_and_opposite_rows(backend, dtype):
    """Cosines of exactly 1 and -1: strict below, within inclusive, ends of the histogram."""
    x = np.array([[1, 0], [1, 0], [-1, 0], [0, 1]], dtype)
    consumers = [CountBelow((-1, 0, 1)), Bracket(0, 1, 100), Histogram(bins=2)]
    below, kept, bins = backend.scan_pairs(x, consumers)
    assert below.tolist() == [0, 2, 5]
    assert (kept.below, kept.within, kept.values.tolist()) == (2, 4, [0, 0, 0, 1])
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
    assert np.isin(kept.values, met(backend, x)).all()


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
