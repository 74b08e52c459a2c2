"""Cosine similarity of scikit-learn, of one set of rows: both triangles from one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.sklearn.array_options import check_array_options
from wellgram.accel.value_range import check_scaled, check_squares
from wellgram.backends import get_backend
from wellgram.backends.consumers import Matrix

_LEAST_PRODUCTS = 1 << 34
"""A matrix of fewer multiply-adds is made as fast by a library of matrix products"""


def of_floats(X: Any, Y: Any, dense_output: Any) -> None:  # noqa: N803  # scikit-learn's names
    """Decline unless the rows are dense and finite, many, and compared with each other."""
    check_array_options()
    if type(dense_output) is not bool:
        raise Declined("an option is of another type")
    if Y is not None and Y is not X:
        raise Declined("of two sets of rows, the original makes a matrix product too")
    if type(X) is not np.ndarray or X.ndim != 2 or X.size == 0:
        raise Declined("rows are no matrix of NumPy")
    if X.dtype not in (np.float32, np.float64):
        raise Declined("rows are no floats")
    check_amount(len(X) ** 2 * X.shape[1], _LEAST_PRODUCTS)
    if get_backend().row_faults(X)[0].any():
        raise Declined("a row holds a NaN or an Inf")
    check_squares(X)
    check_scaled(X)


def cosine_similarity(
    X: NDArray[Any],
    Y: NDArray[Any] | None = None,  # noqa: N803
    dense_output: bool = True,
) -> NDArray[Any]:
    """Return the cosines (n, n) of all rows."""
    run = get_backend()
    units, _ = run.unit_rows(X)
    out = np.empty((len(X), len(X)), X.dtype)
    run.scan_pairs(units, [Matrix(out)])
    each = np.arange(len(X))
    np.fill_diagonal(out, run.pair_cosines(units, each, each))
    return out
