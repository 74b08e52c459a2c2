"""Features of which few values make up most."""

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats, Rows

_MIXER = np.uint64(0x9E3779B97F4A7C15)
"""Spreads the bits of a number over the top of its product"""


def with_repeated_values(
    columns: Rows, frequency: float, uniqueness: float, *, drops_constant: bool
) -> NDArray[np.bool_]:
    """Tell the features with a value that is far more frequent than others, or with few values.

    Parameters
    ----------
    columns
        A row for each feature
    frequency, uniqueness
        How often the second most frequent value must occur, as a share of the most frequent one;
        how many different values there must be, as a share of all
    drops_constant
        Whether a feature with fewer than two values is dropped whatever the least share is
    """
    n = columns.shape[1]
    bits = max(4, int(n).bit_length())
    dropped = np.zeros(len(columns), bool)
    for k, column in enumerate(columns):
        largest, distinct = _bounds(column, bits)
        if distinct >= 2 and not 1 / largest < frequency and not distinct / n < uniqueness:
            continue
        counts = _counts(column)
        if len(counts) < 2:
            few = drops_constant or frequency > 0
        else:
            second, most = np.partition(counts, len(counts) - 2)[-2:]
            few = second / most < frequency
        dropped[k] = few or len(counts) / n < uniqueness
    return dropped


def _bounds(column: Floats, bits: int) -> tuple[int, int]:
    """Return how often a value occurs at most, and how many values there are at least.

    Numbers are thrown into drawers by their bits; equal ones fall into the same.
    """
    same_zeros = column.astype(np.float64, copy=False) + 0.0
    if np.isnan(same_zeros.sum()):
        return len(column), 0
    drawers = (same_zeros.view(np.uint64) * _MIXER) >> np.uint64(64 - bits)
    held = np.bincount(drawers.view(np.int64), minlength=1 << bits)
    return int(held.max()), int(np.count_nonzero(held))


def _counts(column: Floats) -> NDArray[np.int64]:
    """Return how often each value occurs; missing ones are none."""
    in_order = np.sort(column[~np.isnan(column)])
    ends = np.flatnonzero(in_order[1:] != in_order[:-1])
    return np.diff(np.concatenate([[-1], ends, [len(in_order) - 1]])) if len(in_order) else ends
