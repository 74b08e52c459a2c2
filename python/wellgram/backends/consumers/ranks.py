"""Cosines near an order statistic, and exact ranks of chosen values."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers.consumer import Cosines, Counting, Counts, Extent, Met, State
from wellgram.backends.number_checks import check_number, check_whole
from wellgram.errors import InputError


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
class Bracket(Counting):
    """Cosines in [low, high], and the count of those below: what an exact order statistic needs.

    At most about `capacity` cosines are kept by each thread; the counts are exact all the same.
    """

    low: float
    high: float
    capacity: int

    def __post_init__(self) -> None:
        check_number(self.low, "low")
        check_number(self.high, "high")
        check_whole(self.capacity, "capacity")
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
class Ranks(Counting):
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
