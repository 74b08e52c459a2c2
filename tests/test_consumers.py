"""Consumers as defined in NumPy: pieces in any order make the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wellgram import InputError
from wellgram.backends.consumers import Bracket, CountBelow, Histogram

CONSUMERS = [CountBelow((-0.5, 0.0, 0.5)), Histogram(bins=7), Bracket(-0.3, 0.4, 1000)]
values = arrays(np.float64, st.integers(0, 50), elements=st.floats(-1, 1))


def answer(consumer, state):
    result = consumer.finish(state)
    return (
        [result.below, result.within, *result.values]
        if isinstance(consumer, Bracket)
        else list(result)
    )


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda c: type(c).__name__)
@given(a=values, b=values, c=values)
def test_merging_pieces_in_any_order_equals_absorbing_the_whole(consumer, a, b, c):
    start = consumer.start
    whole = consumer.absorb(start(), np.concatenate([a, b, c]))
    x, y, z = (consumer.absorb(start(), part) for part in (a, b, c))
    left = consumer.merge(consumer.merge(x, y), z)
    right = consumer.merge(z, consumer.merge(y, x))
    piecewise = consumer.absorb(consumer.absorb(consumer.absorb(start(), a), b), c)
    for state in (left, right, piecewise):
        assert answer(consumer, state) == answer(consumer, whole)


@given(a=values)
def test_consumers_count_what_numpy_counts(a):
    below, bins, kept = (c.finish(c.absorb(c.start(), a)) for c in CONSUMERS)
    assert below.tolist() == [(a < t).sum() for t in (-0.5, 0.0, 0.5)]
    assert bins.sum() == len(a)
    assert kept.values.tolist() == sorted(a[(a >= -0.3) & (a <= 0.4)])
    assert kept.below == (a < -0.3).sum()


@pytest.mark.parametrize("options", [{"low": 1, "high": 1}, {"bins": 0}])
def test_a_histogram_without_width_or_bins_is_refused(options):
    with pytest.raises(InputError, match="low < high"):
        Histogram(**options)


def test_thresholds_are_not_rounded_to_the_type_of_the_cosines():
    cosines = np.array([0.6], np.float32)
    just_above = np.nextafter(float(cosines[0]), 1)
    count, bracket = CountBelow((just_above,)), Bracket(just_above, 1, 9)
    assert count.finish(count.absorb(count.start(), cosines)).tolist() == [1]
    assert bracket.finish(bracket.absorb(bracket.start(), cosines)).within == 0
