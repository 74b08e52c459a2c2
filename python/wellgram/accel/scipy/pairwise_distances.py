"""``pdist`` and ``cdist`` of SciPy, on matrix products and all threads."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.distances.row_distances import CosineDistances, SquaredDistances, Tile, tiles
from wellgram.accel.value_range import check_squares
from wellgram.align.parallel import in_parallel
from wellgram.backends import get_backend
from wellgram.backends.protocol import Floats, Rows

_METRICS = ("euclidean", "cosine", "correlation")
_LEAST_FEATURES = 16
"""Rows of fewer are as fast one pair at a time"""
_LEAST_PRODUCTS = 1 << 26
_HEIGHT = 64
"""Rows of a tile of one set: with few, what is written of each is long"""
_LEAST_SPREAD = 1e-6
"""The share of its length that a row must keep about its mean, for its direction to have digits"""


def of_one_set(X: Any, metric: Any, out: Any, kwargs: Any) -> None:
    """Decline unless these are many rows of finite numbers, and the options are the usual ones."""
    _check_options(metric, out, kwargs)
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
    tiled, finish = _steps(metric, _rows(X, metric))
    n = len(X)
    found = np.empty(n * (n - 1) // 2)

    def fill(tile: Tile) -> None:
        some = tiled(tile)
        for r, i in enumerate(range(tile.rows.start, tile.rows.stop)):
            first = max(tile.columns.start, i + 1)
            place = i * n - i * (i + 1) // 2 + first - i - 1
            part = some[r, first - tile.columns.start :]
            finish(part, found[place : place + len(part)])

    in_parallel(fill, tiles(n, height=_HEIGHT))
    return found


def cdist(
    XA: Any,  # noqa: N803
    XB: Any,  # noqa: N803
    metric: str = "euclidean",
    *,
    out: None = None,
    kwargs: None = None,
) -> Floats:
    """Return the distances (m, n) of each row of one set to each of another."""
    tiled, finish = _steps(metric, _rows(XA, metric), _rows(XB, metric))
    found = np.empty((len(XA), len(XB)))

    def fill(tile: Tile) -> None:
        finish(tiled(tile), found[tile.rows, tile.columns])

    in_parallel(fill, tiles(*found.shape))
    return found


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


def _rows(given: Any, metric: str) -> Rows:
    """Return rows of which distances are products; for cosines, of length 1."""
    rows = np.ascontiguousarray(given, np.float64)
    run = get_backend()
    if run.row_faults(rows)[0].any():
        raise Declined("a row holds a NaN or an Inf")
    check_squares(rows)
    if metric == "euclidean":
        return rows
    if metric == "correlation":
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        rows = rows - rows.mean(axis=1, keepdims=True)
        if (np.sqrt(np.einsum("ij,ij->i", rows, rows)) <= _LEAST_SPREAD * lengths).any():
            raise Declined("the values of a row are all alike")
    units, zeros = run.unit_rows(rows)
    if len(zeros):
        raise Declined("a row is zero")
    return units


def _steps(
    metric: str, rows: Rows, others: Rows | None = None
) -> tuple[Callable[[Tile], Rows], Callable[[Rows, Floats], object]]:
    """Return what makes a tile, and what puts a part of it elsewhere, as distances."""
    if metric == "euclidean":
        return SquaredDistances(rows, others).of, np.sqrt
    return CosineDistances(rows, others).of, lambda apart, out: np.copyto(out, apart)
