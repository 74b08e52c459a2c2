"""The tiles of a pass: where they lie, and their products, one after another."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from wellgram.backends.consumers import Extent
from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import Card
from wellgram.backends.gpu.card_arrays import CardRows
from wellgram.backends.gpu.products import EVERY_CELL, Engine
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
    x: CardRows,
    y: CardRows,
    extent: Extent,
    row: int,
    column: int,
    progress: Progress | None,
) -> Iterator[Tile]:
    """Yield the tiles of the pairs of rows x, which are those from `row` on, with y.

    Those that hold a pair of the extent. Rows of main memory pass through the card in chunks.
    """
    # What of y a chunk of x is compared with, so that a share of the work can be told.
    total, done = _pairs(row, len(x), column, len(y), extent), 0
    if not total:
        return
    if y is x and isinstance(x, np.ndarray) and x.nbytes <= card.chunk_bytes:
        x = y = card.lay(x)  # once for both sides
    same = y is x and isinstance(x, Matrix) and engine.one_operand
    for first, left in card.chunks(x):
        a = engine.ready(left, True)
        for begin, right in card.chunks(y):
            top, side = row + first, column + begin
            if not _pairs(top, left.rows, side, right.rows, extent):
                continue
            b = a if same else engine.ready(right, False)
            tile = engine.tile(a, b)
            for i, j in product(*map(range, (0, 0), (a.rows, b.rows), engine.shape)):
                rows, columns = min(engine.shape[0], a.rows - i), min(engine.shape[1], b.rows - j)
                held = _pairs(top + i, rows, side + j, columns, extent)
                if not held:
                    continue
                lag = top + i - side - j if extent.symmetric else EVERY_CELL
                made = engine.multiply(a, i, b, j, tile, lag)
                yield Tile(made, top + i, side + j, extent.symmetric)
                card.pace()
                done += held
                if progress is not None:
                    progress(done / total)


def _pairs(row: int, rows: int, column: int, columns: int, extent: Extent) -> int:
    """Return how many cells of an area are pairs of the extent."""
    if not extent.symmetric:
        return rows * columns
    # Rows before the first column have all of them, later ones those from the next column on.
    whole = min(max(column - row, 0), rows)
    most = column + columns - 1 - (row + whole)  # of the first row that has not all
    some = min(max(most, 0), rows - whole)
    return whole * columns + some * most - some * (some - 1) // 2
