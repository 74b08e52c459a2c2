"""Areas of the matrix of cosines, handed to consumers that go by their definitions."""

from collections.abc import Container, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers.consumer import Consumer, Cosines, Extent, Met, State

MOST_CELLS = 1 << 20
"""Of an area that is handed over at once: with their rows, cosines take 24 bytes each"""


class Area:
    """Cosines of rows from `row` on with those from `column` on; what is met, made when asked for.

    Of a pass of a map against itself, only cells above the diagonal are met.
    """

    def __init__(self, cells: Cosines, row: int, column: int, symmetric: bool):
        self.cells, self.row, self.column, self.symmetric = cells, row, column, symmetric

    @cached_property
    def _pairs(self) -> NDArray[np.bool_] | None:
        """Which cells are pairs; None for all."""
        if not self.symmetric or self.column >= self.row + len(self.cells):
            return None
        i, j = np.ogrid[: len(self.cells), : self.cells.shape[1]]
        return np.asarray(j + self.column > i + self.row)

    @cached_property
    def cosines(self) -> Cosines:
        """The cosines (m,), which may lie where the cells do."""
        return self.cells.ravel() if self._pairs is None else self.cells[self._pairs]

    @cached_property
    def met(self) -> Met:
        """The cosines with their rows, which a consumer may keep."""
        cosines = self.cells.flatten() if self._pairs is None else self.cells[self._pairs]
        places: NDArray[np.int64] = np.indices(self.cells.shape)
        i, j = places
        chosen = slice(None) if self._pairs is None else self._pairs
        return Met(
            cosines,
            (i + self.row)[chosen].ravel(),
            (j + self.column)[chosen].ravel(),
            self.symmetric,
        )


class ByDefinition:
    """Those consumers of a pass that have no twin on a backend, and their states.

    They are handed areas of the matrix; `twinned` are the other consumers.
    """

    def __init__(self, consumers: Sequence[Consumer], twins: Container[type], extent: Extent):
        self.twinned = [consumer for consumer in consumers if type(consumer) in twins]
        self._defined = [consumer for consumer in consumers if type(consumer) not in twins]
        self._has_twin = [type(consumer) in twins for consumer in consumers]
        self._extent = extent
        self._states = [consumer.start(extent) for consumer in self._defined]

    def __bool__(self) -> bool:
        return bool(self._defined)

    def absorb(self, cells: Cosines, row: int, column: int) -> None:
        """Hand over the pairs of an area, some rows at a time."""
        height = max(1, MOST_CELLS // max(1, cells.shape[1]))
        for first in range(0, len(cells), height):
            some = cells[first : first + height]
            if not self._extent.has_pairs(row + first, column + some.shape[1]):
                continue
            met = Area(some, row + first, column, self._extent.symmetric).met
            pairs = zip(self._defined, self._states, strict=True)
            self._states = [consumer.absorb(state, met) for consumer, state in pairs]

    def joined(self, twinned: Sequence[State]) -> list[State]:
        """Return the states of all consumers of the pass, given those of twins, in their order."""
        theirs, ours = iter(twinned), iter(self._states)
        return [next(theirs if has_twin else ours) for has_twin in self._has_twin]
