"""``silhouette_samples`` of scib-metrics, which all its silhouettes are taken from.

Those are `silhouette_label`, `silhouette_batch`, `bras` and `isolated_labels`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.distances.class_silhouettes import (
    Other,
    class_codes,
    cosine_silhouettes,
    euclidean_silhouettes,
)
from wellgram.accel.scib_metrics.jax_options import check_float32_on_processor
from wellgram.accel.value_range import check_squares
from wellgram.backends import get_backend

_WITHIN = (1e-4, 1e8)
"""What the length of each row must lie in: cosines multiply the squares of two"""


def of_labelled(
    X: Any, labels: Any, chunk_size: Any, metric: Any, between_cluster_distances: Any
) -> None:
    """Decline unless rows are finite floats, in classes, and options are known."""
    check_float32_on_processor()
    if type(X) is not np.ndarray or X.ndim != 2 or X.size == 0:
        raise Declined("rows are no matrix of NumPy")
    if X.dtype not in (np.float32, np.float64):
        raise Declined("rows are no floats")
    if type(chunk_size) is not int or chunk_size < 1:
        raise Declined("an option is of another type")
    if metric not in ("euclidean", "cosine"):
        raise Declined("the metric is another than euclidean and cosine")
    if between_cluster_distances not in ("nearest", "mean_other", "furthest"):
        raise Declined("the distances between classes are of another kind")
    rows = _narrow(X)
    unusable, zero = get_backend().row_faults(rows)
    if unusable.any() or (metric == "cosine" and zero.any()):
        raise Declined("a row holds a NaN or an Inf, or is zero")
    check_squares(rows)
    if metric == "cosine":
        lengths = np.linalg.norm(rows, axis=1)
        if lengths.min() < _WITHIN[0] or lengths.max() > _WITHIN[1]:
            raise Declined("a row is too long or too short for float32")
    check_labels(labels)
    class_codes(labels, len(rows))


def silhouette_samples(
    X: NDArray[Any],
    labels: Any,
    chunk_size: int = 256,
    metric: str = "euclidean",
    between_cluster_distances: Other = "nearest",
) -> NDArray[np.float32]:
    """Return the silhouettes (n,) of rows."""
    rows = _narrow(X).astype(np.float64)
    codes, classes = class_codes(labels, len(rows))
    compute = euclidean_silhouettes if metric == "euclidean" else cosine_silhouettes
    return compute(rows, codes, classes, between_cluster_distances).astype(np.float32)


def check_labels(labels: Any) -> None:
    """Decline a plain list, and categories, of which some may have no rows."""
    if type(labels) is list or str(labels.dtype) == "category":
        raise Declined("labels are a plain list, or categories")


def _narrow(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return rows as JAX takes them."""
    with np.errstate(over="ignore"):
        return rows.astype(np.float32, copy=False)
