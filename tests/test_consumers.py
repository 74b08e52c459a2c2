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
    Matrix,
    Met,
    Nearest,
    Ranks,
    RowMoments,
    WithinGroups,
)

CODES = np.array([0, 1, 0, -1, 2, 0, 1, 1, 2, 0])
OTHER_CODES = np.array([2, 0, 0, -1, 1])
SYMMETRIC = Extent(len(CODES))
ACROSS = Extent(len(CODES), len(OTHER_CODES))
PAIRS = {
    SYMMETRIC: np.triu_indices(len(CODES), k=1),
    ACROSS: np.indices((len(CODES), len(OTHER_CODES))).reshape(2, -1),
}
FIRST, SECOND = PAIRS[SYMMETRIC]
FLOAT = np.dtype(np.float64)


def consumers_of(extent):
    """One of each kind, the last of which writes to a matrix of its own."""
    other_codes = None if extent.symmetric else OTHER_CODES
    return [
        CountBelow((-0.5, 0.0, 0.5)),
        Histogram(bins=7),
        Bracket(-0.3, 0.4, 1000),
        Ranks(np.array([-0.2, 0.0, 0.0, 0.7]), ((-0.3, 0.4),), 1000),
        Nearest(3, 2),
        RowMoments(),
        WithinGroups(CODES, other_codes),
        Matrix(np.full((extent.rows, extent.columns or extent.rows), np.nan)),
    ]


def some_cosines(extent, dtype=np.float64):
    """Many equal ones among them."""
    elements = st.floats(-1, 1, width=8 * np.dtype(dtype).itemsize)
    return arrays(dtype, extent.pairs, elements=elements | st.sampled_from([-0.5, 0.0, 0.5]))


cosines = some_cosines(SYMMETRIC)


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


def absorbed(consumer, extent, cosines, *parts):
    """The state of some of the pairs, absorbed part by part."""
    i, j = PAIRS[extent]
    state = consumer.start(extent)
    for part in parts:
        state = consumer.absorb(state, Met(cosines[part], i[part], j[part], extent.symmetric))
    return state


def answer(consumer, extent, cosines):
    return consumer.finish(absorbed(consumer, extent, cosines, slice(None)))


@pytest.mark.parametrize("kind", range(8), ids=[type(c).__name__ for c in consumers_of(SYMMETRIC)])
@pytest.mark.parametrize("extent", PAIRS, ids=["symmetric", "across"])
@given(data=st.data(), dtype=st.sampled_from([np.float32, np.float64]))
def test_merging_pieces_in_any_order_equals_absorbing_the_whole(kind, extent, data, dtype):
    cosines = data.draw(some_cosines(extent, dtype))
    owner = data.draw(arrays(np.int64, extent.pairs, elements=st.integers(0, 2)))
    whole = flat(answer(consumers_of(extent)[kind], extent, cosines))
    parts = [np.flatnonzero(owner == k) for k in range(3)]

    def left(consumer):
        x, y, z = (absorbed(consumer, extent, cosines, part) for part in parts)
        return consumer.merge(consumer.merge(x, y), z)

    def right(consumer):
        x, y, z = (absorbed(consumer, extent, cosines, part) for part in parts)
        return consumer.merge(z, consumer.merge(y, x))

    def piecewise(consumer):
        return absorbed(consumer, extent, cosines, parts[1], parts[0], parts[2])

    for way in (left, right, piecewise):
        consumer = consumers_of(extent)[kind]
        np.testing.assert_array_equal(flat(consumer.finish(way(consumer))), whole)


@given(a=cosines)
def test_consumers_find_what_numpy_finds(a):
    below, bins, kept, ranked, found, rows, groups, written = (
        answer(c, SYMMETRIC, a) for c in consumers_of(SYMMETRIC)
    )
    assert below.tolist() == [(a < t).sum() for t in (-0.5, 0.0, 0.5)]
    assert bins.sum() == len(a)
    assert sorted(kept.values) == sorted(a[(a >= -0.3) & (a <= 0.4)])
    assert kept.below == (a < -0.3).sum()
    assert ranked.below.tolist() == [(a < t).sum() for t in (-0.2, 0.0, 0.0, 0.7)]
    assert ranked.up_to.tolist() == [(a <= t).sum() for t in (-0.2, 0.0, 0.0, 0.7)]
    matrix = np.full((len(CODES), len(CODES)), np.nan)
    matrix[FIRST, SECOND] = matrix[SECOND, FIRST] = a
    np.testing.assert_array_equal(written, matrix)
    assert np.isnan(np.diag(written)).all()
    for k, row in enumerate(matrix):
        assert found.nearest_cosines[k].tolist() == sorted(np.delete(row, k), reverse=True)[:3]
        assert found.farthest_cosines[k].tolist() == sorted(np.delete(row, k))[:2]
        # By cosine, then by index: the stable sort of all the others.
        others = np.delete(np.arange(len(row)), k)
        assert found.nearest[k].tolist() == sorted(others, key=lambda j: -row[j])[:3]
        assert found.farthest[k].tolist() == sorted(others, key=row.__getitem__)[:2]
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


