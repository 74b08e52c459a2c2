"""Features that correlate with others: of each pair, the one that correlates more with all."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats
from wellgram.feature_rules.correlations_with_gaps import decided_pairs, gapped_correlations
from wellgram.feature_rules.ranks_of_rows import row_ranks
from wellgram.feature_rules.undecided import Undecided

CorrelationMethod = Literal["pearson", "spearman"]

_MOST_PROFILES = 30_000
"""For whose ranks the sums of products are exact in float64, in whatever order they are added"""
_TRIED = 4
"""How many features pandas correlates as well, to see that it computes as is assumed"""


def correlated_features(
    table: pd.DataFrame, columns: Floats, threshold: float, method: CorrelationMethod
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
    table: pd.DataFrame, columns: Floats, method: CorrelationMethod
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


def _rank_correlations(columns: Floats) -> Floats:
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
