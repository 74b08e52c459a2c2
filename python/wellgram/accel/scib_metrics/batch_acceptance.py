"""``kbet`` of scib-metrics: whether batches are in proportion among the neighbors of each row."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.distances.class_silhouettes import class_codes
from wellgram.accel.scib_metrics.jax_options import check_float32_on_processor
from wellgram.accel.scib_metrics.label_silhouettes import check_labels
from wellgram.backends.protocol import Codes, Floats

_EDGE = 2e-6
"""How far a p-value may be from that of the original, whose digits are those of float32"""
_MOST_BATCHES = 50
"""With more, float32 is further off"""
_CHUNK_NUMBERS = 1 << 22


def of_neighbors(X: Any, batches: Any, alpha: Any) -> None:
    """Decline unless neighbors are rows by number, of two batches or more without gaps."""
    from scib_metrics.nearest_neighbors import NeighborsResults

    check_float32_on_processor()
    if type(X) is not NeighborsResults or type(alpha) is not float:
        raise Declined("neighbors, or the level, are of another type")
    indices = X.indices
    if type(indices) is not np.ndarray or indices.ndim != 2 or indices.dtype.kind not in "iu":
        raise Declined("neighbors are no matrix of row numbers")
    if indices.size == 0 or indices.min() < 0 or indices.max() >= len(indices):
        raise Declined("a neighbor is no row")
    if type(batches) not in (np.ndarray, pd.Series):
        raise Declined("batches are no array")
    check_labels(batches)
    if class_codes(batches, len(indices))[1] > _MOST_BATCHES:
        raise Declined("there are many batches")


def kbet(
    X: Any, batches: Any, alpha: float = 0.05
) -> tuple[np.float64, NDArray[np.float32], NDArray[np.float32]]:
    """Return the share of rows whose batches pass, and the statistic and p-value of each.

    Raises
    ------
    Declined
        If a p-value is so near alpha that rounding decides.
    """
    from scipy.special import chdtrc

    codes, count = class_codes(batches, len(X.indices))
    statistics = _statistics(X.indices, codes, count)
    different, which = np.unique(statistics, return_inverse=True)
    p_values = chdtrc(count - 1, different)[which]
    if (np.abs(p_values - alpha) < _EDGE).any():
        raise Declined("a p-value is the level but for rounding")
    accepted = np.float64((p_values >= alpha).mean())
    return accepted, statistics.astype(np.float32), p_values.astype(np.float32)


def _statistics(neighbors: NDArray[Any], codes: Codes, count: int) -> Floats:
    """Return the chi-squared statistic of the batches around each row."""
    n, k = neighbors.shape
    expected = np.bincount(codes) / n * k
    out = np.empty(n)
    step = max(1, _CHUNK_NUMBERS // max(k, count))
    for first in range(0, n, step):
        met = codes[neighbors[first : first + step]]
        met += np.arange(len(met))[:, None] * count
        observed = np.bincount(met.ravel(), minlength=len(met) * count).reshape(-1, count)
        out[first : first + step] = (np.square(observed - expected) / expected).sum(axis=1)
    return out
