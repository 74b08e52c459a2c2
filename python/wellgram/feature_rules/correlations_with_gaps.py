"""Correlations of features with missing values, near enough to decide as pandas does."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats, Rows
from wellgram.feature_rules.undecided import Undecided

_NEAR = 1e-9
"""Theirs and ours differ by less, as both are sums of a few thousand float64"""
_LEAST_VARIANCE = 1e-5
"""Of the values that a feature shares with another, as a share of its own variance"""
_LEAST_SHARED = 3
"""How many profiles two features must have values in"""
_MOST_NEAR = 200
"""Pairs near to the threshold that pandas is asked for, one by one"""


def gapped_correlations(columns: Rows) -> Floats:
    """Return the correlation of each pair of features, over the profiles that have both.

    Parameters
    ----------
    columns
        A row for each feature

    Raises
    ------
    Undecided
        If two features share few profiles, or one hardly varies in those.
    """
    present = ~np.isnan(columns)
    if np.isinf(columns).any():
        raise Undecided("a value is infinite")
    counts = present.sum(axis=1)
    if counts.min() < _LEAST_SHARED:
        raise Undecided("features share too few profiles")
    values = np.where(present, columns, 0.0)
    values -= (values.sum(axis=1) / counts)[:, None]
    values[~present] = 0
    lengths = np.sqrt(np.einsum("ij,ij->i", values, values) / counts)
    largest = np.abs(columns).max(axis=1, where=present, initial=0)
    constant = np.array(
        [np.ptp(row[here]) == 0 for row, here in zip(columns, present, strict=True)]
    )
    if not (constant | (lengths > _NEAR * largest)).all() or not np.isfinite(lengths).all():
        raise Undecided("a feature hardly varies, or is very large")
    values /= np.where(constant, 1, lengths)[:, None]
    products = values @ values.T
    # Sums over the profiles that both have: only features with gaps leave some out.
    gaps = np.flatnonzero(counts < columns.shape[1])
    shared = np.minimum(counts[:, None], counts[None, :]).astype(float)
    sums = np.repeat(values.sum(axis=1)[:, None], len(columns), axis=1)
    squares = np.repeat(counts[:, None].astype(float), len(columns), axis=1)
    masks = present[gaps].T.astype(float)
    shared[:, gaps] = present.astype(float) @ masks
    shared[gaps, :] = shared[:, gaps].T
    sums[:, gaps] = values @ masks
    squares[:, gaps] = np.square(values) @ masks
    variances = squares - sums**2 / np.maximum(shared, 1)
    varies = ~constant
    both = varies[:, None] & varies[None, :]
    if (shared[both] < _LEAST_SHARED).any():
        raise Undecided("features share too few profiles")
    if (variances[both] < _LEAST_VARIANCE * shared[both]).any():
        raise Undecided("a feature hardly varies where another has values")
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (products - sums * sums.T / shared) / np.sqrt(variances * variances.T)
    found[~both] = np.nan
    return np.asarray(found)


def decided_pairs(
    table: pd.DataFrame, correlations: Floats, threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Return the pairs above a threshold, the later feature first, and the sums of all features.

    Raises
    ------
    Undecided
        If rounding could decide which feature of a pair correlates more with all others.
    """
    lower = np.tril(np.ones(correlations.shape, bool), -1)
    above = lower & (correlations > threshold)
    near = np.argwhere(lower & (np.abs(correlations - threshold) < _NEAR))
    if len(near) > _MOST_NEAR:
        raise Undecided("many correlations are near to the threshold")
    for later, earlier in near:
        exact = table.iloc[:, [earlier, later]].corr().to_numpy()[1, 0]
        above[later, earlier] = exact > threshold
    first, second = np.nonzero(above)
    sums = np.nansum(np.abs(correlations), axis=0)
    if (np.abs(sums[first] - sums[second]) < _NEAR * len(sums)).any():
        raise Undecided("features correlate with all others alike, but for rounding")
    return first, second, sums
