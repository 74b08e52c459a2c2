"""What a pass over all pairs can do with the cosines it meets.

A consumer is defined here once, in NumPy: ``start`` makes a state, ``absorb`` adds a batch of
cosines to it, ``merge`` joins two states and ``finish`` turns one into the answer. The reference
backend runs these definitions; compiled backends have twins of the same name. States merge in any
order, so the answer does not depend on threads or on how a pass was cut. Sums are kept as integers
(`FIXED_POINT`), so that not even their last bit does; but the square of a float64 may be rounded
once or twice, by the place of a pair in the pass, which can move it by one unit of that integer.

The cosines of a pass are finite: rows of NaN are for its callers to refuse.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wellgram.errors import InputError

Cosines = NDArray[np.floating[Any]]
Counts = NDArray[np.int64]

FIXED_POINT = float(1 << 40)
"""Sums are of cosines rounded to multiples of 2^-40, as integers: at most 5e-13 off per cosine"""


@dataclass(frozen=True)
class Extent:
    """The pairs of a pass: i < j among `rows` rows, or `rows` rows by `columns` others."""

    rows: int
    columns: int | None = None

    @property
    def symmetric(self) -> bool:
        """Whether the pass is of a map against itself, so that a pair counts for both its rows."""
        return self.columns is None

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        if self.columns is None:
            return self.rows * (self.rows - 1) // 2
        return self.rows * self.columns


@dataclass(frozen=True)
class Met:
    """Cosines (m,) that a pass met, and the rows i, j (m,) they belong to."""

    cosines: Cosines
    i: Counts
    j: Counts
    symmetric: bool = True

    @property
    def by_row(self) -> tuple[Counts, Counts, NDArray[np.float64]]:
        """Row, partner and cosine, once for each row that a pair counts for."""
        cosines = self.cosines.astype(np.float64)
        if not self.symmetric:
            return self.i, self.j, cosines
        both = np.concatenate
        return both([self.i, self.j]), both([self.j, self.i]), both([cosines, cosines])


@dataclass(frozen=True)
class State:
    """A state: integers, and cosines that were kept, if any."""

    counts: Counts
    values: Cosines = field(default_factory=lambda: np.empty(0))


class Consumer(Protocol):
    """The contract of a consumer; `finish` returns what `scan_pairs` returns for it."""

    def check(self, extent: Extent) -> None:
        """Raise InputError unless it fits a pass of this extent."""

    def start(self, extent: Extent) -> State:
        """Return the state of no cosines."""

    def absorb(self, state: State, met: Met) -> State:
        """Return the state with the cosines added."""

    def merge(self, a: State, b: State) -> State:
        """Return the state of both."""

    def finish(self, state: State) -> Any:
        """Return the answer of a state."""


class _Counting:
    """A consumer whose state is counts that add up."""

    def check(self, extent: Extent) -> None:
        """Fits every pass."""

    def merge(self, a: State, b: State) -> State:
        """Add the counts and join what was kept."""
        return State(a.counts + b.counts, np.concatenate([a.values, b.values]))


@dataclass(frozen=True)
class CountBelow(_Counting):
    """Pairs whose cosine lies strictly below each threshold: an int64 array (t,)."""

    thresholds: tuple[float, ...]

    def start(self, extent: Extent) -> State:
        """Return zero counts."""
        return State(np.zeros(len(self.thresholds), np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Count the cosines below each threshold."""
        # As float64: NumPy would round a plain number to the type of the cosines first.
        below = [np.count_nonzero(met.cosines < np.float64(t)) for t in self.thresholds]
        return State(state.counts + np.asarray(below, np.int64))

    def finish(self, state: State) -> Counts:
        """Return the counts."""
        return state.counts


