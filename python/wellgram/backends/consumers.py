"""What a pass over all pairs can do with the cosines it meets.

A consumer is defined here once, in NumPy: ``start`` makes a state, ``absorb`` adds a batch of
cosines to it, ``merge`` joins two states and ``finish`` turns one into the answer. The reference
backend runs these definitions; compiled backends have twins of the same name. States merge in any
order, so the answer does not depend on threads or on how a pass was cut.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wellgram.errors import InputError

Cosines = NDArray[np.floating[Any]]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class State:
    """A state: integers, and the cosines that were kept, if any."""

    counts: Counts
    values: NDArray[np.float64]


class Consumer(Protocol):
    """The contract of a consumer; `finish` returns what `scan_pairs` returns for it."""

    def start(self) -> State:
        """Return the state of no cosines."""

    def absorb(self, state: State, cosines: Cosines) -> State:
        """Return the state with the cosines (m,) added."""

    def merge(self, a: State, b: State) -> State:
        """Return the state of both."""

    def finish(self, state: State) -> Any:
        """Return the answer of a state."""


def _add(a: State, b: State) -> State:
    return State(a.counts + b.counts, np.concatenate([a.values, b.values]))


@dataclass(frozen=True)
class CountBelow:
    """Pairs whose cosine lies strictly below each threshold: an int64 array (t,)."""

    thresholds: tuple[float, ...]

    def start(self) -> State:
        """Return zero counts."""
        return State(np.zeros(len(self.thresholds), np.int64), np.empty(0))

    def absorb(self, state: State, cosines: Cosines) -> State:
        """Count the cosines below each threshold."""
        # As float64: NumPy would round a plain number to the type of the cosines first.
        below = [np.count_nonzero(cosines < np.float64(t)) for t in self.thresholds]
        return State(state.counts + np.asarray(below, np.int64), state.values)

    def merge(self, a: State, b: State) -> State:
        """Add the counts."""
        return _add(a, b)

    def finish(self, state: State) -> Counts:
        """Return the counts."""
        return state.counts


@dataclass(frozen=True)
class Histogram:
    """Pairs in each of `bins` equal bins of [low, high): an int64 array (bins,).

    What lies outside is counted in the first and the last bin, because rounding can carry the
    cosine of two equal rows past 1.
    """

    low: float = -1.0
    high: float = 1.0
    bins: int = 400

    def __post_init__(self) -> None:
        if not -np.inf < self.low < self.high < np.inf or self.bins < 1:
            raise InputError(f"a histogram needs finite low < high and bins >= 1, not {self}")

    @property
    def edges(self) -> NDArray[np.float64]:
        """The bin edges (bins + 1,)."""
        return np.linspace(self.low, self.high, self.bins + 1)

    def start(self) -> State:
        """Return empty bins."""
        return State(np.zeros(self.bins, np.int64), np.empty(0))

    def absorb(self, state: State, cosines: Cosines) -> State:
        """Count the cosines in their bins."""
        place = (cosines.astype(np.float64) - self.low) * (self.bins / (self.high - self.low))
        place = np.clip(np.nan_to_num(place, nan=0.0), 0, self.bins - 1).astype(np.int64)
        return State(state.counts + np.bincount(place, minlength=self.bins), state.values)

    def merge(self, a: State, b: State) -> State:
        """Add the bins."""
        return _add(a, b)

    def finish(self, state: State) -> Counts:
        """Return the counts."""
        return state.counts


@dataclass(frozen=True)
class Bracketed:
    """The answer of a `Bracket`: how many cosines lie below and within, and those within."""

    below: int
    within: int
    values: NDArray[np.float64]
    """The cosines within, ascending; fewer than `within` where the capacity was reached."""

    @property
    def complete(self) -> bool:
        """Whether every cosine within was kept."""
        return len(self.values) == self.within


@dataclass(frozen=True)
class Bracket:
    """Cosines in [low, high], and the count of those below: what an exact order statistic needs.

    At most about `capacity` cosines are kept by each thread; the counts are exact all the same.
    """

    low: float
    high: float
    capacity: int

    def __post_init__(self) -> None:
        if not self.low <= self.high or self.capacity < 0:
            raise InputError(f"a bracket needs low <= high and capacity >= 0, not {self}")

    def start(self) -> State:
        """Return nothing counted, nothing kept."""
        return State(np.zeros(2, np.int64), np.empty(0))

    def absorb(self, state: State, cosines: Cosines) -> State:
        """Count, and keep what lies within while there is room."""
        low, high = np.float64(self.low), np.float64(self.high)
        within = cosines[(cosines >= low) & (cosines <= high)]
        counts = state.counts + np.array([np.count_nonzero(cosines < low), len(within)])
        room = max(0, self.capacity - len(state.values))
        return State(counts, np.concatenate([state.values, within[:room]]))

    def merge(self, a: State, b: State) -> State:
        """Add the counts and join what was kept."""
        return _add(a, b)

    def finish(self, state: State) -> Bracketed:
        """Return the counts and the sorted cosines."""
        below, within = (int(c) for c in state.counts)
        return Bracketed(below, within, np.sort(state.values))
