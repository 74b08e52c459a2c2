"""Average precision and ROC AUC of lists of scores; ties as scikit-learn."""

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats

Scores = NDArray[np.floating]


def pooled_scores(positive: Scores, negative: Scores) -> tuple[Floats, Floats]:
    """Return average precision and ROC AUC of lists too long to compare all with all.

    Parameters
    ----------
    positive, negative
        (p,) and (draws, n): a list of the same positives for each draw; a NaN is not in its list.
    """
    high = np.sort(positive[~np.isnan(positive)])
    precision, auc = np.full((2, len(negative)), np.nan)
    among = len(high) - np.searchsorted(high, high, side="left")
    for draw, scores in enumerate(negative):
        low = np.sort(scores[~np.isnan(scores)])
        if not len(high) or not len(low):
            continue
        first = np.searchsorted(low, high, side="left")
        last = first.copy()
        tied = low[np.minimum(first, len(low) - 1)] == high
        last[tied] = np.searchsorted(low, high[tied], side="right")
        up_to, above = len(low) - first, len(low) - last
        precision[draw] = (among / (among + up_to)).mean()
        auc[draw] = 1 - (up_to + above).mean() / 2 / len(low)
    return precision, auc


def precision_by_positives(starts: NDArray[np.integer], above: NDArray[np.integer]) -> Floats:
    """Return the average precision of lists whose positives are known, ties in their favour.

    Parameters
    ----------
    starts
        (e + 1,): the positives of list e, the least first, are those from ``starts[e]`` on. Each
        has one.
    above
        (m,) how many negatives are above each positive.
    """
    count = np.diff(starts)
    t = np.repeat(starts[1:], count) - np.arange(len(above))
    return np.add.reduceat(t / (t + above), starts[:-1]) / count


def precision_by_negatives(
    starts: NDArray[np.integer], up_to: NDArray[np.integer], positives: NDArray[np.integer]
) -> Floats:
    """Return the same where negatives are known: for each how many positives are not below it.

    After c negatives, the positives from the (a + 1)-th to the b-th add ``t / (t + c)`` each, that
    is ``(b - a) - c (H(b + c) - H(a + c))`` in all, H the harmonic numbers.
    """
    count = np.diff(starts)
    c = np.repeat(starts[1:], count) - np.arange(len(up_to)) - 1
    before = np.append(up_to[1:], 0)
    before[starts[1:] - 1] = 0
    harmonic = _harmonic(int((positives + count).max()))

    def run(a: NDArray[np.integer], b: NDArray[np.integer], c: NDArray[np.integer]) -> Floats:
        return np.asarray((b - a) - c * (harmonic[b + c] - harmonic[a + c]))

    among = np.add.reduceat(run(before, up_to, c), starts[:-1])
    return np.asarray((among + run(up_to[starts[:-1]], positives, count)) / positives)


def _harmonic(most: int) -> Floats:
    """Return the harmonic numbers from the 0-th on."""
    return np.cumsum(np.append(0.0, 1 / np.arange(1, most + 1)))


def chance_precision(positives: NDArray[np.integer], total: NDArray[np.integer]) -> Floats:
    """Return the expected average precision of a random ranking.

    ``(H + (p - 1) / (n - 1) (n - H)) / n`` for p positives among n, H the n-th harmonic number.
    """
    p, n = np.asarray(positives, np.float64), np.asarray(total, np.float64)
    harmonic = _harmonic(int(n.max(initial=1)))[n.astype(int)]
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = np.where(n > 1, (p - 1) / (n - 1), 0.0)
    return np.asarray((harmonic + rest * (n - harmonic)) / n)
