"""Consumers as defined in NumPy: pieces in any order make the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wellgram import InputError
from wellgram.backends.consumers import (
    Bracket,
    CountBelow,
    Extent,
    Histogram,
    Met,
    Nearest,
    Ranks,
    RowMoments,
    WithinGroups,
)

CODES = np.array([0, 1, 0, -1, 2, 0, 1, 1, 2, 0])
EXTENT = Extent(len(CODES))
FIRST, SECOND = np.triu_indices(len(CODES), k=1)
CONSUMERS = [
    CountBelow((-0.5, 0.0, 0.5)),
    Histogram(bins=7),
    Bracket(-0.3, 0.4, 1000),
    Ranks(np.array([-0.2, 0.0, 0.0, 0.7]), ((-0.3, 0.4),), 1000),
    Nearest(3, 2),
    RowMoments(),
    WithinGroups(CODES),
]
# Many equal ones among them.
cosines = arrays(
    np.float64, len(FIRST), elements=st.floats(-1, 1) | st.sampled_from([-0.5, 0.0, 0.5])
)


def flat(answer):
    """An answer as a list that can be compared; what a bracket kept is in no order."""
    if isinstance(answer, np.ndarray):
        return answer.ravel().tolist()
    if isinstance(answer, list):
        return [part for one in answer for part in flat(one)]
    if isinstance(answer, int):
        return [answer]
    return [
        part
        for name, value in vars(answer).items()
        for part in (sorted(flat(value)) if name == "values" else flat(value))
    ]


def absorbed(consumer, cosines, *parts):
    """The state of some of the pairs, absorbed part by part."""
    state = consumer.start(EXTENT)
    for part in parts:
        state = consumer.absorb(state, Met(cosines[part], FIRST[part], SECOND[part]))
    return state


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda c: type(c).__name__)
@given(cosines=cosines, owner=arrays(np.int64, len(FIRST), elements=st.integers(0, 2)))
def test_merging_pieces_in_any_order_equals_absorbing_the_whole(consumer, cosines, owner):
    whole = absorbed(consumer, cosines, slice(None))
    a, b, c = (np.flatnonzero(owner == k) for k in range(3))
    x, y, z = (absorbed(consumer, cosines, part) for part in (a, b, c))
    left = consumer.merge(consumer.merge(x, y), z)
    right = consumer.merge(z, consumer.merge(y, x))
    piecewise = absorbed(consumer, cosines, b, a, c)
    for state in (left, right, piecewise):
        np.testing.assert_array_equal(flat(consumer.finish(state)), flat(consumer.finish(whole)))


@given(a=cosines)
def test_consumers_find_what_numpy_finds(a):
    below, bins, kept, ranked, found, rows, groups = (
        c.finish(absorbed(c, a, slice(None))) for c in CONSUMERS
    )
    assert below.tolist() == [(a < t).sum() for t in (-0.5, 0.0, 0.5)]
    assert bins.sum() == len(a)
    assert sorted(kept.values) == sorted(a[(a >= -0.3) & (a <= 0.4)])
    assert kept.below == (a < -0.3).sum()
    assert ranked.below.tolist() == [(a < t).sum() for t in (-0.2, 0.0, 0.0, 0.7)]
    assert ranked.up_to.tolist() == [(a <= t).sum() for t in (-0.2, 0.0, 0.0, 0.7)]
    matrix = np.full((len(CODES), len(CODES)), np.nan)
    matrix[FIRST, SECOND] = matrix[SECOND, FIRST] = a
    for k, row in enumerate(matrix):
        assert found.most_cosines[k].tolist() == sorted(np.delete(row, k), reverse=True)[:3]
        assert found.least_cosines[k].tolist() == sorted(np.delete(row, k))[:2]
    # Each of up to 45 cosines is rounded to 2^-40.
    near = {"rtol": 0, "atol": 45 * 2.0**-41}
    np.testing.assert_array_equal(rows[0], 9)
    np.testing.assert_allclose(rows[1], np.nansum(matrix, axis=1), **near)
    np.testing.assert_allclose(rows[2], np.nansum(matrix**2, axis=1), **near)
    same = (CODES[FIRST] == CODES[SECOND]) & (CODES[FIRST] >= 0)
    for k in range(3):
        within = a[same & (CODES[FIRST] == k)]
        np.testing.assert_allclose(
            groups[:, k], [len(within), within.sum(), (within**2).sum()], **near
        )


@pytest.mark.parametrize("options", [{"low": 1, "high": 1}, {"bins": 0}])
def test_a_histogram_without_width_or_bins_is_refused(options):
    with pytest.raises(InputError, match="low < high"):
        Histogram(**options)


def test_thresholds_are_not_rounded_to_the_type_of_the_cosines():
    cosines = np.array([0.6], np.float32)
    just_above = np.nextafter(float(cosines[0]), 1)
    count, bracket = CountBelow((just_above,)), Bracket(just_above, 1, 9)
    met = Met(cosines, np.array([0]), np.array([1]))
    assert count.finish(count.absorb(count.start(Extent(2)), met)).tolist() == [1]
    assert bracket.finish(bracket.absorb(bracket.start(Extent(2)), met)).within == 0


def test_sums_within_a_large_group_do_not_overflow():
    """The state of 2^40 pairs of cosine 1, whose sum is past 2^63 in fixed point."""
    consumer = WithinGroups(np.zeros(2, int))
    state = absorbed_once = consumer.absorb(
        consumer.start(Extent(2)), Met(np.ones(1), np.array([0]), np.array([1]))
    )
    for _ in range(40):
        state = consumer.merge(state, state)
    assert consumer.finish(state)[:, 0].tolist() == [2.0**40] * 3
    assert consumer.finish(absorbed_once)[:, 0].tolist() == [1, 1, 1]
