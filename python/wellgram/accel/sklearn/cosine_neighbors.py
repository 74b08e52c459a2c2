"""``NearestNeighbors.kneighbors`` of scikit-learn, by cosine and brute force.

Candidates are found in float32; cosines of candidates are taken in float64, and proven to be those
of the nearest.
"""

from typing import Any, NamedTuple

import numpy as np

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.sklearn.array_options import check_array_options
from wellgram.accel.value_range import check_scaled, check_squares
from wellgram.backends import get_backend
from wellgram.backends.consumers import Nearest
from wellgram.backends.protocol import Codes, Floats, Rows

_LEAST_PRODUCTS = 1 << 26
_SPARE = 16
"""Candidates beyond the neighbors, beside half as many as these"""
_MOST = 0.25
"""The share of rows that can be candidates, for a screen of them to be worth it"""


def of_cosine_neighbors(self: Any, X: Any, n_neighbors: Any, return_distance: Any) -> None:
    """Decline unless it was fitted to many rows of float64, by cosine and brute force."""
    from sklearn.neighbors import NearestNeighbors

    check_array_options()
    if type(self) is not NearestNeighbors or type(return_distance) is not bool:
        raise Declined("it is no NearestNeighbors, or an option is of another type")
    fitted = vars(self)
    if fitted.get("_fit_method") != "brute" or fitted.get("effective_metric_") != "cosine":
        raise Declined("it is not fitted by brute force, or the metric is not cosine")
    if fitted.get("effective_metric_params_") or "feature_names_in_" in fitted:
        raise Declined("the metric has options, or features have names")
    among = fitted.get("_fit_X")
    for rows in (among, among if X is None else X):
        if type(rows) is not np.ndarray or rows.ndim != 2 or rows.dtype != np.float64:
            raise Declined("rows are no matrix of float64")
    rows = among if X is None else X
    if rows.shape[1] != among.shape[1] or len(rows) == 0:
        raise Declined("rows differ in features")
    k = self.n_neighbors if n_neighbors is None else n_neighbors
    if type(k) is not int or k < 1 or _candidates(k) > _MOST * len(among):
        raise Declined("neighbors are not much fewer than rows")
    check_amount(len(rows) * among.size, _LEAST_PRODUCTS)
    for some in (among,) if rows is among else (among, rows):
        unusable, zero = get_backend().row_faults(some)
        if unusable.any() or zero.any():
            raise Declined("a row holds a NaN or an Inf, or is zero")
        check_squares(some)
        check_scaled(some)


def kneighbors(
    self: Any,
    X: Any = None,
    n_neighbors: int | None = None,
    return_distance: bool = True,
) -> tuple[Floats, Codes] | Codes:
    """Return the distances and indices of the nearest rows of each, or the indices."""
    k = self.n_neighbors if n_neighbors is None else n_neighbors
    run = get_backend()
    among, _ = run.unit_rows(self._fit_X)
    itself = X is self._fit_X  # of which each row is its own nearest
    rows = None if X is None or itself else run.unit_rows(X)[0]
    found = _nearest(among, k - itself, rows)
    if itself:
        own = np.arange(len(among))[:, None]
        found = Found(np.hstack([own, found.indices]), np.hstack([own * 0.0, found.distances]))
    return (found.distances, found.indices) if return_distance else found.indices


class Found(NamedTuple):
    """The nearest rows, the nearest first."""

    indices: Codes
    """(n, k)"""
    distances: Floats


def _candidates(k: int) -> int:
    return k + 1 + k // 2 + _SPARE


def _nearest(among: Rows, k: int, rows: Rows | None) -> Found:
    """Return the k nearest of some rows of each row of others, or of each but itself.

    Raises
    ------
    Declined
        If neighbors are so nearly as far that rounding errors decide their order.
    """
    run = get_backend()
    narrow = among.astype(np.float32)
    queries = among if rows is None else rows
    (screen,) = run.scan_pairs(
        narrow if rows is None else rows.astype(np.float32),
        [Nearest(_candidates(k), 0)],
        None if rows is None else narrow,
    )
    n, width = screen.nearest.shape
    each = np.repeat(np.arange(n), width)
    cosines = run.pair_cosines(queries, each, screen.nearest.ravel(), among).reshape(n, width)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, : k + 1]
    cosines = np.take_along_axis(cosines, order, axis=1)
    indices = np.take_along_axis(screen.nearest, order, axis=1)
    terms = among.shape[1] + 8  # each of which may be rounded
    if (cosines[:, -1] < screen.nearest_cosines[:, -1] + terms * 2.0**-24).any():
        raise Declined("many rows are nearly as near as the neighbors")
    tie = terms * 2.0**-50
    if (cosines[:, :-1] - cosines[:, 1:] <= tie).any():
        raise Declined("two neighbors are as far but for rounding")
    if rows is None and (cosines[:, 0] >= 1 - tie).any():
        raise Declined("a row is the same as another")
    return Found(indices[:, :k], np.clip(1 - cosines[:, :k], 0, 2))
