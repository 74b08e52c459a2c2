"""Rows compared with others: how many are above given similarities, and how far apart they are."""

from typing import Any

import numpy as np

from wellgram.backends.consumers import Extent
from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import ROWS, Card
from wellgram.backends.gpu.card_arrays import CardRows
from wellgram.backends.gpu.groups import in_groups
from wellgram.backends.gpu.products import OwnEngine, engine_of
from wellgram.backends.gpu.screened_scan import scan_with_screen
from wellgram.backends.gpu.sifters import KernelSifter, Sifter
from wellgram.backends.gpu.tiles import Tile, tiles_of
from wellgram.backends.moments import amid
from wellgram.backends.protocol import Codes, Floats, Progress, Rankings


class ComparisonPrimitives:
    """The primitives that compare every row of x with every row of y."""

    card: Card

    def rank_counts(
        self,
        x: CardRows,
        y: CardRows,
        given: Rankings,
        *,
        absolute: bool,
        progress: Progress | None,
    ) -> Codes:
        """See `Kernels.rank_counts`."""
        extent, above = Extent(len(x), len(y)), _Above(self.card, len(x), len(y), given, absolute)
        screened = scan_with_screen(self.card, [above], extent, x.dtype, False)
        if screened is not None and screened.serves(x, y):
            screened.add(x, y, 0, 0, progress)
        else:
            engine = engine_of(self.card, x.dtype, False)
            for tile in tiles_of(self.card, engine, x, y, extent, 0, 0, progress):
                above.absorb(tile)
        # Counted at the last value a cell is above, which it is above all values before.
        sums = np.append(np.cumsum(self.card.read(above.counts)[::-1])[::-1], 0)
        ends = np.repeat(given.starts[1:], np.diff(given.starts))
        return np.asarray(sums[:-1] - sums[ends])

    def distance_sums(self, x: CardRows, y: CardRows, progress: Progress | None) -> Floats:
        """See `Kernels.distance_sums`."""
        return self._distances(x, y, Extent(len(x), len(y)), progress)

    def group_distances(self, x: CardRows, codes: Codes, groups: int) -> Floats:
        """See `Kernels.group_distances`."""
        rows = self.card.fetch(x) if isinstance(x, Matrix) else x
        order, bounds = in_groups(codes, groups)
        sums = np.zeros(groups)
        for g in range(groups):
            members = rows[order[bounds[g] : bounds[g + 1]]]
            sums[g] = self._distances(members, members, Extent(len(members)), None).sum()
        return sums

    def _distances(
        self, x: CardRows, y: CardRows, extent: Extent, progress: Progress | None
    ) -> Floats:
        """Return the sums (n,) of the distances of rows of x to those of y, or to later ones."""
        card = self.card
        centre = card.numbers(_amid(card, y), np.float64)
        left = card.laid(x)
        right = left if y is x else card.laid(y)
        a = _centred(card, left, centre)
        b = a if y is x else _centred(card, right, centre)
        rows = (left, left.stride, right, right.stride, left.columns)
        kernel = f"distances<{left.c_type}>"
        lengths = [_squared_lengths(card, part) for part in (a, b)]
        sums = card.vector(a.rows, np.float64, zero=True)
        for tile in tiles_of(card, OwnEngine(card, False), a, b, extent, 0, 0, progress):
            arguments = (*tile.arguments, *lengths, *rows, sums)
            card.launch(kernel, tile.cells.rows, *arguments, each=ROWS)
        return np.asarray(card.read(sums), np.float64)


class _Above:
    """Counts the cells of each row that are above so many of its values."""

    def __init__(self, card: Card, n: int, m: int, given: Rankings, absolute: bool):
        self._card = card
        self.counts = card.vector(len(given.values), np.int64, zero=True)
        own, other = (card.numbers(part, np.int32) for part in (given.own, given.other))
        self._arguments = (
            *(card.numbers(given.starts, np.int64), card.numbers(given.values, np.float64)),
            *(own, n, other, m, len(given.own), int(absolute), self.counts),
        )

    def absorb(self, tile: Tile) -> None:
        kernel = f"count_above<{tile.cells.c_type}>"
        arguments = (*tile.arguments, *self._arguments)
        self._card.launch(kernel, tile.cells.rows, *arguments, each=ROWS)

    def sifter(self) -> Sifter:
        return KernelSifter(self._card, "sift_above", "decide_above", self._arguments, by_row=True)


def _amid(card: Card, x: CardRows) -> Floats:
    return amid(card.fetch(x) if isinstance(x, Matrix) else x)


def _centred(card: Card, x: Matrix, centre: Any) -> Matrix:
    out = card.matrix(x.rows, x.columns, np.float64)
    index = card.numbers(np.arange(x.rows), np.int64)
    shape = (x, x.stride, x.columns, index, x.rows, centre, 0, 0, out, out.stride)
    card.launch(f"centre_rows<{x.c_type}, double>", x.rows * out.stride, *shape)
    return out


def _squared_lengths(card: Card, x: Matrix) -> Any:
    out = card.vector(x.rows, np.float64)
    card.launch("squared_lengths", x.rows, x, x.rows, x.columns, x.stride, out, each=ROWS)
    return out
