"""The stand-ins for ``pdist`` and ``cdist`` beside the originals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import distance

from helpers.accelerated import Pair, outcome, same_error

METRICS = ["euclidean", "cosine", "correlation"]


@pytest.fixture(scope="module", autouse=True)
def small_calls():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WELLGRAM_ACCEL_SMALL", "1")
        yield


@pytest.fixture(scope="module")
def within():
    return Pair(":pdist")


@pytest.fixture(scope="module")
def between():
    return Pair(":cdist")


def rows(n, d=20, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) + 3


def same(theirs, ours):
    """Both add up in float64, in another order."""
    assert theirs.dtype == ours.dtype
    assert theirs.flags.c_contiguous == ours.flags.c_contiguous
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-14)


def alike(n, d=20):
    """Rows of which some are the same, and some all but the same."""
    found = rows(n, d)
    found[n // 2] = found[0]
    found[n // 2 + 1] = found[1] * (1 + 1e-9)
    return found


SETS = {
    "one tile": lambda: rows(40),
    "many tiles": lambda: rows(2300, 17),
    "nearly equal rows": lambda: alike(150),
    "far from zero": lambda: rows(70) + 1000,
    "float32": lambda: rows(70).astype(np.float32),
    "whole numbers": lambda: (10 * rows(70)).astype(np.int16),
    "in the order of columns": lambda: np.asfortranarray(rows(70)),
    "every other row": lambda: rows(70)[::2],
    "a table": lambda: pd.DataFrame(rows(70)),
    "two rows": lambda: rows(2),
    "one row": lambda: rows(1),
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("case", SETS)
def test_distances_within_a_set(within, case, metric):
    same(*within(SETS[case](), metric))
    same(*within(X=SETS[case](), metric=metric))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("case", SETS)
def test_distances_between_sets(between, case, metric):
    given = SETS[case]()
    d = given.shape[1]
    same(*between(given, rows(90, d, 1), metric))
    same(*between(rows(3, d, 1), given, metric=metric))
    same(*between(given, given, metric))


def test_the_default_is_euclidean(within, between):
    same(*within(rows(30)))
    same(*between(rows(30), rows(20)))


def test_equal_rows_are_at_no_distance(within, between):
    given = np.repeat(rows(50) * 1e3, 2, axis=0)
    square = distance.squareform(within(given)[1])
    assert (square[::2, 1::2].diagonal() == 0).all()
    assert (between(given, given)[1].diagonal() == 0).all()


@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 90),
    st.integers(1, 90),
    st.integers(16, 40),
    st.integers(-6, 6),
    st.sampled_from(METRICS),
)
def test_any_size_and_scale(n, m, d, power, metric):
    x, y = 10.0**power * rows(n, d), 10.0**power * rows(m, d, 1)
    theirs, ours = Pair(":cdist")(x, y, metric)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-14 * 10.0 ** max(power, 0))
    theirs, ours = Pair(":pdist")(x, metric)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-14 * 10.0 ** max(power, 0))


OUTSIDE = {
    "another metric": (lambda: rows(40), {"metric": "cityblock"}),
    "another name": (lambda: rows(40), {"metric": "EUCLIDEAN"}),
    "a function": (lambda: rows(40), {"metric": lambda a, b: abs(a - b).max()}),
    "an unknown metric": (lambda: rows(40), {"metric": "nearness"}),
    "weights": (lambda: rows(40), {"w": np.arange(20.0)}),
    "few features": (lambda: rows(40, 3), {}),
    "a NaN": (lambda: np.where(rows(40) > 5, np.nan, rows(40)), {"metric": "cosine"}),
    "an infinite value": (lambda: np.where(rows(40) > 5, np.inf, rows(40)), {"metric": "cosine"}),
    "squares that overflow": (lambda: rows(40) * 1e160, {"metric": "cosine"}),
    "squares that vanish": (lambda: rows(40) * 1e-170, {"metric": "cosine"}),
    "a row of zeros": (lambda: rows(40) * (np.arange(40) != 3)[:, None], {"metric": "cosine"}),
    "a constant row": (
        lambda: np.where(np.arange(40)[:, None] == 3, 0.1, rows(40)),
        {"metric": "correlation"},
    ),
    "rows that are nearly constant": (lambda: 1 + 1e-9 * rows(200), {"metric": "correlation"}),
    "complex numbers": (lambda: rows(40) * 1j, {}),
    "truths": (lambda: rows(40) > 3, {}),
    "texts": (lambda: rows(40).astype(str), {}),
    "a list": (lambda: rows(40).tolist(), {}),
    "no rows": (lambda: rows(0), {}),
    "a vector": (lambda: rows(40)[0], {}),
    "a masked array": (lambda: np.ma.masked_greater(rows(40), 5), {}),
}


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:overflow", "ignore:Casting complex")
@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(within, between, case):
    make, options = OUTSIDE[case]
    for pair, sets in ((within, (make(),)), (between, (make(), rows(30)))):
        theirs = outcome(pair.original, *sets, **options)
        why, ours = pair.declines(*sets, **options)
        if not same_error(theirs, ours):
            assert why
            np.testing.assert_array_equal(ours, theirs)


EXTREMES = {
    "a NaN": lambda: np.where(rows(40) > 5, np.nan, rows(40)),
    "an infinite value": lambda: np.where(rows(40) > 5, np.inf, rows(40)),
    "squares that overflow": lambda: rows(40) * 1e160,
    "squares that vanish": lambda: rows(40) * 1e-170,
    "rows that repeat": lambda: np.repeat(rows(4), 80, axis=0),
    "rows that are nearly equal": lambda: 1 + 1e-9 * rows(200),
}


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:overflow")
@pytest.mark.parametrize("case", EXTREMES)
def test_differences_are_those_of_the_original(within, between, case):
    given = EXTREMES[case]()
    for theirs, ours in (within(given), between(given, rows(30))):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)  # sums of 20 squares in another order


def test_a_given_array_is_filled_by_the_original(within, between):
    for pair, sets, shape in ((within, (rows(40),), 780), (between, (rows(40),) * 2, (40, 40))):
        out = np.empty(shape)
        why, ours = pair.declines(*sets, out=out)
        assert why == "options are given"
        assert ours is out


def test_sets_of_other_features_raise_as_the_original(between):
    theirs = outcome(between.original, rows(40), rows(40, 21))
    assert same_error(theirs, between.declines(rows(40), rows(40, 21))[1])
