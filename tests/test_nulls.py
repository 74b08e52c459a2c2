"""p-values, false discovery rates, and nulls of random sets."""

import numpy as np
import pytest
from scipy.stats import kstest

from helpers.oracle import reference
from wellgram import InputError
from wellgram.nulls import benjamini_hochberg, empirical_p, mean_cosine_nulls


def test_a_p_value_is_the_share_at_or_above():
    null = [5, 1, 2, 3, 4]
    np.testing.assert_allclose(empirical_p([0, 1, 3.5, 5, 6], null, "share"), [1, 1, 0.4, 0.2, 0])
    np.testing.assert_allclose(empirical_p([0, 1, 3.5, 5, 6], null), np.array([6, 6, 3, 2, 1]) / 6)


def test_a_score_that_is_missing_has_no_p_value():
    assert np.isnan(empirical_p([np.nan, 1], [0, 1])).tolist() == [True, False]
    assert np.isnan(benjamini_hochberg([np.nan, 0.5])).tolist() == [True, False]
    assert np.isnan(benjamini_hochberg([np.nan])).all()


def test_p_values_that_all_tie():
    np.testing.assert_array_equal(empirical_p([1.0, 1.0], np.ones(9)), 1)
    np.testing.assert_array_equal(benjamini_hochberg([0.2, 0.2, 0.2]), 0.2)


def test_false_discovery_rates_by_hand():
    np.testing.assert_allclose(
        benjamini_hochberg([0.01, 0.04, 0.03, np.nan, 0.5]), [0.04, 0.16 / 3, 0.16 / 3, np.nan, 0.5]
    )


@pytest.mark.parametrize(
    ("null", "form", "words"),
    [([], "share", "no scores"), ([1, np.nan], "share", "NaN"), ([1], "exact", "unknown form")],
)
def test_nulls_that_cannot_be(null, form, words):
    with pytest.raises(InputError, match=words):
        empirical_p([1.0], null, form)


@pytest.mark.parametrize("nested", [False, True])
def test_nulls_of_a_size_have_its_mean_and_spread(rng, nested):
    """The mean over sets is that of all pairs, and smaller sets spread more."""
    x = reference.unit_rows(rng.normal(size=(300, 8)) + 0.5)[0]
    nulls = mean_cosine_nulls(x, [20, 5, 5, 80], 3000, nested=nested)
    assert list(nulls) == [5, 20, 80]
    every = (x @ x.T)[np.triu_indices(300, 1)].mean()
    spreads = [null.std() for null in nulls.values()]
    assert spreads == sorted(spreads, reverse=True)
    for null, spread in zip(nulls.values(), spreads, strict=True):
        assert abs(null.mean() - every) < 5 * spread / np.sqrt(3000)  # five standard errors


def test_a_null_does_not_depend_on_the_other_sizes(rng):
    x = reference.unit_rows(rng.normal(size=(60, 8)))[0]
    alone, among = (mean_cosine_nulls(x, sizes, 50, seed=3)[7] for sizes in ([7], [3, 7, 60]))
    np.testing.assert_array_equal(alone, among)


@pytest.mark.parametrize(("sizes", "words"), [([1, 3], "set of 1"), ([2, 61], "set of 61")])
def test_sizes_that_cannot_be(rng, sizes, words):
    x = reference.unit_rows(rng.normal(size=(60, 8)))[0]
    with pytest.raises(InputError, match=words):
        mean_cosine_nulls(x, sizes, 5)


def test_progress_rises_to_one(rng):
    x = reference.unit_rows(rng.normal(size=(60, 8)))[0]
    told = []
    mean_cosine_nulls(x, [3, 9], 20, backend="reference", progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_p_values_under_the_null_are_even(rng):
    """400 sets drawn as the null's are, by another generator."""
    x = reference.unit_rows(rng.normal(size=(500, 8)))[0]
    null = mean_cosine_nulls(x, [6], 4000, seed=1)[6]
    gram = x @ x.T
    scores = []
    for _ in range(400):
        chosen = rng.choice(500, 6, replace=False)
        scores.append(gram[np.ix_(chosen, chosen)][np.triu_indices(6, 1)].mean())
    assert kstest(empirical_p(scores, null), "uniform").pvalue > 0.01
