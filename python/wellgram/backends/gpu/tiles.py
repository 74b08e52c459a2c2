"""The tiles of a pass: where they lie, and their products, one after another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeVar

import numpy as np

from wellgram.backends.consumers import Extent
from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import Card
from wellgram.backends.gpu.card_arrays import CardRows
from wellgram.backends.gpu.products import EVERY_CELL, Engine
from wellgram.backends.protocol import Progress

Ready = TypeVar("Ready")


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


@dataclass(frozen=True)
class Place:
    """Where a tile lies: from rows i and j of those at hand, `row` and `column` of the pass, on."""

    i: int
    j: int
    row: int
    column: int
    rows: int
    columns: int
    pairs: int
    """How many of its cells are pairs of the pass"""


def places_of(
    shape: tuple[int, int], row: int, rows: int, column: int, columns: int, extent: Extent
) -> Iterator[Place]:
    """Yield the tiles of an area that hold a pair of the extent."""
    for i, j in product(*map(range, (0, 0), (rows, columns), shape)):
        tall, wide = min(shape[0], rows - i), min(shape[1], columns - j)
        pairs = pairs_of(row + i, tall, column + j, wide, extent)
        if pairs:
            yield Place(i, j, row + i, column + j, tall, wide, pairs)


def sides_of(
    card: Card,
    ready: Callable[[Matrix, bool], Ready],
    alike: bool,
    x: CardRows,
    y: CardRows,
    extent: Extent,
    row: int,
    column: int,
) -> Iterator[tuple[Ready, int, Ready, int]]:
    """Yield rows of x and of y, made ready, with where each begin in the pass.

    Rows of main memory pass through the card in chunks. `alike` says whether left and right rows
    are made ready in the same way.
    """
    if y is x and isinstance(x, np.ndarray) and x.nbytes <= card.chunk_bytes:
        x = y = card.lay(x)  # once for both sides
    same = y is x and isinstance(x, Matrix) and alike
    for first, left in card.chunks(x):
        a = ready(left, True)
        for begin, right in card.chunks(y):
            top, side = row + first, column + begin
            if pairs_of(top, left.rows, side, right.rows, extent):
                yield a, top, a if same else ready(right, False), side


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
    """Yield the tiles of the pairs of rows x, which are those from `row` on, with y."""
    # What of y a chunk of x is compared with, so that a share of the work can be told.
    total, done = pairs_of(row, len(x), column, len(y), extent), 0
    if not total:
        return
    for a, top, b, side in sides_of(
        card, engine.ready, engine.one_operand, x, y, extent, row, column
    ):
        tile = engine.tile(a, b)
        for place in places_of(engine.shape, top, a.rows, side, b.rows, extent):
            lag = place.row - place.column if extent.symmetric else EVERY_CELL
            made = engine.multiply(a, place.i, b, place.j, tile, lag)
            yield Tile(made, place.row, place.column, extent.symmetric)
            card.pace()
            done += place.pairs
            if progress is not None:
                progress(done / total)


def pairs_of(row: int, rows: int, column: int, columns: int, extent: Extent) -> int:
    """Return how many cells of an area are pairs of the extent."""
    if not extent.symmetric:
        return rows * columns
    # Rows before the first column have all of them, later ones those from the next column on.
    whole = min(max(column - row, 0), rows)
    most = column + columns - 1 - (row + whole)  # of the first row that has not all
    some = min(max(most, 0), rows - whole)
    return whole * columns + some * most - some * (some - 1) // 2
