"""Counts below thresholds, and a histogram."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers.consumer import Counting, Counts, Extent, Met, State
from wellgram.backends.number_checks import check_number, check_whole, checked_numbers
from wellgram.errors import InputError


@dataclass(frozen=True)
class CountBelow(Counting):
    """Pairs whose cosine lies strictly below each threshold: an int64 array (t,)."""

    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        checked_numbers(self.thresholds, "thresholds")

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
class Histogram(Counting):
    """Pairs in each of `bins` equal bins of [low, high): an int64 array (bins,).

    What lies outside is counted in the first and the last bin, because rounding can carry the
    cosine of two equal rows past 1.
    """

    low: float = -1.0
    high: float = 1.0
    bins: int = 400

    def __post_init__(self) -> None:
        check_number(self.low, "low")
        check_number(self.high, "high")
        check_whole(self.bins, "bins")
        if not -np.inf < self.low < self.high < np.inf or not 1 <= self.bins < 1 << 31:
            raise InputError(
                f"a histogram needs finite low < high and 1 <= bins < 2^31, not {self}"
            )

    @property
    def edges(self) -> NDArray[np.float64]:
        """The bin edges (bins + 1,)."""
        return np.linspace(self.low, self.high, self.bins + 1)

    def state_bytes(self, extent: Extent, dtype: "np.dtype[Any]", threads: int) -> int:
        """Return the bytes of the bins: each thread has its own, and there are those of all."""
        return 8 * self.bins * (threads + 1)

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
