"""The pass over all pairs, tiles of products handed to consumers; and chosen products."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers import Consumer, Extent, State
from wellgram.backends.consumers.areas import ByDefinition
from wellgram.backends.gpu.card import Card
from wellgram.backends.gpu.card_arrays import CardRows
from wellgram.backends.gpu.card_consumers import TWINS, Twin
from wellgram.backends.gpu.groups import in_groups
from wellgram.backends.gpu.products import engine_of
from wellgram.backends.gpu.screened_scan import scan_with_screen
from wellgram.backends.gpu.tiles import tiles_of
from wellgram.backends.protocol import Codes, Progress


class PairPrimitives:
    """The primitives of pairs of rows."""

    card: Card

    def pair_cosines(
        self, x: CardRows, i: Codes, j: Codes, y: CardRows | None, *, bfloat16: bool
    ) -> NDArray[Any]:
        """See `Kernels.pair_cosines`: taken from tiles as a pass makes them."""
        card, right = self.card, x if y is None else y
        if y is None:  # as a pass of the map against itself meets them
            i, j = np.minimum(i, j), np.maximum(i, j)
        out = np.empty(len(i), x.dtype)
        if not len(i):
            return out
        engine = engine_of(card, x.dtype, bfloat16)
        tall, wide = engine.shape
        tiles = i // tall * (-(-len(right) // wide)) + j // wide
        touched, which = np.unique(tiles, return_inverse=True)
        order, bounds = in_groups(which, len(touched))
        a = engine.ready(card.laid(x), True)
        b = a if y is None and engine.one_operand else engine.ready(card.laid(right), False)
        tile = engine.tile(a, b)
        for first, last in pairwise(bounds):
            chosen = order[first:last]
            row, column = (int(part[chosen[0]]) // of * of for part, of in ((i, tall), (j, wide)))
            made = engine.multiply(a, row, b, column, tile)
            found = card.vector(len(chosen), made.dtype)
            rows = card.numbers(i[chosen] - row, np.int64)
            columns = card.numbers(j[chosen] - column, np.int64)
            arguments = (made, made.stride, rows, columns, len(chosen), found)
            card.launch(f"gather<{made.c_type}>", len(chosen), *arguments)
            out[chosen] = card.read(found)
        return out

    def pair_scan(
        self, consumers: Sequence[Consumer], extent: Extent, dtype: "np.dtype[Any]", bfloat16: bool
    ) -> "CardScan":
        """See `Kernels.pair_scan`."""
        return CardScan(self.card, consumers, extent, dtype, bfloat16)


class CardScan:
    """See `PairScan`."""

    def __init__(
        self,
        card: Card,
        consumers: Sequence[Consumer],
        extent: Extent,
        dtype: "np.dtype[Any]",
        bfloat16: bool,
    ):
        self._card, self._extent, self._dtype = card, extent, dtype
        self._engine = engine_of(card, dtype, bfloat16)
        self._defined = ByDefinition(consumers, TWINS, extent)
        self._twins: list[Twin] = [
            TWINS[type(c)](card, c, extent, dtype) for c in self._defined.twinned
        ]
        self._screened = None
        if not self._defined:
            self._screened = scan_with_screen(card, self._twins, extent, dtype, bfloat16)

    def add(
        self,
        x: CardRows,
        y: CardRows,
        row: int,
        column: int,
        progress: Progress | None = None,
    ) -> None:
        """See `PairScan.add`."""
        if self._screened is not None and self._screened.serves(x, y):
            self._screened.add(x, y, row, column, progress)
            return
        args = (x, y, self._extent, row, column, progress)
        for tile in tiles_of(self._card, self._engine, *args):
            for twin in self._twins:
                twin.absorb(tile)
            if self._defined:
                self._defined.absorb(self._card.fetch(tile.cells), tile.row, tile.column)

    def states(self) -> list[State]:
        """See `PairScan.states`."""
        return self._defined.joined([twin.state() for twin in self._twins])
