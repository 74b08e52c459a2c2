"""The pass over all pairs: tiles of products handed to consumers; chosen products; distances."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.checks import as_codes, as_pairs, as_rankings, check_scan
from wellgram.backends.consumers import Consumer, Extent, State
from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import Card, length, width
from wellgram.backends.gpu.consumers import TWINS, Tile, Twin
from wellgram.backends.gpu.groups import in_groups
from wellgram.backends.gpu.products import (
    TILE_COLUMNS,
    TILE_ROWS,
    Engine,
    Operand,
    OwnEngine,
    engine_of,
)
from wellgram.backends.moments import amid
from wellgram.backends.protocol import Codes, Floats, PairScan, Progress, Rows
from wellgram.backends.whole import scan_whole
from wellgram.errors import InputError

_Given = Matrix | NDArray[np.floating[Any]]


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
        i, j = as_pairs(i, j, _like(left), _like(right))
        check_scan((), Extent(0), left.dtype, bfloat16)
        if y is None:  # as a pass of the map against itself meets them
            i, j = np.minimum(i, j), np.maximum(i, j)
        out = np.empty(len(i), left.dtype)
        if not len(i):
            return out
        engine = engine_of(card, left.dtype, bfloat16)
        tiles = i // TILE_ROWS * (-(-length(right) // TILE_COLUMNS)) + j // TILE_COLUMNS
        order, bounds = in_groups(np.unique(tiles, return_inverse=True)[1], len(np.unique(tiles)))
        a = engine.ready(_laid(card, left), True)
        b = engine.ready(_laid(card, right), False)
        tile = engine.tile(a, b)
        for first, last in pairwise(bounds):
            chosen = order[first:last]
            row = int(i[chosen[0]]) // TILE_ROWS * TILE_ROWS
            column = int(j[chosen[0]]) // TILE_COLUMNS * TILE_COLUMNS
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
        for consumer in consumers:
            if type(consumer) not in TWINS:
                raise InputError(
                    f"backend {self.name!r} has no consumer {type(consumer).__name__}; "
                    "use backend='reference' for one of your own"
                )
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

    def rank_counts(
        self,
        x: Rows,
        y: Rows,
        starts: Codes,
        values: Floats,
        own: NDArray[np.int32],
        other: NDArray[np.int32],
        *,
        absolute: bool = False,
        progress: Progress | None = None,
    ) -> Codes:
        """See `Backend.rank_counts`."""
        card = self.card
        left = card.rows(x)
        right = card.partner(y, left)
        given = as_rankings(_like(left), _like(right), starts, values, own, other)
        size = len(given.values)
        counts = card.vector(size, np.int64, zero=True)
        marks, levels = card.numbers(given.starts, np.int64), card.numbers(given.values, np.float64)
        labels = [card.numbers(part, np.int32) for part in (given.own, given.other)]
        engine = engine_of(card, left.dtype, False)
        extent = Extent(length(left), length(right))
        for tile in _tiles(card, engine, left, right, extent, 0, 0, progress):
            card.launch(
                f"count_above<{tile.cells.c_type}>",
                tile.cells.rows,
                *tile.arguments,
                *(marks, levels, labels[0], length(left), labels[1], length(right)),
                *(len(given.own), int(absolute), counts),
                each=8,
            )
        # Counted at the last value a cell is above, which it is above all values before.
        sums = np.append(np.cumsum(card.read(counts)[::-1])[::-1], 0)
        ends = np.repeat(given.starts[1:], np.diff(given.starts))
        return np.asarray(sums[:-1] - sums[ends])

    def distance_sums(self, x: Rows, y: Rows, progress: Progress | None = None) -> Floats:
        """See `Backend.distance_sums`."""
        left = self.card.rows(x)
        right = self.card.partner(y, left)
        return self._distances(left, right, Extent(length(left), length(right)), progress)

    def group_distances(self, x: Rows, codes: Codes, groups: int) -> Floats:
        """See `Backend.group_distances`."""
        rows = self.card.rows(x)
        codes = as_codes(codes, length(rows), groups)
        if isinstance(rows, Matrix):
            rows = self.card.fetch(rows)
        order, bounds = in_groups(codes, groups)
        sums = np.zeros(groups)
        for g in range(groups):
            members = rows[order[bounds[g] : bounds[g + 1]]]
            sums[g] = self._distances(members, members, Extent(len(members)), None).sum()
        return sums

    def _distances(self, x: _Given, y: _Given, extent: Extent, progress: Progress | None) -> Floats:
        """Return the sums (n,) of the distances of rows of x to those of y, or to later ones."""
        card = self.card
        centre = card.numbers(_amid(card, y), np.float64)
        a = _centred(card, _laid(card, x), centre)
        b = a if y is x else _centred(card, _laid(card, y), centre)
        lengths = [_squared_lengths(card, part) for part in (a, b)]
        sums = card.vector(a.rows, np.float64, zero=True)
        for tile in _tiles(card, OwnEngine(card, False), a, b, extent, 0, 0, progress):
            card.launch("distances", tile.cells.rows, *tile.arguments, *lengths, sums, each=8)
        return np.asarray(card.read(sums), np.float64)


def _like(x: _Given) -> NDArray[Any]:
    """Return an array of no memory with the shape and type of rows, for checks."""
    return np.broadcast_to(np.zeros((), x.dtype), (length(x), width(x)))


def _laid(card: Card, x: _Given) -> Matrix:
    return x if isinstance(x, Matrix) else card.lay(x)


def _amid(card: Card, x: _Given) -> Floats:
    return amid(card.fetch(x) if isinstance(x, Matrix) else x)


def _centred(card: Card, x: Matrix, centre: Any) -> Matrix:
    out = card.matrix(x.rows, x.columns, np.float64)
    index = card.numbers(np.arange(x.rows), np.int64)
    shape = (x, x.stride, x.columns, index, x.rows, centre, 0, 0, out, out.stride)
    card.launch(f"centre_rows<{x.c_type}, double>", x.rows * out.stride, *shape)
    return out


def _squared_lengths(card: Card, x: Matrix) -> Any:
    out = card.vector(x.rows, np.float64)
    card.launch("squared_lengths", x.rows, x, x.rows, x.columns, x.stride, out, each=8)
    return out


def _tiles(
    card: Card,
    engine: Engine,
    x: _Given,
    y: _Given,
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
        self._twins: list[Twin] = [TWINS[type(c)](card, c, extent, dtype) for c in consumers]

    def add(
        self, x: Rows, y: Rows, row: int, column: int, progress: Progress | None = None
    ) -> None:
        left = self._card.rows(x)
        right = left if y is x else self._card.partner(y, left)
        if left.dtype != self._dtype:
            raise InputError(f"the pass is over {self._dtype} rows, not {left.dtype}")
        self._within(row, length(left), self._extent.rows)
        columns = self._extent.rows if self._extent.columns is None else self._extent.columns
        self._within(column, length(right), columns)
        args = (left, right, self._extent, row, column, progress)
        for tile in _tiles(self._card, self._engine, *args):
            for twin in self._twins:
                twin.absorb(tile)

    @staticmethod
    def _within(first: int, rows: int, all_rows: int) -> None:
        if first < 0 or first + rows > all_rows:
            raise InputError(
                f"rows {first} to {first + rows} are not within the pass's 0 to {all_rows}"
            )

    def states(self) -> list[State]:
        return [twin.state() for twin in self._twins]
