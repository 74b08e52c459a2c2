"""``silhouette_samples`` of scikit-learn, which ``silhouette_score`` takes the mean of."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.distances.class_silhouettes import (
    class_codes,
    cosine_silhouettes,
    euclidean_silhouettes,
)
from wellgram.accel.sklearn.array_options import check_array_options
from wellgram.accel.value_range import check_scaled, check_squares
from wellgram.backends import get_backend

_LEAST_PAIRS = 1 << 20
"""Fewer are done before the work has been handed out"""


def of_clusters(X: Any, labels: Any, metric: Any, kwds: Any) -> None:
    """Decline unless rows are finite floats of one type, in classes, and distances usual ones."""
    check_array_options()
    if type(metric) is not str or metric not in ("euclidean", "cosine") or kwds:
        raise Declined("the metric is another than euclidean and cosine, or has options")
    rows = _rows(X)
    check_amount(len(rows) ** 2, _LEAST_PAIRS)
    if get_backend().row_faults(rows)[0].any():
        raise Declined("a row holds a NaN or an Inf")
    check_squares(rows)
    if metric == "cosine":
        check_scaled(rows)
    class_codes(labels, len(rows))


def silhouette_samples(
    X: Any,
    labels: Any,
    *,
    metric: str = "euclidean",
    kwds: None = None,
) -> NDArray[Any]:
    """Return the silhouettes (n,) of rows, in their type."""
    rows = _rows(X)
    codes, classes = class_codes(labels, len(rows))
    compute = euclidean_silhouettes if metric == "euclidean" else cosine_silhouettes
    return compute(np.ascontiguousarray(rows, np.float64), codes, classes).astype(rows.dtype)


def _rows(given: Any) -> NDArray[Any]:
    """Return a matrix of NumPy, or a plain table, of floats of one type, as a matrix."""
    if type(given) is pd.DataFrame and len(set(given.dtypes)) == 1:
        kind = given.dtypes.iloc[0]
        given = given.to_numpy() if isinstance(kind, np.dtype) else None
    if type(given) is not np.ndarray or given.ndim != 2 or given.size == 0:
        raise Declined("rows are no matrix of NumPy")
    if given.dtype not in (np.float32, np.float64):
        raise Declined("rows are no floats")
    return given
