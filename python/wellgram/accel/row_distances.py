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

    Those of one set begin at columns that are rows of theirs, or later.
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
        left = rows - centre
        right = left if others is None else others - centre
        squares = np.einsum("ij,ij->i", left, left)
        squares_too = squares if others is None else np.einsum("ij,ij->i", right, right)
        self._left = np.column_stack([-2 * left, squares, np.ones_like(squares)]).astype(dtype)
        self._right = np.column_stack([right, np.ones_like(squares_too), squares_too]).astype(dtype)
        self._near = _NEAR[np.dtype(dtype)] * (squares.max() + squares_too.max())

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


class CosineDistances:
    """One less the cosines of rows of length 1."""

    def __init__(self, rows: Rows, others: Rows | None = None):
        right = rows if others is None else others
        self._left = np.column_stack([-rows, np.ones(len(rows))])
        self._right = np.column_stack([right, np.ones(len(right))])

    def of(self, tile: Tile) -> Rows:
        """Return the distances of a tile, from 0 to 2."""
        distances = np.asarray(self._left[tile.rows] @ self._right[tile.columns].T)
        return np.clip(distances, 0, 2, out=distances)
