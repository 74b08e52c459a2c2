"""What a pass over wells adds up: by chunks, in parts that may be made anywhere, put together."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes
from wellgram.wells import Fold, WellChunk


@dataclass(frozen=True)
class Span:
    """Something of each well (n,), kept for a run of wells."""

    first: int
    values: Any

    def of(self, wells: Codes) -> "Span":
        """Return the run from the first to the last of some wells."""
        if not len(wells):
            return Span(0, self.values[:0])
        first, last = int(wells.min()), int(wells.max())
        return Span(first, self.values[first - self.first : last + 1 - self.first])

    def at(self, wells: Codes) -> Any:
        """Return the values of some wells."""
        return self.values[wells - self.first]


@dataclass
class GroupRows(Fold):
    """A row for each group of wells, kept for the groups that are there."""

    codes: Span
    """The place of each well's group among those kept, -1 for wells of none"""
    held: Codes
    """Which groups are kept, ascending"""
    width: int
    dtype: Any
    left: int
    """How many wells are still to be added"""

    @classmethod
    def start(cls, codes: Codes, groups: int, width: int, dtype: Any) -> Self:
        """Return the rows of so many groups, given the group of each well."""
        return cls(Span(0, codes), np.arange(groups), width, dtype, len(codes))

    @property
    def complete(self) -> bool:
        """Whether all its wells were added."""
        return self.left == 0

    @cached_property
    def rows(self) -> Any:
        """The rows (g, width)."""
        return np.zeros((len(self.held), self.width), self.dtype)

    def of(self, wells: Codes) -> Self:
        """Return the same with nothing added, for some of the wells."""
        wells = np.unique(wells)
        kept = np.unique(self.codes.at(wells))
        kept = kept[kept >= 0]
        run = self.codes.of(wells)
        place = np.where(run.values >= 0, np.searchsorted(kept, run.values), -1)
        return replace(self, codes=Span(run.first, place), held=self.held[kept], left=len(wells))

    def add(self, chunk: WellChunk) -> None:
        """Add the wells of a chunk."""
        self.take_in(chunk, self.codes.at(chunk.wells))
        self.left -= len(chunk.wells)

    @abstractmethod
    def take_in(self, chunk: WellChunk, place: Codes) -> None:
        """Add each row of a chunk to the row in its place."""

    def end(self) -> None:
        """Nothing was kept but the rows."""

    def plus(self, other: Self) -> Self:
        """Return the rows of the groups of both."""
        held, place = np.unique(np.concatenate([self.held, other.held]), return_inverse=True)
        both = replace(self, codes=self.codes.of(np.empty(0, np.int64)), held=held, left=0)
        both.rows[place[: len(self.held)]] = self.rows
        both.rows[place[len(self.held) :]] += other.rows
        return both

    def adopt(self, whole: Self) -> None:
        """Take over the rows that others have made of all its wells."""
        if len(whole.held) == len(self.held):
            self.rows = whole.rows
        else:  # groups without wells
            self.rows[whole.held] = whole.rows
        self.left = 0


class GroupSums(GroupRows):
    """The sum of the rows of each group, in float64."""

    def take_in(self, chunk: WellChunk, place: Codes) -> None:
        """Add each row of a chunk to the sum of its group."""
        get_backend().group_sums(chunk.rows, place, len(self.held), self.rows)


class ChosenRows(GroupRows):
    """The rows of chosen wells, each a group of its own."""

    def take_in(self, chunk: WellChunk, place: Codes) -> None:
        """Keep the rows that are wanted."""
        wanted = place >= 0
        self.rows[place[wanted]] = chunk.rows[wanted]
