"""``pdist`` and ``cdist`` of SciPy, in vectors and on all threads."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.amounts import check_amount
from wellgram.accel.compiled_core import check_compiled
from wellgram.accel.declined import Declined
from wellgram.accel.value_range import check_squares
from wellgram.backends import get_backend
from wellgram.backends.protocol import Floats
from wellgram.backends.row_distances import distances_between, distances_within

_METRICS = ("euclidean", "cosine", "correlation")
_LEAST_FEATURES = 16
"""Rows of fewer are as fast one pair at a time"""
_LEAST_PRODUCTS = 1 << 26
_LEAST_SPREAD = 1e-6
"""The share of its length that a row must keep about its mean, for its direction to have digits"""


def of_one_set(X: Any, metric: Any, out: Any, kwargs: Any) -> None:
    """Decline unless these are many rows of finite numbers, and the options are the usual ones."""
    _check_options(metric, out, kwargs)
    check_compiled()
    shape = _shape(X)
    check_amount(shape[0] * (shape[0] - 1) // 2 * shape[1], _LEAST_PRODUCTS)


def of_two_sets(
    XA: Any,  # noqa: N803  # SciPy's names
    XB: Any,  # noqa: N803
    metric: Any,
    out: Any,
    kwargs: Any,
) -> None:
    """Decline as for one set, and unless both have the same features."""
    _check_options(metric, out, kwargs)
    check_compiled()
    left, right = _shape(XA), _shape(XB)
    if left[1] != right[1]:
        raise Declined("rows differ in features")
    check_amount(left[0] * right[0] * left[1], _LEAST_PRODUCTS)


def pdist(
    X: Any,
    metric: str = "euclidean",
    *,
    out: None = None,
    kwargs: None = None,
) -> Floats:
    """Return the distances of all pairs of rows, those of the first row first."""
    return distances_within(_rows(X, metric), half_squares=metric != "euclidean")


def cdist(
    XA: Any,  # noqa: N803
    XB: Any,  # noqa: N803
    metric: str = "euclidean",
    *,
    out: None = None,
    kwargs: None = None,
) -> Floats:
    """Return the distances (m, n) of each row of one set to each of another."""
    rows, others = _rows(XA, metric), _rows(XB, metric)
    return distances_between(rows, others, half_squares=metric != "euclidean")


def _check_options(metric: Any, out: Any, kwargs: Any) -> None:
    if type(metric) is not str or metric not in _METRICS:
        raise Declined("the metric is another than euclidean, cosine and correlation")
    if out is not None or kwargs:
        raise Declined("options are given")


def _shape(given: Any) -> tuple[int, int]:
    """Return the shape of a matrix of NumPy, or of a plain table."""
    if type(given) is pd.DataFrame:
        kinds = list(given.dtypes)
    elif type(given) is np.ndarray and given.ndim == 2:
        kinds = [given.dtype]
    else:
        raise Declined("rows are no matrix of NumPy")
    if not all(isinstance(kind, np.dtype) and kind.char in "fdbBhHiIlLqQ" for kind in kinds):
        raise Declined("values are no usual numbers")
    n, d = given.shape
    if n == 0 or d < _LEAST_FEATURES:
        raise Declined("there are too few features")
    return n, d


def _rows(given: Any, metric: str) -> Floats:
    """Return rows; for cosines and correlations, of length 1."""
    rows = np.ascontiguousarray(given, np.float64)
    if metric == "euclidean":
        return rows
    run = get_backend()
    if run.row_faults(rows)[0].any():
        raise Declined("a row holds a NaN or an Inf")
    check_squares(rows)
    if metric == "correlation":
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        rows = rows - rows.mean(axis=1, keepdims=True)
        if (np.sqrt(np.einsum("ij,ij->i", rows, rows)) <= _LEAST_SPREAD * lengths).any():
            raise Declined("the values of a row are all alike")
    units, zeros = run.unit_rows(rows)
    if len(zeros):
        raise Declined("a row is zero")
    return np.asarray(units, np.float64)
