"""list_scores against the reference."""

import numpy as np
import pytest

from helpers.oracle import reference
from wellgram import InputError


@pytest.mark.parametrize("levels", [0, 1, 9])
@pytest.mark.parametrize(("p", "q", "draws"), [(1, 1, 1), (3, 20, 300), (0, 4, 2), (4, 0, 2)])
@pytest.mark.parametrize("ties", [False, True])
def test_scores(backend, rng, dtype, levels, p, q, draws, ties):
    scores = rng.normal(size=(levels, 40)).astype(dtype)
    if ties:
        scores = scores.round(1)
    scores[rng.random(scores.shape) < 0.1] = np.nan
    positives = rng.choice(40, p, replace=False)
    negatives = rng.integers(0, 40, (draws, q))
    got = backend.list_scores(scores, positives, negatives)
    expected = reference.list_scores(scores, positives, negatives)
    for one, other in zip(got, expected, strict=True):
        assert one.shape == (levels, draws)
        # Sums of at most four quotients.
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_scores_do_not_depend_on_threads(backend, rng, by_threads):
    scores, negatives = rng.normal(size=(3, 30)), rng.integers(0, 30, (400, 5))
    first, *others = by_threads(lambda: backend.list_scores(scores, np.arange(4), negatives))
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize(
    ("positives", "negatives"), [([5], [[0]]), ([0], [[-1]]), ([0], [0]), ([[0]], [[0]])]
)
def test_lists_of_columns_that_are_not_there(backend, positives, negatives):
    with pytest.raises(InputError):
        backend.list_scores(np.zeros((2, 5)), np.array(positives), np.array(negatives))