@dataclass(frozen=True)
class Histogram(_Counting):
    """Pairs in each of `bins` equal bins of [low, high): an int64 array (bins,).

    What lies outside is counted in the first and the last bin, because rounding can carry the
    cosine of two equal rows past 1.
    """

    low: float = -1.0
    high: float = 1.0
    bins: int = 400

    def __post_init__(self) -> None:
        if not -np.inf < self.low < self.high < np.inf or not 1 <= self.bins < 1 << 31:
            raise InputError(
                f"a histogram needs finite low < high and 1 <= bins < 2^31, not {self}"
            )

    @property
    def edges(self) -> NDArray[np.float64]:
        """The bin edges (bins + 1,)."""
        return np.linspace(self.low, self.high, self.bins + 1)

    def start(self, extent: Extent) -> State:
        """Return empty bins."""
        return State(np.zeros(self.bins, np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Count the cosines in their bins."""
        place = (met.cosines.astype(np.float64) - self.low) * (self.bins / (self.high - self.low))
        place = np.clip(np.nan_to_num(place, nan=0.0), 0, self.bins - 1).astype(np.int64)
        return State(state.counts + np.bincount(place, minlength=self.bins))

    def finish(self, state: State) -> Counts:
        """Return the counts."""
        return state.counts


def _within(values: Cosines, low: float, high: float) -> Cosines:
    """Return the values in [low, high], the bounds not rounded to the type of the values."""
    kind = values.dtype.type
    with np.errstate(over="ignore"):  # bounds past the range of the type become infinite
        least, most = kind(low), kind(high)
    if least < np.float64(low):
        least = np.nextafter(least, kind(np.inf))
    if most > np.float64(high):
        most = np.nextafter(most, kind(-np.inf))
    # By place: a mask as an index costs five times as much where what is wanted lies scattered.
    return values[np.flatnonzero((values >= least) & (values <= most))]


@dataclass(frozen=True)
class Bracketed:
    """The answer of a `Bracket`: how many cosines lie below and within, and those within."""

    below: int
    within: int
    values: Cosines
    """The cosines within, in no order; fewer than `within` where the capacity was reached."""

    @property
    def complete(self) -> bool:
        """Whether every cosine within was kept."""
        return len(self.values) == self.within


@dataclass(frozen=True)
class Bracket(_Counting):
    """Cosines in [low, high], and the count of those below: what an exact order statistic needs.

    At most about `capacity` cosines are kept by each thread; the counts are exact all the same.
    """

    low: float
    high: float
    capacity: int

    def __post_init__(self) -> None:
        if not self.low <= self.high or self.capacity < 0:
            raise InputError(f"a bracket needs low <= high and capacity >= 0, not {self}")

    def start(self, extent: Extent) -> State:
        """Return nothing counted, nothing kept."""
        return State(np.zeros(2, np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Count, and keep what lies within while there is room."""
        within = _within(met.cosines, self.low, self.high)
        below = np.count_nonzero(met.cosines < np.float64(self.low))
        counts = state.counts + np.array([below, len(within)])
        room = max(0, self.capacity - len(state.values))
        return State(counts, np.concatenate([state.values, within[:room]]))

    def finish(self, state: State) -> Bracketed:
        """Return the counts and the cosines."""
        below, within = (int(c) for c in state.counts)
        return Bracketed(below, within, state.values)


@dataclass(frozen=True)
class Ranked:
    """The answer of `Ranks`: per value how many cosines lie below it, and how many up to it."""

    below: Counts
    up_to: Counts
    brackets: list[Bracketed]
    """Per bracket what a `Bracket` would have found"""


@dataclass(frozen=True, eq=False)
class Ranks(_Counting):
    """Per value (m,) the number of cosines < it and <= it, both exact.

    `brackets` are answered on the way: each costs less here than as a consumer of its own. At most
    about `capacity` of their cosines in all are kept by each thread.
    """

    values: NDArray[np.float64]
    brackets: tuple[tuple[float, float], ...] = ()
    capacity: int = 0

    def __post_init__(self) -> None:
        if np.isnan(self.values).any():
            raise InputError("a NaN has no rank among cosines")
        for low, high in self.brackets:
            Bracket(low, high, self.capacity)  # raises if it is none

    @property
    def keys(self) -> NDArray[np.float64]:
        """The values and the bounds of brackets, ascending, each once."""
        return self._sorted[0]

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.float64], Counts]:
        """The keys; and for each value, then each bound of brackets, which key it is."""
        bounds = np.array(self.brackets, np.float64).ravel()
        both = np.concatenate([np.asarray(self.values, np.float64), bounds])
        return np.unique(both, return_inverse=True)

    @property
    def kept_keys(self) -> list[tuple[int, int]]:
        """Per bracket the first and the last key at which the cosines within are counted."""
        bounds = self._sorted[1][len(self.values) :].tolist()
        return list(zip(bounds[::2], bounds[1::2], strict=True))

    def start(self, extent: Extent) -> State:
        """Return zeros: cosines whose first key not less is this one; cosines equal to it."""
        return State(np.zeros(2 * len(self.keys), np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Count each cosine at the first key that is not less; keep those of brackets."""
        cosines = met.cosines.astype(np.float64)
        return self.placed(state, cosines, np.searchsorted(self.keys, cosines, side="left"))

    def placed(self, state: State, cosines: Cosines, place: Counts) -> State:
        """Return the state with cosines of known places among the keys added."""
        m = len(self.keys)
        inside = place < m  # not above all keys, and no NaN
        place, cosines = place[inside], cosines[inside]
        equal = place[self.keys[place] == cosines]
        added = [np.bincount(place, minlength=m), np.bincount(equal, minlength=m)]
        kept = np.zeros(len(place), bool)
        for first, last in self.kept_keys:
            kept |= (place >= first) & (place <= last)
        room = max(0, self.capacity - len(state.values))
        values = np.concatenate([state.values, cosines[kept][:room]])
        return State(state.counts + np.concatenate(added), values)

    def finish(self, state: State) -> Ranked:
        """Return the cumulated counts, in the order of the values."""
        counts, equal = state.counts.reshape(2, -1)
        up_to = np.cumsum(counts)
        below = up_to - equal
        place = self._sorted[1][: len(self.values)]
        brackets = []
        for (low, high), (first, last) in zip(self.brackets, self.kept_keys, strict=True):
            count = int(up_to[last] - below[first])
            within = _within(state.values, low, high)
            brackets.append(Bracketed(int(below[first]), count, within))
        return Ranked(below[place], up_to[place], brackets)


@dataclass(frozen=True)
class NearestFound:
    """The answer of `Nearest`: arrays (n, most) and (n, least), the nearest or farthest first.

    Where a row has fewer partners, the index is -1 and the cosine NaN.
    """

    most: Counts
    most_cosines: Cosines
    least: Counts
    least_cosines: Cosines


@dataclass(frozen=True)
class Nearest:
    """The most and the least similar partners of each row; among equals, smaller indices first."""

    most: int
    least: int = 0

    def __post_init__(self) -> None:
        if min(self.most, self.least) < 0 or max(self.most, self.least) < 1:
            raise InputError(f"numbers of neighbors must be positive, not {self}")

    def check(self, extent: Extent) -> None:
        """Fits every pass; what is not there is -1."""

    def start(self, extent: Extent) -> State:
        """Return no partners: an array (rows, most), then one (rows, least)."""
        size = extent.rows * (self.most + self.least)
        return State(np.full(size, -1), np.full(size, np.nan))

    def sides(self, state: State) -> list[tuple[int, Counts, Cosines]]:
        """Return sign, partners and cosines of both sides; the sign makes larger better."""
        n = len(state.counts) // (self.most + self.least)
        sides = []
        for sign, part, k in (
            (1, slice(0, n * self.most), self.most),
            (-1, slice(n * self.most, None), self.least),
        ):
            sides.append((sign, state.counts[part].reshape(n, k), state.values[part].reshape(n, k)))
        return sides

    def absorb(self, state: State, met: Met) -> State:
        """Take in the partners met, row by row."""
        rows, partners, cosines = met.by_row
        if not len(rows):
            return state
        order = np.argsort(rows, kind="stable")
        touched, starts = np.unique(rows[order], return_index=True)
        counts, values = state.counts.copy(), state.values.copy()
        for sign, index, best in self.sides(State(counts, values)):
            for row, some in zip(touched, np.split(order, starts[1:]), strict=True):
                index[row], best[row] = _best(
                    sign,
                    np.concatenate([index[row], partners[some]]),
                    np.concatenate([best[row], cosines[some]]),
                    index.shape[1],
                )
        return State(counts, values)

    def merge(self, a: State, b: State) -> State:
        """Keep the best of both."""
        index, values = [], []
        for (sign, *one), (_, *two) in zip(self.sides(a), self.sides(b), strict=True):
            partners = np.concatenate([one[0], two[0]], axis=1)
            cosines = np.concatenate([one[1], two[1]], axis=1)
            best = _best(sign, partners, cosines, one[0].shape[1])
            index.append(best[0].ravel())
            values.append(best[1].ravel())
        return State(np.concatenate(index), np.concatenate(values))

    def finish(self, state: State) -> NearestFound:
        """Return partners and cosines of both sides."""
        (_, most, most_cosines), (_, least, least_cosines) = self.sides(state)
        return NearestFound(most, most_cosines, least, least_cosines)


def _best(sign: int, partners: Counts, cosines: Cosines, k: int) -> tuple[Counts, Cosines]:
    """Return the k best along the last axis; NaN, the sign of nobody, sorts last."""
    order = np.lexsort((partners, -sign * cosines), axis=-1)[..., :k]
    best = np.take_along_axis(cosines, order, axis=-1)
    chosen = np.take_along_axis(partners, order, axis=-1)
    return np.where(np.isnan(best), -1, chosen), best


def _fixed(values: NDArray[np.float64]) -> Counts:
    return np.rint(values * FIXED_POINT).astype(np.int64)


@dataclass(frozen=True)
class RowMoments(_Counting):
    """Per row the number of its partners, and the sum and sum of squares of its cosines.

    The answer is a float64 array (3, n). For at most 2^22 partners, or 64 bits overflow.
    """

    def check(self, extent: Extent) -> None:
        """Raise for rows of more partners than 64 bits hold the sum of."""
        partners = extent.rows if extent.columns is None else extent.columns
        if partners > 1 << 22:
            raise InputError(f"sums over rows are kept for 2^22 partners at most, not {partners}")

    def start(self, extent: Extent) -> State:
        """Return zeros."""
        return State(np.zeros(3 * extent.rows, np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Add to both rows of a pair."""
        rows, _, cosines = met.by_row
        sums = state.counts.reshape(3, -1).copy()
        for k, added in enumerate((np.ones_like(rows), _fixed(cosines), _fixed(cosines**2))):
            np.add.at(sums[k], rows, added)
        return State(sums.ravel())

    def finish(self, state: State) -> NDArray[np.float64]:
        """Return counts, sums and sums of squares."""
        sums: NDArray[np.float64] = state.counts.reshape(3, -1).astype(np.float64)
        sums[1:] /= FIXED_POINT
        return sums


@dataclass(frozen=True, eq=False)
class WithinGroups(_Counting):
    """Per group the number of pairs whose two rows are both of it, and the sums of their cosines.

    `codes` (n,) gives each row its group, or -1; for a pass against others `other_codes` (m,) gives
    theirs. The answer is a float64 array (3, groups): counts, sums, sums of squares.
    """

    codes: Counts
    other_codes: Counts | None = None

    @property
    def groups(self) -> int:
        """The number of groups."""
        both = [self.codes] if self.other_codes is None else [self.codes, self.other_codes]
        return 1 + max((int(c.max(initial=-1)) for c in both), default=-1)

    def check(self, extent: Extent) -> None:
        """Raise unless there is one code per row."""
        lengths = (len(self.codes), None if self.other_codes is None else len(self.other_codes))
        if lengths != (extent.rows, extent.columns):
            raise InputError(
                f"the codes of groups are {lengths[0]} by {lengths[1]}, but the rows of the pass "
                f"{extent.rows} by {extent.columns}"
            )

    def start(self, extent: Extent) -> State:
        """Return zeros: counts, then upper and lower 32 bits of the sums and of the squares'."""
        return State(np.zeros(5 * self.groups, np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Add the pairs within a group."""
        others = self.codes if self.other_codes is None else self.other_codes
        code = self.codes[met.i]
        within = (code == others[met.j]) & (code >= 0)
        code, cosines = code[within], met.cosines[within].astype(np.float64)
        sums = state.counts.reshape(5, -1).copy()
        np.add.at(sums[0], code, 1)
        for k, fixed in ((1, _fixed(cosines)), (3, _fixed(cosines**2))):
            np.add.at(sums[k], code, fixed >> 32)
            np.add.at(sums[k + 1], code, fixed & 0xFFFFFFFF)
            sums[k] += sums[k + 1] >> 32
            sums[k + 1] &= 0xFFFFFFFF
        return State(sums.ravel())

    def finish(self, state: State) -> NDArray[np.float64]:
        """Return counts, sums and sums of squares."""
        counts, *sums = state.counts.reshape(5, -1).astype(np.float64)
        first, second = ((sums[k] * 2.0**32 + sums[k + 1]) / FIXED_POINT for k in (0, 2))
        return np.stack([counts, first, second])


@dataclass(frozen=True, eq=False)
class Matrix:
    """The cosines, written to `out` (n, m); of a map against itself, both triangles.

    What a pass does not meet, such as the diagonal of a map against itself, is left as it was.
    """

    out: Cosines = field(repr=False)

    def check(self, extent: Extent) -> None:
        """Raise unless the matrix has the shape of the pass."""
        shape = (extent.rows, extent.rows if extent.columns is None else extent.columns)
        if self.out.shape != shape:
            raise InputError(f"the matrix is {self.out.shape}, but the pass {shape}")

    def start(self, extent: Extent) -> State:
        """Return nothing: what is met goes to the matrix."""
        return State(np.empty(0, np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Write the cosines."""
        self.out[met.i, met.j] = met.cosines
        if met.symmetric:
            self.out[met.j, met.i] = met.cosines
        return state

    def merge(self, a: State, b: State) -> State:
        """Return nothing: both wrote to one matrix."""
        return a

    def finish(self, state: State) -> Cosines:
        """Return the matrix."""
        return self.out
