"""Average precision and ROC AUC of lists of scores, many at a time; ties as scikit-learn."""

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats

Scores = NDArray[np.floating]


def list_scores(positive: Scores, negative: Scores) -> tuple[Floats, Floats]:
    """Return average precision and ROC AUC of lists of scored positives and negatives.

    Parameters
    ----------
    positive, negative
        (..., p) and (..., n), broadcast against each other; a NaN is not in its list.

    Returns
    -------
    average precision, AUC
        (...). The first is the mean over positives of the share of positives among all that score
        as high or higher; the second, over pairs, the share with the positive above, ties half. NaN
        where a list has no positive or no negative.
    """
    present = ~np.isnan(positive)
    among = (positive[..., None, :] >= positive[..., :, None]).sum(axis=-1)
    up_to = (negative[..., None, :] >= positive[..., :, None]).sum(axis=-1)
    above = (negative[..., None, :] > positive[..., :, None]).sum(axis=-1)
    p, n = present.sum(axis=-1), (~np.isnan(negative)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(present, among / (among + up_to), 0).sum(axis=-1) / p
        beaten = np.where(present, (up_to + above) / 2, 0).sum(axis=-1) / p
        auc = 1 - beaten / n
    none = (p == 0) | (n == 0)
    return np.where(none, np.nan, precision), np.where(none, np.nan, auc)


def pooled_scores(positive: Scores, negative: Scores) -> tuple[float, float]:
    """Return average precision and ROC AUC of one list, too long to compare all with all."""
    high, low = (np.sort(part[~np.isnan(part)]) for part in (positive, negative))
    if not len(high) or not len(low):
        return np.nan, np.nan
    among = len(high) - np.searchsorted(high, high, side="left")
    up_to = len(low) - np.searchsorted(low, high, side="left")
    above = len(low) - np.searchsorted(low, high, side="right")
    auc = 1 - float((up_to + above).mean()) / 2 / len(low)
    return float((among / (among + up_to)).mean()), auc


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
