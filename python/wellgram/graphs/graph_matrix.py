"""Graphs as sparse matrices."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes, Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def csr_of(columns: Codes, values: Floats, kept: NDArray[np.bool_], width: int) -> "csr_matrix":
    """Return a matrix (n, width) in CSR whose kept rows have as many entries each, in their order.

    Parameters
    ----------
    columns, values
        (m, k): of the rows that are kept.
    kept
        (n,): which rows have entries; m of them.
    width
        How many columns the matrix has.
    """
    from scipy.sparse import csr_matrix

    starts = np.concatenate([[0], np.cumsum(np.where(kept, columns.shape[1], 0))])
    return csr_matrix((values.ravel(), columns.ravel(), starts), shape=(len(kept), width))


def with_itself(nearest: Codes, distances: Floats) -> tuple[Codes, Floats]:
    """Return the neighbors (m, k + 1) of rows that have any, each row itself first, 0 apart."""
    kept = np.flatnonzero(nearest[:, 0] >= 0)
    itself = kept[:, None]
    return (
        np.hstack([itself, nearest[kept]]),
        np.hstack([np.zeros(itself.shape), distances[kept]]),
    )
