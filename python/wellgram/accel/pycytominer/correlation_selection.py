"""Features that pycytominer drops because they correlate with others, to the same bit."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.columns_of_features import feature_columns
from wellgram.accel.pycytominer.correlations_with_gaps import decided_pairs, gapped_correlations
from wellgram.accel.pycytominer.ranks_of_rows import row_ranks
from wellgram.backends.protocol import Floats

_MOST_PROFILES = 30_000
"""For whose ranks the sums of products are exact in float64, in whatever order they are added"""
_TRIED = 4
"""How many features pandas correlates as well, to see that it computes as is assumed"""


def correlated_features(table: pd.DataFrame, threshold: Any, method: Any) -> list[str]:
    """Return of each pair of correlated features the one that correlates more with all others."""
    names = list(table.columns)
    if not isinstance(threshold, float | int) or not 0 <= threshold <= 1:
        raise Declined("the threshold of correlations is no number from 0 to 1")
    if len(names) < 2 or len(table) < 2 or table.columns.name is not None:
        raise Declined("there are fewer than two features or profiles, or columns have a name")
    columns = feature_columns(table)
    kind = method.lower() if isinstance(method, str) else None
    complete = np.isfinite(columns.sum(axis=1)).all()
    if kind == "pearson" and not complete:
        correlations = gapped_correlations(columns)
        first, second, sums = decided_pairs(table, correlations, threshold)
        return _dropped(names, first, second, sums)
    if not complete:
        raise Declined("a value is missing, infinite or very large")
    exact = _exact_correlations(table, columns, kind)
    # The place of a feature in this order decides, also where sums are equal.
    order = exact.abs().sum().sort_values().index
    first, second = np.nonzero(np.tril(exact.to_numpy() > threshold, -1))
    return _dropped(names, first, second, order.get_indexer(pd.Index(names)))


def _dropped(
    names: list[str], first: NDArray[np.intp], second: NDArray[np.intp], rank: NDArray[Any]
) -> list[str]:
    """Return the feature of each pair that has the higher rank."""
    return [names[k] for k in np.unique(np.where(rank[first] > rank[second], first, second))]


def _exact_correlations(table: pd.DataFrame, columns: Floats, kind: str | None) -> pd.DataFrame:
    """Return correlations as the original has them, so that sums and thresholds have its bits."""
    names = table.columns
    if kind == "pearson":
        return pd.DataFrame(np.corrcoef(table.transpose()), index=names, columns=names)
    if kind != "spearman":
        raise Declined(f"correlation {kind!r} is not supported")
    values = _rank_correlations(columns)
    tried = table.iloc[:, :_TRIED].corr(method="spearman").to_numpy()
    if not np.array_equal(tried, values[:_TRIED, :_TRIED], equal_nan=True):
        raise Declined("pandas computes the correlations of ranks in another way")
    return pd.DataFrame(values, index=names, columns=names, copy=False)


def _rank_correlations(columns: Floats) -> Floats:
    """Return the correlations of ranks.

    Centred ranks are halves, so that all sums of products are exact.
    """
    if columns.shape[1] > _MOST_PROFILES:
        raise Declined("there are too many profiles to correlate ranks exactly")
    ranks = row_ranks(columns) - (columns.shape[1] + 1) / 2
    products = ranks @ ranks.T
    squares = np.diag(products)
    with np.errstate(invalid="ignore"):  # of what does not vary
        return np.asarray(products / np.sqrt(squares[:, None] * squares))
