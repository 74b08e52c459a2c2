"""Twins of the consumers: states on the card, tiles absorbed by kernels."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import consumers as definitions
from wellgram.backends.consumers import Extent, State
from wellgram.backends.gpu.arrays import Vector
from wellgram.backends.gpu.card import ROWS, Card
from wellgram.backends.gpu.nearest_sifter import MOST_PARTNERS, NearestSifter, Side
from wellgram.backends.gpu.sifters import Absorber, KernelSifter, Sifter
from wellgram.backends.gpu.tiles import Tile


class Twin(Absorber, Protocol):
    """A consumer on the card."""

    def state(self) -> State:
        """Return the state, as the definition has it."""


class _WantsCosines:
    def sifter(self) -> Sifter | None:
        return None


class _Histogram:
    def __init__(self, card: Card, consumer: definitions.Histogram, *_: Any):
        self._card = card
        self._counts = card.vector(consumer.bins, np.int64, zero=True)
        scale = float(consumer.bins / (consumer.high - consumer.low))
        self._arguments = (float(consumer.low), scale, consumer.bins, self._counts)

    def absorb(self, tile: Tile) -> None:
        self._card.launch(
            f"histogram<{tile.cells.c_type}>",
            tile.cells.rows,
            *(*tile.arguments, *self._arguments),
            each=ROWS,
        )

    def sifter(self) -> Sifter | None:
        return KernelSifter(self._card, "sift_histogram", "decide_histogram", self._arguments)

    def state(self) -> State:
        return State(self._card.read(self._counts))


class _Ranks(_WantsCosines):
    def __init__(
        self, card: Card, consumer: definitions.Ranks, extent: Extent, dtype: "np.dtype[Any]"
    ):
        self._card, keys = card, consumer.keys
        self._m = len(keys)
        # Parts of [-1, 1], about as many as keys, so that little is left to search.
        self._bins = int(min(1 << 16, max(64, 4 * self._m)))
        with np.errstate(over="ignore"):
            part = np.clip((keys + 1) * 0.5 * self._bins, 0, self._bins - 1).astype(np.int64)
        firsts = np.append(np.searchsorted(part, np.arange(self._bins)), self._m)
        kept = np.zeros(self._m, np.uint8)
        for first, last in consumer.kept_keys:
            kept[first] = max(kept[first], 1)
            kept[first + 1 : last + 1] = 2
        self._capacity = int(min(consumer.capacity, extent.pairs)) if consumer.brackets else 0
        self._keys = card.numbers(keys, np.float64)
        self._firsts, self._kept = card.numbers(firsts, np.int64), card.numbers(kept, np.uint8)
        self._counts = card.vector(2 * self._m, np.int64, zero=True)
        self._values = card.vector(self._capacity, dtype)
        self._used = card.vector(1, np.int64, zero=True)
        self._arguments = (
            *(self._keys, self._m, self._firsts, self._bins, self._kept),
            *(self._values, self._capacity, self._used, self._counts),
        )

    def absorb(self, tile: Tile) -> None:
        self._card.launch(
            f"ranks<{tile.cells.c_type}>",
            tile.cells.rows,
            *(*tile.arguments, *self._arguments),
            each=ROWS,
        )

    def of_few(self) -> Sifter:
        """Return the sifter for keys that are few: with many, a cosine is near one everywhere."""
        return KernelSifter(self._card, "sift_ranks", "decide_ranks", self._arguments)

    def state(self) -> State:
        used = min(int(self._card.read(self._used)[0]), self._capacity)
        values = self._values
        kept = Vector(values.owner, values.address, used, values.dtype)
        return State(self._card.read(self._counts), self._card.read(kept))


class _CountBelow:
    """By ranks of the thresholds; below a NaN there is nothing."""

    def __init__(self, card: Card, consumer: definitions.CountBelow, *rest: Any):
        thresholds = np.array(consumer.thresholds, np.float64)
        self._numbers = ~np.isnan(thresholds)
        self._consumer = definitions.Ranks(thresholds[self._numbers])
        self._twin = _Ranks(card, self._consumer, *rest)
        self.absorb, self.sifter = self._twin.absorb, self._twin.of_few

    def state(self) -> State:
        below = np.zeros(len(self._numbers), np.int64)
        below[self._numbers] = self._consumer.finish(self._twin.state()).below
        return State(below)


class _Bracket:
    """A bracket of ranks of no values."""

    def __init__(self, card: Card, consumer: definitions.Bracket, *rest: Any):
        bounds = ((consumer.low, consumer.high),)
        self._consumer = definitions.Ranks(np.empty(0), bounds, consumer.capacity)
        self._twin = _Ranks(card, self._consumer, *rest)
        self.absorb, self.sifter = self._twin.absorb, self._twin.of_few

    def state(self) -> State:
        found = self._consumer.finish(self._twin.state()).brackets[0]
        return State(np.array([found.below, found.within]), found.values)


class _Nearest:
    def __init__(
        self, card: Card, consumer: definitions.Nearest, extent: Extent, dtype: "np.dtype[Any]"
    ):
        self._card, self._dtype, self._extent = card, dtype, extent
        state = consumer.start(extent)
        self._sides = [
            Side(
                sign, index.shape[1], card.numbers(index, np.int64), card.numbers(best, np.float64)
            )
            for sign, index, best in consumer.sides(state)
        ]

    def absorb(self, tile: Tile) -> None:
        for side in self._sides:
            for by_columns in range(2 if tile.symmetric and side.k else min(side.k, 1)):
                lines = tile.cells.columns if by_columns else tile.cells.rows
                best = (float(side.sign), side.k, side.partners, side.cosines)
                self._card.launch(
                    f"nearest<{tile.cells.c_type}>",
                    lines,
                    *(*tile.arguments, by_columns, *best),
                    each=64,
                )

    def sifter(self) -> Sifter | None:
        most, least = self._sides
        if max(most.k, least.k) > MOST_PARTNERS:
            return None
        return NearestSifter(self._card, most, least, self._extent)

    def state(self) -> State:
        read = self._card.read
        partners = [read(side.partners) for side in self._sides]
        cosines = [read(side.cosines) for side in self._sides]
        return State(np.concatenate(partners), np.concatenate(cosines).astype(self._dtype))


class _RowMoments(_WantsCosines):
    def __init__(self, card: Card, _: definitions.RowMoments, extent: Extent, *rest: Any):
        self._card, self._n = card, extent.rows
        self._sums = card.vector(3 * extent.rows, np.int64, zero=True)

    def absorb(self, tile: Tile) -> None:
        arguments = (*tile.arguments, self._n, self._sums)
        c_type = tile.cells.c_type
        self._card.launch(f"row_moments<{c_type}>", tile.cells.rows, *arguments, each=ROWS)
        if tile.symmetric:
            self._card.launch(f"column_moments<{c_type}>", tile.cells.columns, *arguments)

    def state(self) -> State:
        return State(self._card.read(self._sums))


class _WithinGroups(_WantsCosines):
    def __init__(self, card: Card, consumer: definitions.WithinGroups, *_: Any):
        others = consumer.codes if consumer.other_codes is None else consumer.other_codes
        self._card, self._groups = card, consumer.groups
        self._codes = [card.numbers(codes, np.int64) for codes in (consumer.codes, others)]
        self._sums = card.vector(5 * consumer.groups, np.int64, zero=True)

    def absorb(self, tile: Tile) -> None:
        self._card.launch(
            f"within_groups<{tile.cells.c_type}>",
            tile.cells.rows,
            *(*tile.arguments, *self._codes, self._groups, self._sums),
            each=ROWS,
        )
        self._card.launch("carry", 2 * self._groups, self._sums, self._groups)

    def state(self) -> State:
        return State(self._card.read(self._sums))


class _Matrix(_WantsCosines):
    """Tiles are copied to the matrix, which lies in main memory."""

    def __init__(self, card: Card, consumer: definitions.Matrix, *_: Any):
        self._card, self._out = card, consumer.out

    def absorb(self, tile: Tile) -> None:
        cells = self._card.fetch(tile.cells)
        rows = slice(tile.row, tile.row + cells.shape[0])
        columns = slice(tile.column, tile.column + cells.shape[1])
        if not tile.symmetric:
            self._out[rows, columns] = cells
            return
        i, j = np.ogrid[rows, columns]
        _write(self._out[rows, columns], cells, j > i)
        _write(self._out[columns, rows], cells.T, (j > i).T)

    def state(self) -> State:
        return State(np.empty(0, np.int64))


def _write(out: NDArray[Any], cells: NDArray[Any], chosen: NDArray[np.bool_]) -> None:
    np.copyto(out, cells, where=chosen)


TWINS: dict[type, Callable[..., Twin]] = {
    definitions.CountBelow: _CountBelow,
    definitions.Histogram: _Histogram,
    definitions.Bracket: _Bracket,
    definitions.Ranks: _Ranks,
    definitions.Nearest: _Nearest,
    definitions.RowMoments: _RowMoments,
    definitions.WithinGroups: _WithinGroups,
    definitions.Matrix: _Matrix,
}
