"""Values whose squares leave their type: there an original overflows, and is left to do so."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.declined import Declined

_WITHIN = {np.dtype(np.float32): (1e-15, 1e19), np.dtype(np.float64): (1e-140, 1e150)}
"""What the largest value of a row, and the length of a row, must lie in: squares keep 1e-6 there"""


_SHORTEST = 20
"""Rows that are not this many times as long as rounding of their type are not scaled to length 1
by scikit-learn, which takes those up to 10 times for rows of zeros"""


def check_scaled(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Decline unless scikit-learn scales each row that is not zero to length 1.

    Returns the lengths (n,) of rows whose squares can be added up: 0 for those of zeros alone.
    """
    lengths: NDArray[np.floating] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    if ((lengths > 0) & (lengths < _SHORTEST * np.finfo(rows.dtype).eps)).any():
        raise Declined("a row is so short that scikit-learn takes it for zero")
    return lengths


def check_squares(rows: NDArray[Any]) -> None:
    """Decline unless each row's squares can be added up in its type; rows of zeros can be."""
    if rows.dtype not in _WITHIN:
        return
    least, most = _WITHIN[rows.dtype]
    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    if largest.max() * np.sqrt(rows.shape[1]) > most or (largest[largest > 0] < least).any():
        raise Declined("the squares of a row are too large or too small for its type")
