"""The pass over all pairs, tiles of products handed to consumers; and chosen products."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from wellgram.backends.checks import as_pairs, check_place, check_scan
from wellgram.backends.consumers import Consumer, Extent, State
from wellgram.backends.consumers.areas import ByDefinition
from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import Card, length, like
from wellgram.backends.gpu.card_consumers import TWINS, Twin
from wellgram.backends.gpu.groups import in_groups
from wellgram.backends.gpu.products import engine_of
from wellgram.backends.gpu.tiles import tiles_of
from wellgram.backends.protocol import Codes, PairScan, Progress, Rows
from wellgram.backends.whole import scan_whole


class PairPrimitives:
    """The primitives of pairs of rows."""

    card: Card
    name: str

    def pair_cosines(
        self, x: Rows, i: Codes, j: Codes, y: Rows | None = None, *, bfloat16: bool = False
    ) -> Rows:
        """See `Backend.pair_cosines`: taken from tiles as a pass makes them."""
        card = self.card
        left = card.rows(x)
        right = left if y is None else card.partner(y, left)
        i, j = as_pairs(i, j, like(left), like(right))
        check_scan((), Extent(0), left.dtype, bfloat16)
        if y is None:  # as a pass of the map against itself meets them
            i, j = np.minimum(i, j), np.maximum(i, j)
        out = np.empty(len(i), left.dtype)
        if not len(i):
            return out
        engine = engine_of(card, left.dtype, bfloat16)
        tall, wide = engine.shape
        tiles = i // tall * (-(-length(right) // wide)) + j // wide
        touched, which = np.unique(tiles, return_inverse=True)
        order, bounds = in_groups(which, len(touched))
        a = engine.ready(card.laid(left), True)
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
        self, consumers: Sequence[Consumer], extent: Extent, dtype: Any, *, bfloat16: bool = False
    ) -> PairScan:
        """See `Backend.pair_scan`."""
        check_scan(consumers, extent, dtype, bfloat16)
        return _PairScan(self.card, consumers, extent, np.dtype(dtype), bfloat16)

    def scan_pairs(
        self,
        x: Rows,
        consumers: Sequence[Consumer],
        y: Rows | None = None,
        progress: Progress | None = None,
        *,
        bfloat16: bool = False,
    ) -> list[Any]:
        """See `Backend.scan_pairs`."""
        left = self.card.rows(x)
        if not isinstance(left, Matrix):
            return scan_whole(self.pair_scan, left, consumers, y, progress, bfloat16)
        right = left if y is None else self.card.partner(y, left)
        extent = Extent(left.rows, None if y is None else length(right))
        scan = self.pair_scan(consumers, extent, left.dtype, bfloat16=bfloat16)
        scan.add(x, x if y is None else y, 0, 0, progress)
        return [c.finish(s) for c, s in zip(consumers, scan.states(), strict=True)]


class _PairScan:
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

    def add(
        self, x: Rows, y: Rows, row: int, column: int, progress: Progress | None = None
    ) -> None:
        left = self._card.rows(x)
        right = left if y is x else self._card.partner(y, left)
        place = (row, length(left)), (column, length(right))
        check_place(left.dtype, self._dtype, *place, self._extent)
        args = (left, right, self._extent, row, column, progress)
        for tile in tiles_of(self._card, self._engine, *args):
            for twin in self._twins:
                twin.absorb(tile)
            if self._defined:
                self._defined.absorb(self._card.fetch(tile.cells), tile.row, tile.column)

    def states(self) -> list[State]:
        return self._defined.joined([twin.state() for twin in self._twins])
