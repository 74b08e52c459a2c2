"""The tiles of a screen: two sums of products of 8 bits, exact, so they may be made in any way."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import Card
from wellgram.backends.gpu.driver import Product
from wellgram.backends.gpu.products import EVERY_CELL, multiply_rows
from wellgram.backends.gpu.screened_rows import WholeRows, marks_of, whole
from wellgram.backends.gpu.tiles import Place


@dataclass(frozen=True)
class ScreenedTile:
    """What a screen says of the products of some rows x with some rows y."""

    high: Matrix
    cross: Matrix
    place: Place
    symmetric: bool
    marks: tuple[int, ...]
    x: Matrix
    y: Matrix

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What kernels take of a screened tile."""
        place = self.place
        shape = (place.rows, place.columns, self.high.stride, place.row, place.column)
        return self.high, self.cross, *shape, int(self.symmetric), *self.marks

    @property
    def chains(self) -> tuple[Any, ...]:
        """What kernels take that make cosines of its cells, but for the list of these."""
        x, y = self.x, self.y
        return self.place.columns, x, x.stride, y, y.stride, x.columns


@dataclass(frozen=True)
class Room:
    """Memory for the sums of a tile (int32)."""

    high: Matrix
    cross: Matrix

    @property
    def cells(self) -> int:
        """How many cells there is room for."""
        return self.high.rows * self.high.columns

    @classmethod
    def on(cls, card: Card, shape: tuple[int, int], rows: int, columns: int) -> "Room":
        """Return room for tiles of so many rows and columns, and of a shape at the most."""
        tall, wide = min(shape[0], whole(card, rows)), min(shape[1], whole(card, columns))
        high, cross = (card.matrix(tall, wide, np.int32) for _ in range(2))
        return cls(high, cross)


class ScreenedTiles:
    """Makes the tiles of rows x against rows y, one after another in the same room."""

    def __init__(self, card: Card, x: WholeRows, y: WholeRows, symmetric: bool, room: Room):
        self._card, self._x, self._y, self._room, self._symmetric = card, x, y, room, symmetric
        self._left, self._right = marks_of(card, x, y)

    def make(self, place: Place) -> ScreenedTile:
        """Queue the products of a tile."""
        card, x, y, i, j = self._card, self._x, self._y, place.i, place.j
        high, cross = self._room.high, self._room.cross
        a = x.numbers.cut(i, min(i + whole(card, place.rows), i + high.rows))
        b = y.numbers.cut(j, min(j + whole(card, place.columns), j + high.columns))
        lag = place.row - place.column if self._symmetric else EVERY_CELL
        for first, features, out in ((0, x.part, high), (y.part, 2 * x.part, cross)):
            self._multiply(_columns(a, 0, features), _columns(b, first, features), out, lag)
        marks: tuple[int, ...] = (*self._left.of(i), *self._right.of(j))
        rows = x.floats.cut(i, i + place.rows), y.floats.cut(j, j + place.columns)
        return ScreenedTile(high, cross, place, self._symmetric, marks, *rows)

    def _multiply(self, a: Matrix, b: Matrix, out: Matrix, lag: int) -> None:
        """Queue products: a library's, or our own, which leave out what nobody wants."""
        card = self._card
        if not card.driver.can_multiply("int8"):
            made = Matrix(out.owner, out.address, a.rows, b.rows, out.stride, out.dtype)
            multiply_rows(card, a, b, made, lag)
            return
        shape = (a.rows, b.rows, a.columns, a.address, a.stride, b.address, b.stride)
        card.driver.multiply("int8", Product(*shape, out.address, out.stride))


def _columns(x: Matrix, first: int, count: int) -> Matrix:
    return Matrix(x.owner, x.address + first, x.rows, count, x.stride, x.dtype)
