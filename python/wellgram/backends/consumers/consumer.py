"""What a consumer is: what it meets, what it keeps, and how states merge."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Cosines = NDArray[np.floating[Any]]
Counts = NDArray[np.int64]


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

    def has_pairs(self, row: int, end: int) -> bool:
        """Whether rows from `row` on have pairs with columns before `end`."""
        return not self.symmetric or end > row + 1


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


class Consumer(ABC):
    """What a pass does with the cosines it meets: a frozen dataclass that derives from this.

    One of your own runs on every backend: where there is no compiled twin, it is handed areas of
    the matrix. Its fields say all that it does, in numbers, words, arrays and tuples of those: by
    them passes are compared and saved.
    """

    @property
    def writes_to(self) -> Cosines | None:
        """The array of this process that cosines are written to; None if states hold all there is.

        What a state holds can be saved, and made by other processes.
        """
        return None

    def check(self, extent: Extent, dtype: "np.dtype[Any]") -> None:  # noqa: B027  # most do fit
        """Raise InputError unless it fits a pass of this extent, over rows of this type."""

    def state_bytes(self, extent: Extent, dtype: "np.dtype[Any]", threads: int) -> int:
        """Return the bytes that its states take at least, in a pass by so many threads.

        0 where they are few, whatever was asked.
        """
        return 0

    @abstractmethod
    def start(self, extent: Extent) -> State:
        """Return the state of no cosines."""

    @abstractmethod
    def absorb(self, state: State, met: Met) -> State:
        """Return the state with the cosines added; that given may be changed."""

    @abstractmethod
    def merge(self, a: State, b: State) -> State:
        """Return the state of both, which stay as they are."""

    @abstractmethod
    def finish(self, state: State) -> Any:
        """Return the answer of a state: what `scan_pairs` returns for the consumer."""


class Counting(Consumer):
    """A consumer whose state is counts that add up."""

    def merge(self, a: State, b: State) -> State:
        """Add the counts and join what was kept."""
        return State(a.counts + b.counts, np.concatenate([a.values, b.values]))
