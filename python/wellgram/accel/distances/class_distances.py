"""Sums of the distances of each row to the rows of each class."""

from typing import Any

import numpy as np

from wellgram.accel.distances.row_distances import SquaredDistances, Tile, tiles
from wellgram.align.parallel import in_parallel
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.backends.thread_count import threads

_LEAST_PAIRS = 1 << 20
"""Fewer for each thread are added up before threads have begun"""


def euclidean_sums(rows: Rows, codes: Codes, classes: int, dtype: type[np.floating[Any]]) -> Floats:
    """Return the sums (n, classes) of the Euclidean distances of each row to those of each class.

    Each pair is measured once, in a type of float, and counts for both of its rows.

    Raises
    ------
    Declined
        If many rows are nearly equal.
    """
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    distances = SquaredDistances(rows[order], dtype=dtype)
    shares = tiles(len(rows))
    workers = max(1, min(threads(), len(rows) ** 2 // _LEAST_PAIRS))

    def add_up(share: list[Tile]) -> Floats:
        sums = np.zeros((len(rows), classes), order="F")
        for tile in share:
            apart = distances.of(tile)
            if tile.rows.start == tile.columns.start:
                apart[np.isinf(apart)] = 0  # a row itself, and pairs that are met as (j, i)
            np.sqrt(apart, out=apart)
            columns, met = _runs(codes[tile.columns])
            sums[tile.rows, met[0] : met[-1] + 1] += np.add.reduceat(apart, columns, axis=1)
            places, met = _runs(codes[tile.rows])
            for first, end, code in zip(places, [*places[1:], len(apart)], met, strict=True):
                sums[tile.columns, code] += apart[first:end].sum(axis=0)
        return sums

    if workers == 1:
        parts = [add_up(shares)]
    else:
        parts = in_parallel(add_up, [shares[w::workers] for w in range(workers)])
    out = np.empty((len(rows), classes))
    out[order] = sum(parts[1:], start=parts[0])
    return out


def cosine_sums(units: Rows, codes: Codes, classes: int) -> Floats:
    """Return the sums (n, classes) of one less the cosines of each row with those of each class.

    Rows have length 1, or are zero: those are at a distance of 1 from all others.
    """
    totals = np.zeros((classes, units.shape[1]))
    np.add.at(totals, codes, units)
    sums = np.bincount(codes, minlength=classes) - units @ totals.T
    own = 1 - np.einsum("ij,ij->i", units, units)  # a row's distance from itself is 0
    sums[np.arange(len(units)), codes] -= own
    return np.asarray(np.maximum(sums, 0))


def _runs(codes: Codes) -> tuple[Codes, Codes]:
    """Return where runs of equal codes begin, and the code of each."""
    starts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1))
    return starts, codes[starts]
