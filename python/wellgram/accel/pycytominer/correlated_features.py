"""Features that pycytominer drops because they correlate with others, to the same bit."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.feature_columns import feature_columns
from wellgram.accel.pycytominer.row_ranks import row_ranks
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
    if not np.isfinite(columns.sum(axis=1)).all():
        raise Declined("a value is missing, infinite or very large")
    kind = method.lower() if isinstance(method, str) else None
    if kind == "pearson":
        # As the original has it, so that sums and thresholds have the same bits.
        correlations = pd.DataFrame(np.corrcoef(table.transpose()), index=names, columns=names)
    elif kind == "spearman":
        values = _rank_correlations(columns)
        tried = table[names[:_TRIED]].corr(method="spearman").to_numpy()
        if not np.array_equal(tried, values[:_TRIED, :_TRIED], equal_nan=True):
            raise Declined("pandas computes the correlations of ranks in another way")
        correlations = pd.DataFrame(values, index=names, columns=names, copy=False)
    else:
        raise Declined(f"correlation {method!r} is not supported")
    # The place of a feature in this order decides, also where sums are equal.
    order = correlations.abs().sum().sort_values().index
    place = order.get_indexer(pd.Index(names))
    first, second = np.nonzero(np.tril(correlations.to_numpy() > threshold, -1))
    dropped = np.where(place[first] > place[second], first, second)
    return [names[k] for k in np.unique(dropped)]


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
