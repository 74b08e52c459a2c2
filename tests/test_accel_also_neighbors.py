"""The stand-in for scikit-learn's neighbors by cosine beside the original."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.accelerated import Pair, outcome, same_error

pytest.importorskip("sklearn", reason="scikit-learn is absent")

from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors


@pytest.fixture(scope="module", autouse=True)
def small_calls():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WELLGRAM_ACCEL_SMALL", "1")
        yield


@pytest.fixture(scope="module")
def neighbors():
    return Pair("KNeighborsMixin.kneighbors")


def rows(n=400, d=12, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def fitted(x, k=5, **options):
    return NearestNeighbors(
        n_neighbors=k, **{"metric": "cosine", "algorithm": "brute", **options}
    ).fit(x)


def same(theirs, ours):
    (apart, near), (ours_apart, ours_near) = theirs, ours
    assert ours_near.dtype == near.dtype
    np.testing.assert_array_equal(ours_near, near)
    assert ours_apart.dtype == apart.dtype
    np.testing.assert_allclose(ours_apart, apart, rtol=0, atol=1e-14)


def test_neighbors_of_the_rows_that_it_was_fitted_to(neighbors):
    x = rows()
    same(*neighbors(fitted(x)))
    same(*neighbors(fitted(x), None, 17))
    same(*neighbors(fitted(x), x))  # each is its own nearest
    same(*neighbors(fitted(x), x, 1))
    same(*neighbors(fitted(x), x.copy()))
    same(*neighbors(fitted(x, algorithm="auto", n_jobs=2)))


def test_neighbors_of_other_rows(neighbors):
    same(*neighbors(fitted(rows()), rows(90, seed=1)))
    same(*neighbors(fitted(rows()), rows(90, seed=1)[:1], n_neighbors=2))
    same(*neighbors(fitted(rows()), np.asfortranarray(rows(90, seed=1))[::2]))


def test_indices_alone(neighbors):
    theirs, ours = neighbors(fitted(rows()), return_distance=False)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@settings(deadline=None, max_examples=30)
@given(st.integers(104, 500), st.integers(2, 40), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_any_rows(n, d, k, seed):
    x = rows(n, d, seed)
    pair = Pair("KNeighborsMixin.kneighbors")
    for query in (None, rows(30, d, seed // 2)):
        theirs = pair.original(fitted(x, k), query)
        why, ours = pair.declines(fitted(x, k), query)
        assert why is None or d == 2  # all directions there are crowd a circle
        same(theirs, ours)


@pytest.mark.parametrize("whole", [True, False])
def test_where_rounding_decides_the_original_answers(neighbors, whole):
    """Whole numbers make many pairs equally far; so do rows that repeat, or all but repeat."""
    x = np.random.default_rng(0).integers(-2, 3, size=(400, 12)) + 0.0 if whole else rows()
    x[x.any(axis=1) == 0] = 1
    x[7] = x[3] * (1 if whole else 2)
    model = fitted(x)
    theirs = neighbors.original(model)
    why, ours = neighbors.declines(model)
    assert why
    np.testing.assert_array_equal(ours[1], theirs[1])


OUTSIDE = {
    "float32": lambda: ((fitted(rows().astype(np.float32)),), {}),
    "a float32 query": lambda: ((fitted(rows()), rows(5).astype(np.float32)), {}),
    "another metric": lambda: ((fitted(rows(), metric="euclidean"),), {}),
    "a tree": lambda: ((fitted(rows(), metric="euclidean", algorithm="kd_tree"),), {}),
    "a table": lambda: ((fitted(pd.DataFrame(rows()).add_prefix("f")),), {}),
    "a list": lambda: ((fitted(rows()), rows(3).tolist()), {}),
    "a vector": lambda: ((fitted(rows()), rows(3)[0]), {}),
    "no rows": lambda: ((fitted(rows()), rows(0)), {}),
    "other features": lambda: ((fitted(rows()), rows(3, 5)), {}),
    "a NaN": lambda: ((fitted(rows()), rows(3) * np.nan), {}),
    "a row of zeros": lambda: ((fitted(rows() * (np.arange(400) != 9)[:, None]),), {}),
    "no neighbors": lambda: ((fitted(rows()), None, 0), {}),
    "half a neighbor": lambda: ((fitted(rows()), None, 2.5), {}),
    "more neighbors than rows": lambda: ((fitted(rows()), None, 400), {}),
    "most rows": lambda: ((fitted(rows()), None, 300), {}),
    "it is not fitted": lambda: ((NearestNeighbors(metric="cosine"),), {}),
    "a number for distances": lambda: ((fitted(rows()),), {"return_distance": 1}),
    "squares that vanish": lambda: ((fitted(rows() * 1e-170),), {}),
    "a classifier": lambda: (
        (KNeighborsClassifier(metric="cosine", algorithm="brute").fit(rows(), np.arange(400) % 2),),
        {},
    ),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(neighbors, case):
    args, options = OUTSIDE[case]()
    theirs = outcome(neighbors.original, *args, **options)
    why, ours = neighbors.declines(*args, **options)
    if not same_error(theirs, ours):
        assert why
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(mine, other)
