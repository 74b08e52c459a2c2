"""Features that correlate with others: of each pair, the one that correlates more with all."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats, Rows
from wellgram.feature_rules.correlations_with_gaps import decided_pairs, gapped_correlations
from wellgram.feature_rules.ranks_of_rows import row_ranks
from wellgram.feature_rules.undecided import Undecided

CorrelationMethod = Literal["pearson", "spearman"]

_MOST_PROFILES = 30_000
"""For whose ranks the sums of products are exact in float64, in whatever order they are added"""
_NEAR = 1e-9
"""Theirs and ours differ by less, as both are sums of products of float64"""
_TRIED = 4
"""How many features pandas correlates as well, to see that it computes as is assumed"""


def correlated_features(
    table: pd.DataFrame, columns: Rows, threshold: float, method: CorrelationMethod
) -> NDArray[np.bool_]:
    """Tell of each pair of correlated features the one that correlates more with all others.

    A pair correlates where its correlation is above the threshold; negative ones never do. The sums
    over all others are of sizes.

    Parameters
    ----------
    table
        The features, two or more, of two profiles or more
    columns
        The same with a row for each feature
    threshold
        From 0 to 1
    method
        Of the values, or of their ranks

    Raises
    ------
    Undecided
        If rounding could decide, or values are infinite.
    """
    complete = np.isfinite(columns.sum(axis=1)).all()
    if method == "pearson" and not complete:
        correlations = gapped_correlations(columns)
        first, second, sums = decided_pairs(table, correlations, threshold)
        return _dropped(len(columns), first, second, sums)
    if not complete:
        raise Undecided("a value is missing, infinite or very large")
    return above_threshold(_exact_correlations(table, columns, method), threshold)


def plainly_correlated(correlations: Floats, threshold: float) -> NDArray[np.bool_]:
    """Tell those features by correlations (d, d) that are those of the original but for rounding.

    Raises
    ------
    Undecided
        If rounding could decide.
    """
    above = np.tril(correlations > threshold, -1)
    if np.tril(np.abs(correlations - threshold) < _NEAR, -1).any():
        raise Undecided("a correlation is near to the threshold")
    first, second = np.nonzero(above)
    sums = np.nansum(np.abs(correlations), axis=0)
    if (np.abs(sums[first] - sums[second]) < _NEAR * len(sums)).any():
        raise Undecided("features correlate with all others alike, but for rounding")
    return _dropped(len(sums), first, second, sums)


def above_threshold(correlations: pd.DataFrame, threshold: float) -> NDArray[np.bool_]:
    """Tell those features by the correlations (d, d) of all of them."""
    # The place of a feature in this order decides, also where sums are equal.
    order = correlations.abs().sum().sort_values().index
    first, second = np.nonzero(np.tril(correlations.to_numpy() > threshold, -1))
    return _dropped(len(correlations), first, second, order.get_indexer(correlations.columns))


def _dropped(
    count: int, first: NDArray[np.intp], second: NDArray[np.intp], rank: NDArray[Any]
) -> NDArray[np.bool_]:
    """Tell the feature of each pair that has the higher rank."""
    dropped = np.zeros(count, bool)
    dropped[np.where(rank[first] > rank[second], first, second)] = True
    return dropped


def _exact_correlations(
    table: pd.DataFrame, columns: Rows, method: CorrelationMethod
) -> pd.DataFrame:
    """Return correlations as the original has them, so that sums and thresholds have its bits."""
    names = table.columns
    if method == "pearson":
        return pd.DataFrame(np.corrcoef(table.transpose()), index=names, columns=names)
    values = _rank_correlations(columns)
    tried = table.iloc[:, :_TRIED].corr(method="spearman").to_numpy()
    if not np.array_equal(tried, values[:_TRIED, :_TRIED], equal_nan=True):
        raise Undecided("pandas computes the correlations of ranks in another way")
    return pd.DataFrame(values, index=names, columns=names, copy=False)


def _rank_correlations(columns: Rows) -> Floats:
    """Return the correlations of ranks.

    Centred ranks are halves, so that all sums of products are exact.
    """
    if columns.shape[1] > _MOST_PROFILES:
        raise Undecided("there are too many profiles to correlate ranks exactly")
    ranks = row_ranks(columns) - (columns.shape[1] + 1) / 2
    products = ranks @ ranks.T
    squares = np.diag(products)
    with np.errstate(invalid="ignore"):  # of what does not vary
        return np.asarray(products / np.sqrt(squares[:, None] * squares))