@given(a=some_cosines(ACROSS))
def test_consumers_find_what_numpy_finds_across_two_maps(a):
    """A pair counts for its row only, and is within a group where the codes of both sides agree."""
    *_, found, rows, groups, written = (answer(c, ACROSS, a) for c in consumers_of(ACROSS))
    matrix = a.reshape(ACROSS.rows, ACROSS.columns)
    np.testing.assert_array_equal(written, matrix)
    columns = np.arange(ACROSS.columns)
    for k, row in enumerate(matrix):
        assert found.nearest[k].tolist() == np.lexsort((columns, -row))[:3].tolist()
        assert found.farthest[k].tolist() == np.lexsort((columns, row))[:2].tolist()
    near = {"rtol": 0, "atol": a.size * 2.0**-41}
    np.testing.assert_array_equal(rows[0], ACROSS.columns)
    np.testing.assert_allclose(rows[1:], [matrix.sum(axis=1), (matrix**2).sum(axis=1)], **near)
    for k in range(3):
        within = matrix[np.ix_(k == CODES, k == OTHER_CODES)]
        np.testing.assert_allclose(
            groups[:, k], [within.size, within.sum(), (within**2).sum()], **near
        )


@given(
    a=cosines,
    bounds=st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)).map(sorted), max_size=4),
    values=arrays(np.float64, st.integers(0, 5), elements=st.floats(-2, 2)),
)
def test_brackets_beside_ranks_answer_as_brackets_do(a, bounds, values):
    ranked = answer(Ranks(values, tuple(map(tuple, bounds)), 1000), SYMMETRIC, a)
    for (low, high), got in zip(bounds, ranked.brackets, strict=True):
        assert flat(got) == flat(answer(Bracket(low, high, 1000), SYMMETRIC, a))


def test_a_row_with_fewer_partners_than_asked_for_ends_in_nobody():
    found = answer(Nearest(12, 6), ACROSS, np.zeros(ACROSS.pairs))
    for index, values in [
        (found.nearest, found.nearest_cosines),
        (found.farthest, found.farthest_cosines),
    ]:
        assert (index == [*range(5), *[-1] * (index.shape[1] - 5)]).all()
        np.testing.assert_array_equal(np.isnan(values), index < 0)


def test_a_cosine_of_nan_is_no_neighbor_and_has_no_rank():
    a = np.linspace(-0.9, 0.9, SYMMETRIC.pairs)
    a[FIRST == 0] = np.nan
    found = answer(Nearest(9, 9), SYMMETRIC, a)
    assert (found.nearest[0] == -1).all()
    assert not (found.nearest == 0).any()
    assert not (found.farthest == 0).any()
    for values in (np.array([np.inf]), np.array([2.0, 3.0])):
        ranked = answer(Ranks(values, ((-np.inf, np.inf),), 1000), SYMMETRIC, a)
        assert set(ranked.below) == set(ranked.up_to) == {np.isfinite(a).sum()}
        assert flat(ranked.brackets[0]) == flat(
            answer(Bracket(-np.inf, np.inf, 1000), SYMMETRIC, a)
        )


def test_moments_of_more_partners_than_64_bits_hold_the_sum_of_are_refused():
    """A cosine of 1 is 2^40 in fixed point: 2^22 of them reach 2^63."""
    RowMoments().check(Extent(1 << 22), FLOAT)  # a row is no partner of its own
    RowMoments().check(Extent(1 << 40, 1 << 22), FLOAT)
    for extent in (Extent((1 << 22) + 1), Extent(2, (1 << 22) + 1)):
        with pytest.raises(InputError, match=r"2\^22"):
            RowMoments().check(extent, FLOAT)


def test_codes_and_a_matrix_fit_the_pass_or_are_refused():
    WithinGroups(CODES).check(SYMMETRIC, FLOAT)
    WithinGroups(CODES, OTHER_CODES).check(ACROSS, FLOAT)
    for consumer, extent in [
        (WithinGroups(CODES), ACROSS),
        (WithinGroups(CODES, OTHER_CODES), SYMMETRIC),
        (WithinGroups(CODES[1:]), SYMMETRIC),
        (WithinGroups(CODES, CODES), ACROSS),
        (Matrix(np.empty((10, 10))), ACROSS),
        (Matrix(np.empty((5, 10))), ACROSS),
        (Matrix(np.empty((10, 5))), SYMMETRIC),
    ]:
        with pytest.raises(InputError, match="the pass"):
            consumer.check(extent, FLOAT)


@pytest.mark.parametrize("sides", [(0, 0), (0,), (-1, 3), (3, -1)])
def test_numbers_of_neighbors_that_are_none_are_refused(sides):
    with pytest.raises(InputError, match="positive"):
        Nearest(*sides)


def test_ranks_of_nan_and_brackets_that_hold_nothing_are_refused():
    with pytest.raises(InputError, match="NaN"):
        Ranks(np.array([0.0, np.nan]))
    for bounds, capacity in [((0.5, -0.5), 9), ((np.nan, 0.5), 9), ((0.0, 1.0), -1)]:
        with pytest.raises(InputError, match="low <= high"):
            Ranks(np.zeros(1), (bounds,), capacity)


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
