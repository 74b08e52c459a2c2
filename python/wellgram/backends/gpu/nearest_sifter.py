"""The nearest partners by a screen: floors by a look at all tiles, then what may reach them."""

from dataclasses import dataclass

import numpy as np

from wellgram.backends.consumers import Extent
from wellgram.backends.gpu.arrays import Vector
from wellgram.backends.gpu.card import ROWS, Card
from wellgram.backends.gpu.screened_tiles import Room, ScreenedTile
from wellgram.backends.gpu.sifters import Doubts

GROUPS = 128
"""Groups of the partners of a row, see ``kernels/nearest_screen.hpp``; the k-th greatest of their
greatest is a floor for the k-th greatest of all, and near it where k is much smaller"""

MOST_PARTNERS = GROUPS // 2


@dataclass(frozen=True)
class Side:
    """The most similar partners of each row, or the least: how many, which, and their cosines."""

    sign: int
    k: int
    partners: Vector
    cosines: Vector


class NearestSifter:
    """See `Sifter`."""

    looks_ahead = True

    def __init__(self, card: Card, most: Side, least: Side, extent: Extent):
        self._card, self._sides, self._extent = card, (most, least), extent
        self._floors: list[Vector] = []
        self._best: list[Vector] = []

    def bytes(self, tall: int, wide: int) -> int:
        """Return the memory of a tile's cosines and links, and of the groups of all rows."""
        return 12 * tall * wide + 8 * (GROUPS + 1) * self._extent.rows

    def _filled(self, size: int, value: float) -> Vector:
        filled = self._card.vector(size, np.float32)
        self._card.launch("fill", size, filled, size, value)
        return filled

    def begin(self, room: Room) -> None:
        """Make room for the cosines of a tile, and for what links those of a row or column."""
        card, n = self._card, self._extent.rows
        if not self._floors:  # which stay for the whole pass; nothing reaches those of no partners
            self._floors = [self._filled(n, np.inf) for _ in self._sides]
            self._best = [self._filled(GROUPS * n, -np.inf) for _ in self._sides]
        self._cells, self._tall = room.cells, room.high.rows
        self._cosines = card.vector(room.cells, np.float32)
        self._before = card.vector(2 * room.cells, np.uint32)
        self._heads = card.vector(self._tall + room.high.columns, np.uint32, zero=True)

    def look(self, tile: ScreenedTile) -> None:
        """Raise the best of the groups of the tile's rows, and of its columns."""
        for by_columns in self._directions(tile):
            lines = tile.place.columns if by_columns else tile.place.rows
            arguments = (*tile.arguments, by_columns, self._extent.rows, *self._best)
            self._card.launch("best_of_groups", lines, *arguments, each=ROWS)

    def _directions(self, tile: ScreenedTile) -> range:
        return range(2 if tile.symmetric else 1)

    def looked(self) -> None:
        """Find the floors."""
        n = self._extent.rows
        for side, best, floors in zip(self._sides, self._best, self._floors, strict=True):
            if side.k:
                self._card.launch("floors", n, best, n, side.k, floors, each=ROWS)

    def take(self, tile: ScreenedTile, doubts: Doubts) -> None:
        """Offer every cell that may reach a floor by its cosine."""
        card, place = self._card, tile.place
        arguments = (*tile.arguments, *self._floors, *doubts.arguments)
        card.launch("sift_nearest", place.rows, *arguments, each=ROWS)
        linked = (self._tall, self._heads, self._before, self._cells, self._cosines)
        doubts.decide("link_nearest", *tile.chains, *linked)
        best = [part for side in self._sides for part in (side.k, side.partners, side.cosines)]
        for by_columns in self._directions(tile):
            lines, origin, others = (
                (place.columns, place.column, place.row)
                if by_columns
                else (place.rows, place.row, place.column)
            )
            card.launch(
                "offer_linked",
                lines,
                *(doubts.places, place.columns, self._cosines),
                self._before.address + 4 * self._cells * by_columns,
                self._heads.address + 4 * self._tall * by_columns,
                *(lines, by_columns, origin, others, *best),
            )
        doubts.forget()
