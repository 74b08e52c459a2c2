"""Euclidean distances of rows, which the compiled core takes from differences.

Nearly equal rows keep all digits of their distance, since no squares of lengths cancel.
"""

import numpy as np

from wellgram.backends.moments import amid
from wellgram.backends.protocol import Codes, Floats
from wellgram.backends.thread_count import threads


def distances_between(rows: Floats, others: Floats, *, half_squares: bool = False) -> Floats:
    """Return the distances (n, m) of each row to each of others, or half of their squares.

    Half of the square is 1 less the cosine, where rows have length 1.
    """
    from wellgram._cpu import row_distances

    distances = np.empty((len(rows), len(others)))
    row_distances(rows, others, half_squares, distances, threads())
    return distances


def distances_within(rows: Floats, *, half_squares: bool = False) -> Floats:
    """Return the same of all pairs of rows, those of the first row first."""
    from wellgram._cpu import pair_distances

    distances = np.empty(len(rows) * (len(rows) - 1) // 2)
    pair_distances(rows, half_squares, distances, threads())
    return distances


def class_distance_sums(rows: Floats, codes: Codes, classes: int, *, in_float32: bool) -> Floats:
    """Return the sums (n, classes) of the distances of each row to the rows of each class.

    Differences may be those of rows about their centre, rounded to float32.
    """
    from wellgram._cpu import group_distance_sums

    sums = np.empty((classes, len(rows)))
    group_distance_sums(rows, codes, amid(rows), sums, in_float32, threads())
    return sums.T
