"""Logistic, ridge and discriminant probes, against scikit-learn and by their own definitions."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier

from helpers.oracle import reference
from wellgram import InputError
from wellgram.probes import Logistic, lda, ridge
from wellgram.probes.lbfgs import minimize

CARDS, CARD = ("cuda", "cupy"), pytest.mark.gpu


def problem(rng, n=600, d=12, k=7, dtype=np.float64):
    """Classes of unequal size, features that are correlated and shifted."""
    codes = np.concatenate([np.arange(k), rng.choice(k, n - k, p=np.arange(1, k + 1) / 28)])
    mix = np.eye(d) + 0.2 * rng.normal(size=(d, d))
    x = (rng.normal(size=(n, d)) + rng.normal(size=(k, d))[codes]) @ mix + 1
    return x.astype(dtype), codes


@pytest.fixture(params=["cpu", "reference", *(pytest.param(c, marks=CARD) for c in CARDS)])
def backend(request, usable):
    """The name of a backend."""
    return usable(request.param).name


def objective(weights, intercept, x, codes, penalty):
    scores = x.astype(np.float64) @ weights.T + intercept
    top = scores.max(axis=1)
    losses = np.log(np.exp(scores - top[:, None]).sum(axis=1)) + top - scores[range(len(x)), codes]
    return losses.mean() + penalty / (2 * len(x)) * np.square(weights).sum()


@pytest.mark.parametrize("penalty", [100.0, 1.0, 0.1])
def test_logistic_has_the_objective_and_predictions_of_scikit_learn(backend, rng, penalty, dtype):
    x, codes = problem(rng, dtype=dtype)
    wide = x.astype(np.float64)
    theirs = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=20_000).fit(wide, codes)
    ours = Logistic(x, codes, 7, backend=backend).fit(penalty, tolerance=1e-8)
    expected = objective(theirs.coef_, theirs.intercept_, x, codes, penalty)
    assert ours.objective == pytest.approx(expected, abs=1e-6)
    assert ours.objective == pytest.approx(
        objective(ours.classifier.weights, ours.classifier.intercept, x, codes, penalty), abs=1e-6
    )
    scores = np.sort(theirs.decision_function(wide), axis=1)
    # An objective within 1e-8 of the least leaves scores uncertain by its root, about.
    clear = scores[:, -1] - scores[:, -2] > 1e-3
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(ours.classifier.predict(x)[clear], theirs.predict(wide)[clear])


def test_a_path_ends_where_searches_from_nothing_end(backend, rng):
    x, codes = problem(rng)
    logistic, fit = Logistic(x, codes, 7, backend=backend), None
    for penalty in (100.0, 10.0, 1.0):
        alone = logistic.fit(penalty, tolerance=1e-9)
        fit = logistic.fit(penalty, start=fit, tolerance=1e-9)
        assert fit.objective == pytest.approx(alone.objective, abs=1e-7)


def test_losses_are_taken_on_the_backend_of_that_name(rng, monkeypatch):
    asked, kept = [], reference.softmax_loss
    monkeypatch.setattr(
        reference, "softmax_loss", lambda x, *rest: asked.append(len(x)) or kept(x, *rest)
    )
    Logistic(*problem(rng, n=5000), 7, backend="reference").fit(1.0)
    assert asked == [5000, 4096]  # and of a sample, where the search begins


def test_a_search_is_stopped_when_asked(rng):
    x, codes = problem(rng)
    fit = Logistic(x, codes, 7).fit(1.0, stop=lambda found: found.iterations == 3)
    assert fit.iterations == 3


def test_minimize_finds_the_bottom_of_a_narrow_valley():
    scale = np.array([1.0, 1e3, 1e-3])

    def evaluate(point):
        return float((scale * np.square(point - 1)).sum()), 2 * scale * (point - 1)

    found = minimize(
        evaluate, np.zeros(3), np.ones(3), tolerance=1e-14, iterations=200, noise=1e-15
    )
    np.testing.assert_allclose(found.point, 1, atol=1e-4)


def test_ridge_is_that_of_scikit_learn(rng):
    x, codes = problem(rng)
    ours = ridge(x, codes, 7, 3.0)
    theirs = Ridge(alpha=3.0).fit(x, np.eye(7)[codes])
    np.testing.assert_allclose(ours.weights, theirs.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.intercept, theirs.intercept_, rtol=1e-8, atol=1e-10)
    classifier = RidgeClassifier(alpha=3.0).fit(x, codes)
    np.testing.assert_array_equal(ours.predict(x), classifier.predict(x))


def test_discriminants_are_those_of_scikit_learn(rng):
    x, codes = problem(rng)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-9).fit(x, codes)
    ours = lda(x, codes, 7, 1e-9)
    scores = x @ ours.weights.T + ours.intercept
    expected = theirs.decision_function(x)
    # A score that all classes share says nothing: it is taken off.
    np.testing.assert_allclose(
        scores - scores.mean(axis=1, keepdims=True),
        expected - expected.mean(axis=1, keepdims=True),
        rtol=1e-5, atol=1e-5,
    )  # fmt: skip


def test_discriminants_refuse_rows_that_do_not_differ():
    x = np.repeat(np.eye(3), 4, axis=0)
    with pytest.raises(InputError, match="ridge"):
        lda(x, np.repeat(np.arange(3), 4), 3, 0.1)


@pytest.mark.parametrize(("fit", "penalty"), [(ridge, 0.0), (lda, 0.0), (lda, 1.5)])
def test_penalties_out_of_range_are_refused(rng, fit, penalty):
    x, codes = problem(rng)
    with pytest.raises(InputError, match="must be"):
        fit(x, codes, 7, penalty)
    with pytest.raises(InputError, match="above 0"):
        Logistic(x, codes, 7).fit(0.0)


def test_ranks_count_the_classes_before_ones_own(rng):
    x, codes = problem(rng, n=200)
    probe = ridge(x, codes, 7, 1.0)
    scores = x @ probe.weights.T + probe.intercept
    order = np.argsort(-scores, axis=1, kind="stable")
    expected = (order == codes[:, None]).argmax(axis=1)
    np.testing.assert_array_equal(probe.ranks(x, codes), expected)
