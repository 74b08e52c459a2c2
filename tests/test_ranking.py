"""Average precision and AUC against published values, by definition, and in expectation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellgram.backends import get_backend
from wellgram.metrics.ranking import chance_precision, pooled_scores


def list_scores(positive, negative):
    """One list, by the kernel."""
    scores, p = np.concatenate([positive, negative]), len(positive)
    columns = np.arange(len(scores))
    found = get_backend().list_scores(scores[None], columns[:p], columns[None, p:])
    return tuple(float(part[0, 0]) for part in found)


def pooled(positive, negative):
    return tuple(float(part[0]) for part in pooled_scores(positive, np.asarray(negative)[None]))


def split(scores, labels):
    scores, labels = np.array(scores, float), np.array(labels, bool)
    return scores[labels], scores[~labels]


@pytest.mark.parametrize("score", [list_scores, pooled])
@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([0.9, 0.8, 0.3, 0.2], [1, 0, 0, 1], (0.75, 0.5)),
        ([0.5] * 4, [1, 0, 0, 1], (0.5, 0.5)),
        ([3, 2, 1], [1, 0, 0], (1, 1)),
        ([3, 2, 1], [0, 0, 1], (1 / 3, 0)),
        ([3, np.nan, 1, np.nan], [1, 1, 0, 0], (1, 1)),
    ],
)
def test_values_by_hand_and_as_published(score, scores, labels, expected):
    np.testing.assert_allclose(score(*split(scores, labels)), expected)


@pytest.mark.parametrize("score", [list_scores, pooled])
@pytest.mark.parametrize("scores", [([1.0], []), ([], [1.0]), ([np.nan], [1.0]), ([1.0], [np.nan])])
def test_lists_without_one_side_have_no_score(score, scores):
    assert np.isnan(score(*(np.array(part) for part in scores))).all()


def by_thresholds(scores, labels):
    """As scikit-learn: at each distinct score, precision times the gain in recall; AUC by pairs."""
    precision = 0.0
    for threshold in sorted(set(scores), reverse=True):
        at = scores == threshold
        precision += (labels & at).sum() / labels.sum() * labels[scores >= threshold].mean()
    high, low = scores[labels], scores[~labels]
    pairs = (high[:, None] > low) + (high[:, None] == low) / 2
    return precision, pairs.mean()


@given(
    values=st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=30),
)
def test_ties_count_as_in_scikit_learn(values):
    scores = np.array([value for value, _ in values], float)
    labels = np.array([label for _, label in values])
    if labels.all() or not labels.any():
        return
    expected = by_thresholds(scores, labels)
    np.testing.assert_allclose(list_scores(scores[labels], scores[~labels]), expected)
    np.testing.assert_allclose(pooled(scores[labels], scores[~labels]), expected)


@pytest.mark.parametrize(
    ("positives", "published"),
    [(1, 0.174), (2, 0.205), (3, 0.238), (5, 0.294), (8, 0.363), (10, 0.402), (20, 0.375)],
)
def test_chance_is_as_simulated_elsewhere(positives, published):
    """With max(2 positives, 20) negatives; the published are a simulation's, off by 0.002."""
    total = positives + max(2 * positives, 20)
    found = chance_precision(np.array([positives]), np.array([total]))[0]
    assert found == pytest.approx(published, abs=3e-3)


def test_chance_is_the_mean_of_random_rankings(rng):
    scores, columns = rng.random((20_000, 9)), np.arange(9)
    precision, _ = get_backend().list_scores(scores, columns[:3], columns[None, 3:])
    error = precision.std() / np.sqrt(len(precision))
    expected = chance_precision(np.array([3]), np.array([9]))[0]
    assert abs(precision.mean() - expected) < 5 * error


def test_chance_of_a_list_of_one():
    assert chance_precision(np.array([1]), np.array([1]))[0] == 1
