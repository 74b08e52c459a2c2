"""Average precision beside what is expected of random rankings, as copairs has it."""

import numpy as np
import pytest

from helpers.accelerated import Pair, outcome, same_error
from wellgram.accel.copairs.copairs_releases import copairs_release

pytest.importorskip(
    "copairs.map",
    reason="copairs is absent (pip install --no-deps copairs==0.5 duckdb==1.3.2 statsmodels patsy "
    "tqdm)",
)
pytestmark = pytest.mark.skipif(
    not copairs_release().normalizes, reason="only copairs 0.5.3 and later normalizes"
)


@pytest.fixture(scope="module")
def normalize():
    return Pair(":normalize_ap")


def test_scores_are_equal_to_the_bit(normalize):
    rng = np.random.default_rng(0)
    positives, negatives = rng.integers(0, 30, size=(2, 400))
    positives[(positives == 0) & (negatives == 0)] = 1
    scores = np.where(positives > 0, rng.uniform(size=400), np.nan)
    scores[:9] = 1.0
    for kind in (np.float64, np.float32):
        np.testing.assert_array_equal(*normalize(scores.astype(kind), positives, negatives))
    unsigned = positives.astype(np.uint32), negatives.astype(np.uint32)
    np.testing.assert_array_equal(*normalize(scores, *unsigned))


def test_long_rankings_are_equal_to_the_bit(normalize):
    np.testing.assert_array_equal(
        *normalize(np.full(3, 0.25), np.array([1, 7, 5000]), np.array([9999, 20_000, 5000]))
    )


CASES = {
    "a number": (0.5, 3, 7),
    "one count for all": (np.array([0.1, 0.9]), 3, np.array([7])),
    "perfect": (1.0, 4, 0),
    "a single negative": (np.array([0.0]), np.array([0]), np.array([1])),
    "lists": ([0.1, 0.9], [3, 4], [5, 6]),
    "nothing to rank": (0.5, 0, 0),
    "negative counts": (0.5, -1, 4),
    "lengths that differ": (np.array([0.1, 0.2, 0.3]), np.array([1, 2]), np.array([3, 4, 5])),
    "counts that are no whole numbers": (0.5, 3.5, 7.2),
    "no scores": (np.empty(0), np.empty(0, int), np.empty(0, int)),
}


@pytest.mark.parametrize("case", CASES)
def test_any_arguments_are_equal_or_the_originals(normalize, case):
    theirs = outcome(normalize.original, *CASES[case])
    _, ours = normalize.declines(*CASES[case])
    if not same_error(theirs, ours):
        np.testing.assert_array_equal(theirs, ours)
        assert type(theirs) is type(ours)
