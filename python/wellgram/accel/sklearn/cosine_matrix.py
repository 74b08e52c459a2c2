"""Cosine similarity of scikit-learn: rows scaled once, both triangles from one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.sklearn.array_options import check_array_options
from wellgram.accel.value_range import check_scaled, check_squares
from wellgram.backends import get_backend
from wellgram.backends.consumers import Matrix

_LEAST_PRODUCTS = 1 << 30
"""A matrix of fewer multiply-adds is done before the work has been handed out"""


def of_floats(X: Any, Y: Any, dense_output: Any) -> None:  # noqa: N803  # scikit-learn's names
    """Decline unless the rows are dense and finite, of one type, and many."""
    check_array_options()
    if type(dense_output) is not bool:
        raise Declined("an option is of another type")
    for rows in (X, X if Y is None else Y):
        if type(rows) is not np.ndarray or rows.ndim != 2 or rows.size == 0:
            raise Declined("rows are no matrix of NumPy")
        if rows.dtype not in (np.float32, np.float64) or rows.dtype != X.dtype:
            raise Declined("rows are no floats of one type")
        if rows.shape[1] != X.shape[1]:
            raise Declined("rows differ in features")
    check_amount(len(X) * len(X if Y is None else Y) * X.shape[1], _LEAST_PRODUCTS)
    for rows in (X, X if Y is None else Y):
        if get_backend().row_faults(rows)[0].any():
            raise Declined("a row holds a NaN or an Inf")
        check_squares(rows)
        check_scaled(rows)


def cosine_similarity(
    X: NDArray[Any],
    Y: NDArray[Any] | None = None,  # noqa: N803
    dense_output: bool = True,
) -> NDArray[Any]:
    """Return the cosines of all rows of X with all of Y, or of X."""
    run = get_backend()
    left, _ = run.unit_rows(X)
    if Y is not None and Y is not X:
        out = np.empty((len(X), len(Y)), X.dtype)
        run.scan_pairs(left, [Matrix(out)], run.unit_rows(Y)[0])
        return out
    out = np.empty((len(X), len(X)), X.dtype)
    run.scan_pairs(left, [Matrix(out)])
    each = np.arange(len(X))
    np.fill_diagonal(out, run.pair_cosines(left, each, each))
    return out
