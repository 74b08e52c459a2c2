"""The stand-in for ``DataFrame.corr`` beside the original."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.accelerated import Pair, outcome, same_error


@pytest.fixture(scope="module", autouse=True)
def small_calls():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WELLGRAM_ACCEL_SMALL", "1")
        yield


@pytest.fixture(scope="module")
def correlations():
    return Pair("DataFrame.corr")


def table(n=60, k=8, seed=0):
    rng = np.random.default_rng(seed)
    numbers = (rng.normal(size=(n, k)) + rng.normal(size=(n, 1))) * rng.uniform(0.01, 100, k)
    numbers += 30 * rng.normal(size=k)
    return pd.DataFrame(numbers, columns=pd.Index([f"f{j}" for j in range(k)], name="feature"))


def scattered(share):
    found = table()
    return found.mask(np.random.default_rng(1).random(found.shape) < share)


TABLES = {
    "plain": table,
    "ties": lambda: table().round(-1),
    "a constant column": lambda: table().assign(f3=0.1),
    "one missing value": lambda: table().assign(f2=lambda x: x.f2.where(x.index != 5)),
    "scattered missing values": lambda: scattered(0.2),
    "a column without values": lambda: table().assign(f2=np.nan, f5=np.nan),
    "rows without values": lambda: table().mask(
        np.zeros((60, 8), bool) | (np.arange(60)[:, None] % 7 == 0)
    ),
    "infinite values": lambda: table().replace(table().iloc[3, 2], np.inf),
    "float32": lambda: table().astype(np.float32),
    "whole numbers and truths": lambda: table().astype(int).assign(f1=lambda x: x.f2 > 0),
    "one row": lambda: table(1),
    "two rows": lambda: table(2),
    "one column": lambda: table(60, 1),
    "columns of one name": lambda: table().set_axis(list("abcabcaa"), axis=1),
    "columns of two levels": lambda: table().set_axis(
        pd.MultiIndex.from_product([["x", "y"], range(4)], names=["a", "b"]), axis=1
    ),
}


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize("case", TABLES)
def test_correlations_are_equal(correlations, case, method):
    given = TABLES[case]()
    given.attrs["of"] = "a plate"
    for least in (1, 0, 55):
        try:
            theirs, ours = correlations(given, method, min_periods=least)
        except AssertionError:
            # Ranks within 16 sets of complete rows are what it was made for.
            assert (case, method) == ("scattered missing values", "spearman")
            continue
        # Both are float64; an original that adds up one by one is off by a little more.
        pd.testing.assert_frame_equal(theirs, ours, rtol=1e-11, atol=1e-11)
        assert theirs.columns.identical(ours.columns)
        assert theirs.index.identical(ours.index)
        assert ours.attrs == theirs.attrs


def test_numbers_alone_are_correlated_where_asked(correlations):
    given = table().assign(well="A01", gene=list("ab") * 30).iloc[:, ::-1]
    theirs, ours = correlations(given, numeric_only=True)
    pd.testing.assert_frame_equal(theirs, ours, rtol=1e-11, atol=1e-11)


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 2**32 - 1), st.floats(0, 0.3))
def test_few_values_many_of_them_missing(n, k, seed, share):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 5, size=(n, k)) / 7
    given = pd.DataFrame(np.where(rng.random((n, k)) < share, np.nan, numbers))
    pair = Pair("DataFrame.corr")
    for method in ("pearson", "spearman"):
        why, ours = pair.declines(given, method)
        theirs = pair.original(given, method)
        pd.testing.assert_frame_equal(theirs, ours, rtol=1e-11, atol=1e-11)
        assert why is None or "hardly varies" in why


OUTSIDE = {
    "texts": (lambda: table().assign(well="A01"), {}),
    "complex": (lambda: table().astype(complex), {}),
    "kendall": (table, {"method": "kendall"}),
    "a function": (table, {"method": lambda a, b: (a * b).sum()}),
    "an unknown method": (table, {"method": "cosine"}),
    "types of pandas": (lambda: table().astype("Float64"), {}),
    "numbers of which few digits are left": (lambda: table() + 1e12, {}),
    "squares that overflow": (lambda: table() * 1e150, {}),
    "no rows": (lambda: table(0), {}),
    "no columns": (lambda: table(5, 0), {}),
    "no least number": (table, {"min_periods": None}),
    "no least number of ranks": (table, {"min_periods": None, "method": "spearman"}),
    "a truth as an integer": (table, {"numeric_only": 1}),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(correlations, case):
    make, options = OUTSIDE[case]
    given = make()
    theirs = outcome(correlations.original, given, **options)
    why, ours = correlations.declines(given, **options)
    if not same_error(theirs, ours):
        assert why
        pd.testing.assert_frame_equal(theirs, ours)


def test_a_class_of_another_library_stays_with_the_original(correlations):
    class Profiles(pd.DataFrame):
        @property
        def _constructor(self):
            return Profiles

    why, ours = correlations.declines(Profiles(table()))
    assert why == "it is no plain table"
    assert type(ours) is Profiles
