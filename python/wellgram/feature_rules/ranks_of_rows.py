"""Ranks of the values within each row of a matrix."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats


def row_ranks(rows: NDArray[Any]) -> Floats:
    """Return the rank of each value in its row, from 1; equal values share the mean of theirs."""
    order = rows.argsort(axis=1)
    in_order = np.take_along_axis(rows, order, axis=1)
    ranks = np.empty(rows.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, rows.shape[1] + 1)[None, :], axis=1)
    for k in np.flatnonzero((in_order[:, 1:] == in_order[:, :-1]).any(axis=1)):
        _, place, counts = np.unique(rows[k], return_inverse=True, return_counts=True)
        ranks[k] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks
