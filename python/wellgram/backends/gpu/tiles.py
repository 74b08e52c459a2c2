"""The tiles of a pass: where they lie, and their products, one after another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers import Extent
from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import Card, length
from wellgram.backends.gpu.products import TILE_COLUMNS, TILE_ROWS, Engine, Operand, OwnEngine
from wellgram.backends.protocol import Progress


@dataclass(frozen=True)
class Tile:
    """Products of rows from `row` on with those from `column` on."""

    cells: Matrix
    row: int
    column: int
    symmetric: bool

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What kernels take of a tile."""
        cells = self.cells
        place = (self.row, self.column, int(self.symmetric))
        return cells, cells.rows, cells.columns, cells.stride, *place


def tiles_of(
    card: Card,
    engine: Engine,
    x: Matrix | NDArray[Any],
    y: Matrix | NDArray[Any],
    extent: Extent,
    row: int,
    column: int,
    progress: Progress | None,
) -> Iterator[Tile]:
    """Yield the tiles of the pairs of rows x, which are those from `row` on, with y.

    Those that hold a pair of the extent. Rows of main memory pass through the card in blocks.
    """
    # What of y a block of x is compared with, so that a share of the work can be told.
    total, done = _pairs(row, length(x), column, length(y), extent), 0
    if not total:
        return
    same = y is x and isinstance(x, Matrix)
    for first, left in card.blocks(x):
        a = engine.ready(left, True)
        for begin, right in card.blocks(y):
            if not _pairs(row + first, left.rows, column + begin, right.rows, extent):
                continue
            b = a if same and isinstance(engine, OwnEngine) else engine.ready(right, False)
            tile = engine.tile(a, b)
            for i, j in _places(a, b, row + first, column + begin, extent):
                made = engine.multiply(a, i, b, j, tile)
                at = (row + first + i, column + begin + j)
                yield Tile(made, *at, extent.symmetric)
                card.pace()
                done += _pairs(at[0], made.rows, at[1], made.columns, extent)
                if progress is not None:
                    progress(done / total)


def _places(
    a: Operand, b: Operand, row: int, column: int, extent: Extent
) -> Iterator[tuple[int, int]]:
    """Yield where the tiles that hold a pair begin."""
    for i in range(0, a.rows, TILE_ROWS):
        for j in range(0, b.rows, TILE_COLUMNS):
            last = min(b.rows, j + TILE_COLUMNS) - 1
            if not extent.symmetric or column + last > row + i:
                yield i, j


def _pairs(row: int, rows: int, column: int, columns: int, extent: Extent) -> int:
    """Return how many cells of an area are pairs of the extent."""
    if not extent.symmetric:
        return rows * columns
    # Of row i those columns from i + 1 on.
    i = np.arange(row, row + rows)
    return int(np.clip(column + columns - np.maximum(i + 1, column), 0, columns).sum())
