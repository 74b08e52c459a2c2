"""A pass by a screen: tiles of low precision, sifted; the cosines of what is in doubt, decided.

Cosines are those of our own chains of float32, so a pass has the same states with a screen and
without one, and those of processors.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers import Extent
from wellgram.backends.gpu.arrays import Matrix, stride_of
from wellgram.backends.gpu.card import ROWS, Card
from wellgram.backends.gpu.card_arrays import CardRows
from wellgram.backends.gpu.products import EVERY_CELL, Operand, OwnEngine, products_of
from wellgram.backends.gpu.screened_rows import MOST_FEATURES, WHOLE_ROWS, WholeRows, whole_rows
from wellgram.backends.gpu.screened_tiles import Room, ScreenedTiles
from wellgram.backends.gpu.sifters import Absorber, Doubts, Sifter
from wellgram.backends.gpu.tiles import Place, Tile, pairs_of, places_of, sides_of
from wellgram.backends.protocol import Progress
from wellgram.backends.screen_choice import CARD_SCREENS, named_screen

LEAST_FEATURES = 128
"""With fewer a tile is bound by its traffic: sifting it takes the time that is saved"""

LEAST_PRODUCTS = 1e10
"""With fewer a pass takes less than half a millisecond, and waits for its launches"""

DOUBTS_THAT_PAY = 1 / 100
"""A chain reads both its rows: it takes as long as about fifty cells of a float32 tile, of which a
screen saves three quarters"""


def screen_of(card: Card) -> str:
    """Return the screen that serves passes on a card where it pays, or ``"none"``.

    It decides by our own chains, so there is none where a library makes the cosines.
    """
    wanted = _wanted(card)
    if wanted == "none" or products_of(card) != "float32":
        return "none"
    return "int8" if wanted == "int8" or card.driver.can_multiply("int8") else "none"


def _wanted(card: Card) -> str | None:
    name = card.screen or named_screen()
    return name if name in CARD_SCREENS else None


def scan_with_screen(
    card: Card,
    absorbers: Sequence[Absorber],
    extent: Extent,
    dtype: "np.dtype[Any]",
    bfloat16: bool,
) -> "ScreenedScan | None":
    """Return what makes a pass with a screen; None where a screen cannot serve it."""
    if bfloat16 or dtype != np.float32 or screen_of(card) == "none":
        return None
    sifters = [sifter for absorber in absorbers if (sifter := absorber.sifter()) is not None]
    whole = len(sifters) == len(absorbers) > 0
    return ScreenedScan(card, absorbers, sifters, extent) if whole else None


class ScreenedScan:
    """The tiles of a pass by a screen, and without one where that does not pay."""

    def __init__(
        self, card: Card, absorbers: Sequence[Absorber], sifters: Sequence[Sifter], extent: Extent
    ):
        self._card, self._absorbers, self._sifters, self._extent = card, absorbers, sifters, extent
        self._chains = OwnEngine(card, False)
        self._named = _wanted(card) == "int8"
        self._looks = any(sifter.looks_ahead for sifter in sifters)
        self._pays = True
        self._tiles, self._pairs = 0, 0  # that were sifted since the list of doubts began

    def serves(self, x: CardRows, y: CardRows) -> bool:
        """Whether a screen can serve the pairs of these rows, and pays as far as is known."""
        features = x.shape[1]
        if not self._pays or not 0 < features <= MOST_FEATURES or not self._fits(x, y):
            return False
        products = len(x) * len(y) * features
        return self._named or (features >= LEAST_FEATURES and products >= LEAST_PRODUCTS)

    def _fits(self, x: CardRows, y: CardRows) -> bool:
        """Whether there is memory for whole numbers, and for what tiles and sifters need."""
        needed = 0
        for side in (x,) if y is x and isinstance(x, Matrix) else (x, y):
            laid = 4 * stride_of(side.shape[1], np.dtype(np.float32))
            whole = 3 * stride_of(side.shape[1], np.dtype(np.int8))
            rows = len(side)
            if not isinstance(side, Matrix):
                rows = min(rows, max(1, self._card.chunk_bytes // laid))
                needed += 2 * laid * rows
            needed += whole * (rows + WHOLE_ROWS)
        tall, wide = self._chains.shape
        held = sum(sifter.bytes(tall, wide) for sifter in self._sifters)
        return needed + 12 * tall * wide + held <= self._card.driver.free_memory()

    def add(
        self, x: CardRows, y: CardRows, row: int, column: int, progress: Progress | None
    ) -> None:
        """See `PairScan.add`."""
        card, extent, shape = self._card, self._extent, self._chains.shape
        work = _Work(pairs_of(row, len(x), column, len(y), extent), progress)
        if not work.total:
            return
        room = Room.on(card, shape, len(x), len(y))
        doubts, self._tiles, self._pairs = Doubts(card, room.cells), 0, 0
        for sifter in self._sifters:
            sifter.begin(room)
        sides = sides_of(card, self._whole, True, x, y, extent, row, column)
        for a, top, b, side in sides:
            places = list(places_of(shape, top, a.rows, side, b.rows, extent))
            if not (self._pays and a.unit and b.unit):
                self._without(a, b, places, work, 1)
                continue
            tiles = ScreenedTiles(card, a, b, extent.symmetric, room)
            if self._looks:
                self._look(tiles, places, work)
            weight = 0.5 if self._looks else 1
            taken = self._take(tiles, places, doubts, work, weight)
            self._without(a, b, places[taken:], work, weight)

    def _whole(self, rows: Matrix, left: bool) -> WholeRows:
        return whole_rows(self._card, rows)

    def _look(self, tiles: ScreenedTiles, places: Sequence[Place], work: "_Work") -> None:
        """Let sifters look at tiles before they take them in."""
        for place in places:
            tile = tiles.make(place)
            for sifter in self._sifters:
                sifter.look(tile)
            self._card.pace()
            work.add(place.pairs / 2)
        for sifter in self._sifters:
            sifter.looked()

    def _take(
        self,
        tiles: ScreenedTiles,
        places: Sequence[Place],
        doubts: Doubts,
        work: "_Work",
        weight: float,
    ) -> int:
        """Take in tiles for as long as it pays; return how many."""
        for taken, place in enumerate(places, start=1):
            tile = tiles.make(place)
            for sifter in self._sifters:
                sifter.take(tile, doubts)
            self._card.pace()
            work.add(place.pairs * weight)
            self._tiles += 1
            self._pairs += place.pairs
            # The list is counted rarely, because that waits for the card.
            if not self._named and self._tiles.bit_count() == 1:
                self._pays = doubts.count() <= DOUBTS_THAT_PAY * self._pairs
                if not self._pays:
                    return taken
        return len(places)

    def _without(
        self, a: WholeRows, b: WholeRows, places: Sequence[Place], work: "_Work", weight: float
    ) -> None:
        """Take in tiles as a pass without a screen does."""
        chains = self._chains
        left, right = Operand(a.floats, a.rows), Operand(b.floats, b.rows)
        tile = chains.tile(left, right) if places else None
        for place in places:
            assert tile is not None
            lag = place.row - place.column if self._extent.symmetric else EVERY_CELL
            made = chains.multiply(left, place.i, right, place.j, tile, lag)
            for absorber in self._absorbers:
                absorber.absorb(Tile(made, place.row, place.column, self._extent.symmetric))
            self._card.pace()
            work.add(place.pairs * weight)


def screened_cosines(card: Card, x: Matrix, y: Matrix) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what a screen knows of all pairs: cosines, and how far each may be off (float32)."""
    a, b = whole_rows(card, x), whole_rows(card, y)
    shape, extent = OwnEngine(card, False).shape, Extent(x.rows, y.rows)
    tiles = ScreenedTiles(card, a, b, False, Room.on(card, shape, x.rows, y.rows))
    cosines, bounds = (np.empty((x.rows, y.rows), np.float32) for _ in range(2))
    for place in places_of(shape, 0, x.rows, 0, y.rows, extent):
        tile, size = tiles.make(place), place.rows * place.columns
        parts = [card.vector(size, np.float32) for _ in range(2)]
        card.launch("screened_cells", place.rows, *tile.arguments, *parts, each=ROWS)
        area = np.s_[place.i : place.i + place.rows, place.j : place.j + place.columns]
        for out, part in zip((cosines, bounds), parts, strict=True):
            out[area] = card.read(part).reshape(place.rows, place.columns)
    return cosines, bounds


class _Work:
    """Tells the share of the pairs of a pass that are done."""

    def __init__(self, total: int, progress: Progress | None):
        self.total, self._done, self._progress = total, 0.0, progress

    def add(self, pairs: float) -> None:
        self._done += pairs
        if self._progress is not None:
            self._progress(self._done / self.total)
