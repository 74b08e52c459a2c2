"""Features that hardly vary, lack values or have outliers."""

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats, Rows
from wellgram.feature_rules.undecided import Undecided

_EPS = np.finfo(np.float64).eps
_NEAR = 1e-9
"""Of a variance: theirs and ours differ by less, beside the rounding of the mean"""
_SQUARED = 1e-140
"""What the least variation must be for its square not to vanish"""


def with_low_variance(columns: Rows, least: float) -> NDArray[np.bool_]:
    """Tell the features whose variance (ddof 0) is not above the least.

    Parameters
    ----------
    columns
        A row for each feature
    least
        0 or more

    Raises
    ------
    Undecided
        If a variance is too near to the least, or cannot be had.
    """
    n = columns.shape[1]
    low = np.zeros(len(columns), bool)
    with np.errstate(over="ignore", invalid="ignore"):
        means = columns.sum(axis=1, dtype=np.float64) / n
        squares = np.einsum("ij,ij->i", columns, columns, dtype=np.float64) / n
        # Most features vary so much that one pass over them tells.
        plain = squares - np.square(means) - 4 * n * _EPS * squares > least * (1 + _NEAR)
    for k in np.flatnonzero(~plain | ~np.isfinite(squares)):
        low[k] = _is_low(columns[k].astype(np.float64), least)
    return low


def _is_low(values: Floats, least: float) -> bool:
    """Tell whether the variance of a feature is not above the least."""
    missing = np.isnan(values)
    if missing.any():
        values = values[~missing]
        if least == 0 or not len(values):
            raise Undecided("a value is missing, and there is no least variance or no other value")
    if not np.isfinite(values).all():
        raise Undecided("a value is infinite")
    if least == 0:  # scikit-learn takes what is the same for that, whatever is rounded
        if 0 < np.ptp(values) < _SQUARED:
            raise Undecided("a variance is too small for its type")
        return bool((values == values[0]).all())
    n = len(values)
    mean = values.mean()
    variance = float(np.square(values - mean).mean())
    rounding = (n * _EPS * np.abs(values).max()) ** 2
    if not abs(variance - least) > _NEAR * (variance + least) + rounding:
        raise Undecided("a variance is too near to the least")
    return variance <= least


def with_missing_values(columns: Rows, cutoff: float) -> NDArray[np.bool_]:
    """Tell the features of whose values more than a share is missing."""
    missing = np.zeros(len(columns), np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        suspects = np.flatnonzero(np.isnan(columns.sum(axis=1)))
    missing[suspects] = np.isnan(columns[suspects]).sum(axis=1)
    return np.asarray(missing / columns.shape[1] > cutoff)


def with_outliers(columns: Rows, cutoff: float) -> NDArray[np.bool_]:
    """Tell the features with a value further from zero than the cutoff."""
    furthest = np.maximum(columns.max(axis=1), -columns.min(axis=1))
    missing = np.flatnonzero(np.isnan(furthest))
    furthest[missing] = np.fmax.reduce(np.abs(columns[missing]), axis=1)
    return np.asarray(furthest > cutoff)
