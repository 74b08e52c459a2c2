"""Distances between rows of two sets, a tile of pairs at a time.

A tile is one matrix product: rows have columns more, so that the product adds up all that a
distance is made of, and only its root is left to be taken.
"""

from typing import Any, NamedTuple

import numpy as np

from wellgram.accel.declined import Declined
from wellgram.backends.protocol import Rows

_TILE_NUMBERS = 1 << 17
"""1 MiB, which stays in a core's cache from one step to the next"""
_NEAR = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-4}
"""Squares below this share of the largest have lost about half of the digits of their type"""
_MOST_NEAR = 1 / 16
"""The share of a tile's pairs that may be nearly equal"""


class Tile(NamedTuple):
    """Some rows, and some columns, which are rows of the other set."""

    rows: slice
    columns: slice


def tiles(rows: int, columns: int | None = None, *, height: int = 256) -> list[Tile]:
    """Return the tiles of all pairs; without columns, of the pairs i < j of rows.

    Without columns, the first column of a tile is not before its first row.
    """
    width = _TILE_NUMBERS // height
    return [
        Tile(slice(i, min(i + height, rows)), slice(j, min(j + width, columns or rows)))
        for i in range(0, rows, height)
        for j in range(i if columns is None else 0, columns or rows, width)
    ]


class SquaredDistances:
    """Squared Euclidean distances of rows, to the last digits for rows that are nearly equal.

    In float64, or in float32 for sums of many.
    """

    def __init__(
        self, rows: Rows, others: Rows | None = None, dtype: type[np.floating[Any]] = np.float64
    ):
        self._one_set = others is None
        self._rows, self._others = rows, rows if others is None else others
        centre = self._others.mean(axis=0)
        self._left, largest = _with_squares(self._rows, centre, -2, dtype)
        self._right, largest_too = _with_squares(self._others, centre, 1, dtype)
        self._right[:, -2:] = self._right[:, [-1, -2]]  # 1 meets the squares of the other
        self._near = _NEAR[np.dtype(dtype)] * (largest + largest_too)

    def of(self, tile: Tile) -> Rows:
        """Return the squares of a tile.

        In a tile of one set that begins at its own rows, pairs that are not i < j are infinite.
        """
        squares = np.asarray(self._left[tile.rows] @ self._right[tile.columns].T)
        if self._one_set and tile.rows.start == tile.columns.start:
            own = np.arange(len(squares))
            squares[:, : len(own)][own[:, None] >= own] = np.inf
        if squares.min() < self._near:
            self._refine(squares, tile)
        return squares

    def _refine(self, squares: Rows, tile: Tile) -> None:
        """Add up the squares of pairs that are nearly equal anew, from differences."""
        i, j = np.nonzero(squares < self._near)
        if len(i) > _MOST_NEAR * squares.size + len(squares):
            raise Declined("many rows are nearly equal")
        apart = self._rows[tile.rows][i] - self._others[tile.columns][j]
        squares[i, j] = np.einsum("ij,ij->i", apart, apart)


def _with_squares(
    rows: Rows, centre: Rows, factor: float, dtype: type[np.floating[Any]]
) -> tuple[Rows, float]:
    """Return multiples of rows about a centre, with their squares and 1; and the largest square."""
    n, d = rows.shape
    out = np.empty((n, d + 2), dtype)
    moved = np.subtract(rows, centre, out=out[:, :d]) if dtype is np.float64 else rows - centre
    squares = np.einsum("ij,ij->i", moved, moved)
    np.multiply(moved, factor, out=out[:, :d], casting="same_kind")
    out[:, d], out[:, d + 1] = squares, 1
    return out, float(squares.max())


class CosineDistances:
    """One less the cosines of rows of length 1."""

    def __init__(self, rows: Rows, others: Rows | None = None):
        self._left = np.ones((len(rows), rows.shape[1] + 1))
        np.negative(rows, out=self._left[:, :-1])
        right = rows if others is None else others
        self._right = np.ones((len(right), right.shape[1] + 1))
        self._right[:, :-1] = right

    def of(self, tile: Tile) -> Rows:
        """Return the distances of a tile, from 0 to 2."""
        distances = np.asarray(self._left[tile.rows] @ self._right[tile.columns].T)
        return np.clip(distances, 0, 2, out=distances)
