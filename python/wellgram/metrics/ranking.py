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


def chance_precision(positives: NDArray[np.integer], total: NDArray[np.integer]) -> Floats:
    """Return the expected average precision of a random ranking.

    ``(H + (p - 1) / (n - 1) (n - H)) / n`` for p positives among n, H the n-th harmonic number.
    """
    p, n = np.asarray(positives, np.float64), np.asarray(total, np.float64)
    harmonic = np.cumsum(1 / np.arange(1, int(n.max(initial=1)) + 1))[n.astype(int) - 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = np.where(n > 1, (p - 1) / (n - 1), 0.0)
    return np.asarray((harmonic + rest * (n - harmonic)) / n)
