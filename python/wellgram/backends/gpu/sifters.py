"""How consumers on a card take in the tiles of a screen."""

from typing import Any, Protocol

import numpy as np

from wellgram.backends.gpu.card import ROWS, THREADS, Card
from wellgram.backends.gpu.screened_tiles import Room, ScreenedTile
from wellgram.backends.gpu.tiles import Tile

BLOCKS = 1024
"""Of kernels that go over a list, whose length the card alone knows: enough to fill a large one"""


class Doubts:
    """A list, on the card, of the cells of a tile that a screen cannot decide."""

    def __init__(self, card: Card, cells: int):
        self._card = card
        self._places = card.vector(cells, np.uint32)
        self._listed = card.vector(2, np.int64, zero=True)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What kernels take of the list."""
        return self._places, self._listed

    @property
    def places(self) -> Any:
        """The cells, as whole numbers i * columns + j."""
        return self._places

    def decide(self, kernel: str, *arguments: Any) -> None:
        """Queue a kernel over the list, with its arguments behind those of the list."""
        self._card.launch(kernel, BLOCKS * THREADS, *self.arguments, *arguments)

    def forget(self) -> None:
        """Queue that the list begins anew."""
        self._card.launch("forget_doubts", 1, self._listed)

    def count(self) -> int:
        """Return how many cells have been listed and forgotten; waits for what is queued."""
        return int(self._card.read(self._listed)[1])


class Sifter(Protocol):
    """Takes in a tile of a screen: the cells that its bound decides, and then the others."""

    looks_ahead: bool
    """Whether it wants to look at all tiles before it takes in the first"""

    def bytes(self, tall: int, wide: int) -> int:
        """Return the memory that it needs for tiles of so many rows and columns."""

    def begin(self, room: Room) -> None:
        """Make ready for tiles that are made there."""

    def look(self, tile: ScreenedTile) -> None:
        """Look at a tile that is to come."""

    def looked(self) -> None:
        """Draw conclusions: all have been looked at."""

    def take(self, tile: ScreenedTile, doubts: Doubts) -> None:
        """Take in a tile; what is in doubt is listed, and decided by its cosines."""


class Absorber(Protocol):
    """Takes in the tiles of a pass."""

    def absorb(self, tile: Tile) -> None:
        """Take in the pairs of a tile."""

    def sifter(self) -> Sifter | None:
        """Return what takes in the tiles of a screen; None where cosines are wanted."""


class KernelSifter:
    """Two kernels: one lists what is in doubt, one decides it.

    `by_row` says that the second is told where the rows of a tile begin in the pass.
    """

    looks_ahead = False

    def __init__(
        self, card: Card, sift: str, decide: str, arguments: tuple[Any, ...], by_row: bool = False
    ):
        self._card, self._sift, self._decide, self._arguments = card, sift, decide, arguments
        self._by_row = by_row

    def bytes(self, tall: int, wide: int) -> int:
        """Need nothing."""
        return 0

    def begin(self, room: Room) -> None:
        """Need nothing."""

    def look(self, tile: ScreenedTile) -> None:
        """Need no look."""

    def looked(self) -> None:
        """Need no look."""

    def take(self, tile: ScreenedTile, doubts: Doubts) -> None:
        """See `Sifter.take`."""
        arguments = (*tile.arguments, *self._arguments, *doubts.arguments)
        self._card.launch(self._sift, tile.place.rows, *arguments, each=ROWS)
        rows = (tile.place.row,) if self._by_row else ()
        doubts.decide(self._decide, *tile.chains, *rows, *self._arguments)
        doubts.forget()
