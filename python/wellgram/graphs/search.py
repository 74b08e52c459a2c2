"""The nearest rows of each row, exactly: candidates by passes over pairs, then a proof for each.

A cosine of float32 is off by a bound at most. So the nearest rows by distance are among those whose
cosine is within twice the bound of the k-th greatest, and their distances are taken in float64. A
row whose last candidate is within it too may have lost one. It is looked for again: about the
centre of rows with more candidates, then by products of float64, and if equal rows still leave it
open, by its distances to all others.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.consumers import Nearest
from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Codes, Floats, Progress, Rows
from wellgram.backends.thread_count import threads
from wellgram.graphs.candidates import Candidates
from wellgram.graphs.measures import Measure
from wellgram.graphs.unfinished_pass import UnfinishedPass
from wellgram.graphs.vectors import Vectors
from wellgram.pairs import PairDtype, UnitRows
from wellgram.pairs.groups_apart import GroupsApart
from wellgram.pairs.scanning import scan

SMALL_GROUP = 32
"""Groups of fewer rows are met and sifted: a pass by areas of few rows would be slow"""

_SPARE = 5
"""Candidates beyond the neighbors, beside a fifth as many as these"""
_ROUNDINGS = 16
"""How many more roundings than products of features an error of a cosine is bounded by"""
_CHUNK_CELLS = 1 << 17
"""Values of differences that are worked on at a time: few enough for a cache"""
_CHUNK_ROWS, _KEPT_CHUNK_ROWS = 1 << 18, 1 << 16
"""Rows that look for partners in one pass, so that it takes little memory; and where what it finds
is kept, so that little is lost"""
_WIDER = 8
"""How many times as many spare candidates those rows get that are looked for again"""
_ROUND_AS_FLOAT32 = frozenset({"cpu", "numba", "reference"})
"""Backends whose products of float32 err by no more than the bound. Tensor cores of cards may round
rows to fewer digits; there products are of float64"""
_AGAIN: tuple[PairDtype, ...] = ("float32", "float64")
"""The products by which rows are looked for again that were left open"""
_FIRST_SHARE = 0.9
"""The share of the time, about, that the first pass takes"""


@dataclass(frozen=True)
class Side:
    """Rows of an array, by number, in the order of a pass."""

    array: Rows
    chosen: Codes

    def __len__(self) -> int:
        return len(self.chosen)

    def chunks(self) -> Iterator[Rows]:
        """Yield the rows, some at a time."""
        height = max(1, _CHUNK_CELLS // self.array.shape[1])
        for first in range(0, len(self), height):
            yield self.array[self.chosen[first : first + height]]

    def some(self, places: Codes) -> "Side":
        """Return those at some places of the order."""
        return Side(self.array, self.chosen[places])


@dataclass(frozen=True)
class Nearby:
    """The nearest of each row, the nearest first; among equals, smaller row numbers first."""

    rows: Codes
    """(m, k): row numbers of partners"""
    distances: Floats
    """(m, k)"""


@dataclass(frozen=True)
class Search:
    """Which k rows are the nearest of each, by a measure."""

    measure: Measure
    k: int
    left: Side
    """Rows that look for partners"""
    right: Side
    """Rows that are looked among"""
    itself: bool
    """Whether both are the same rows, in the same order: none is its own partner"""
    groups: Codes | None = None
    """The group of each, in ascending order, if partners are of other groups; those of few rows
    come first"""

    def run(
        self, progress: Progress | None = None, unfinished: UnfinishedPass | None = None
    ) -> Nearby:
        """Return the nearest of each row that looks for partners, of which there are k or more."""
        m = len(self.left)
        found = Nearby(np.full((m, self.k), -1, np.int64), np.full((m, self.k), np.nan))
        for places, met in self._first_pass(part_of(progress, 0, _FIRST_SHARE), unfinished):
            self._settle(found, places, met, self.measure, "float32")
        done = _FIRST_SHARE
        for dtype in _AGAIN:
            places = np.flatnonzero(found.rows[:, 0] < 0)
            if not len(places):
                break
            measure = self.measure.sharper(self.right.chunks)
            part = part_of(progress, done, (1 - done) / 2)
            for some, met in self._passes(places, measure, dtype, part, wider=True):
                self._settle(found, some, met, measure, dtype)
            done += (1 - done) / 2
        for place in np.flatnonzero(found.rows[:, 0] < 0):
            found.rows[place], found.distances[place] = self._among_all(int(place))
        if progress is not None:
            progress(1.0)
        return found

    def _first_pass(
        self, progress: Progress | None, unfinished: UnfinishedPass | None
    ) -> Iterator[tuple[Codes, Candidates]]:
        places = np.arange(len(self.left))
        if not (self.itself and self.measure.symmetric):
            yield from self._passes(places, self.measure, "float32", progress, unfinished)
            return
        consumer = self._consumer(wider=False)
        height = _CHUNK_ROWS if unfinished is None else _KEPT_CHUNK_ROWS
        chunks = [places[first : first + height] for first in range(0, len(places), height)]
        pieces = list(combinations_with_replacement(range(len(chunks)), 2))
        met, found = 0, Candidates.none(len(places), consumer.nearest)
        if unfinished is not None and (kept := unfinished.load("pairs")) is not None:
            met, found = kept
        for done in range(met, len(pieces)):
            part = part_of(progress, done / len(pieces), 1 / len(pieces))
            first, second = pieces[done]
            self._meet(found, chunks[first], chunks[second], consumer, part)
            if unfinished is not None:
                unfinished.save("pairs", done + 1, found)
        yield places, found

    def _meet(
        self,
        found: Candidates,
        some: Codes,
        others: Codes,
        consumer: Nearest,
        progress: Progress | None,
    ) -> None:
        """Take in the pairs of some rows with others, or those among some rows."""
        same = others is some
        places = some if same else np.concatenate([some, others])
        rows = self._unit(self.right.some(places), self.measure.right, "float32")
        codes = self._apart_codes()[places]
        apart = GroupsApart(codes, codes, 0 if same else len(some))
        (nearest,) = scan(rows, None, [consumer], progress=progress, apart=apart)
        partners = np.where(nearest.nearest < 0, -1, places[nearest.nearest])
        found.meet(places, partners, nearest.nearest_cosines)

    def _passes(
        self,
        places: Codes,
        measure: Measure,
        dtype: PairDtype,
        progress: Progress | None,
        unfinished: UnfinishedPass | None = None,
        *,
        wider: bool = False,
    ) -> Iterator[tuple[Codes, Candidates]]:
        """Yield some rows at a time, and what a pass of them by all partners found."""
        others = self._unit(self.right, measure.right, dtype)
        consumer, codes = [self._consumer(wider)], self._apart_codes()
        height = _CHUNK_ROWS if unfinished is None else _KEPT_CHUNK_ROWS
        for first in range(0, len(places), height):
            some = places[first : first + height]
            kept = None if unfinished is None else unfinished.load(f"rows-{first}")
            if kept is not None:
                yield some, kept[1]
                continue
            rows = self._unit(self.left.some(some), measure.left, dtype)
            part = part_of(progress, first / len(places), len(some) / len(places))
            apart = None if self.groups is None else GroupsApart(codes[some], codes)
            found = Candidates.of(scan(rows, others, consumer, progress=part, apart=apart)[0])
            if unfinished is not None:
                unfinished.save(f"rows-{first}", 1, found)
            yield some, found

    def _apart_codes(self) -> Codes:
        """Return the groups whose pairs are not met; -1 for those that are met and sifted."""
        if self.groups is None:
            return np.full(len(self.right), -1, np.int64)
        return np.where(np.bincount(self.groups)[self.groups] < SMALL_GROUP, -1, self.groups)

    def _consumer(self, wider: bool) -> Nearest:
        width = self.k + (_SPARE + self.k // 5) * (_WIDER if wider else 1) + self.itself
        if self.groups is not None:
            sizes = np.bincount(self.groups)
            width += int(sizes[sizes < SMALL_GROUP].max(initial=1)) - 1
        return Nearest(min(width, len(self.right)))

    def _unit(self, side: Side, form: Callable[[Floats], Floats], dtype: PairDtype) -> UnitRows:
        if get_backend().name not in _ROUND_AS_FLOAT32:
            dtype = "float64"
        width = form(np.empty((0, side.array.shape[1]))).shape[1]
        return UnitRows(Vectors(side.array, side.chosen, form, width, np.dtype(dtype)), dtype)

    def _settle(
        self, found: Nearby, places: Codes, met: Candidates, measure: Measure, dtype: PairDtype
    ) -> None:
        """Note the nearest of those rows of which candidates prove them."""
        width = measure.width(self.right.array.shape[1])
        margin = (width + _ROUNDINGS) * float(np.finfo(dtype).eps)
        height = max(1, _CHUNK_CELLS // (self.k * width))

        def settle(first: int) -> None:
            chunk = slice(first, first + height)
            some, partners, cosines = places[chunk], met.partners[chunk], met.cosines[chunk]
            last = np.where(partners[:, -1] < 0, -np.inf, cosines[:, -1])
            allowed = self._allowed(some, partners)
            cosines = np.where(allowed, cosines, -np.inf)
            if not allowed.all():
                order = np.argsort(-cosines, axis=1, kind="stable")
                cosines = np.take_along_axis(cosines, order, axis=1)
                partners = np.take_along_axis(partners, order, axis=1)
            least = cosines[:, self.k - 1] - margin
            sure = np.flatnonzero((least > -np.inf) & (last < least))
            if len(sure):
                count = int((cosines[sure] >= least[sure, None]).sum(axis=1).max())
                near = np.where(np.isfinite(cosines[sure, :count]), partners[sure, :count], -1)
                rows = some[sure]
                found.rows[rows], found.distances[rows] = self._ordered(rows, near)

        if met.partners.shape[1] < self.k:  # so few rows are there that all are compared
            return
        with ThreadPoolExecutor(threads()) as workers:
            try:
                for _ in workers.map(settle, range(0, len(places), height)):
                    pass
            except BaseException:  # Ctrl-C too: what has not begun is let be
                workers.shutdown(wait=False, cancel_futures=True)
                raise

    def _allowed(self, places: Codes, partners: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return which partners (m, w) of rows are none of their own group, nor themselves."""
        allowed = partners >= 0
        if self.itself:
            allowed &= partners != places[:, None]
        if self.groups is not None:
            allowed &= self.groups[partners] != self.groups[places][:, None]
        return np.asarray(allowed)

    def _ordered(self, places: Codes, partners: Codes) -> tuple[Codes, Floats]:
        """Return the k nearest (m, k) of few partners (m, w) of each row, -1 for nobody."""
        rows = self.left.array[self.left.chosen[places]].astype(np.float64)
        numbers = self.right.chosen[partners]
        others = self.right.array[numbers].astype(np.float64)
        distances = self.measure.distances(rows, others)
        distances[partners < 0] = np.inf
        order = np.lexsort((numbers, distances), axis=-1)[:, : self.k]
        return (
            np.take_along_axis(numbers, order, axis=1),
            np.take_along_axis(distances, order, axis=1),
        )

    def _among_all(self, place: int) -> tuple[Codes, Floats]:
        """Return the k nearest of a row, by its distances to all others."""
        row = self.left.array[self.left.chosen[[place]]].astype(np.float64)
        distances = np.empty(len(self.right))
        height = max(1, _CHUNK_CELLS // row.shape[1])
        for first in range(0, len(self.right), height):
            others = self.right.array[self.right.chosen[first : first + height]]
            distances[first : first + height] = self.measure.distances(
                row, others.astype(np.float64)[None]
            )[0]
        everyone = np.arange(len(self.right))
        distances[~self._allowed(np.array([place]), everyone[None])[0]] = np.inf
        order = np.lexsort((self.right.chosen, distances))[: self.k]
        return self.right.chosen[order], distances[order]
