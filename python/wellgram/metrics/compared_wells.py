"""Aligned wells as they are compared by their cosine, wherever they lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.protocol import Backend, Codes, Floats
from wellgram.metrics.profile_ranks import Compared, ComparedProfiles, next_below
from wellgram.metrics.profile_rows import unit_profiles
from wellgram.metrics.spilled_wells import AlignedWells, SpilledWells

_BYTES_AT_ONCE = 1 << 28
"""How large the rows are that are taken from a file together"""


def compared_by_cosine(wells: AlignedWells) -> ComparedProfiles:
    """Return wells as they are compared by their cosine.

    Raises
    ------
    InputError
        If a well is nothing but zeros.
    """
    if isinstance(wells, SpilledWells):
        return _ComparedInFile(get_backend(), wells)
    rows = unit_profiles(wells.embeddings, "cosine")
    return Compared(get_backend(), rows, rows)


@dataclass(frozen=True)
class _ComparedInFile:
    """Wells in a file: those that are compared with each other are taken, and scaled."""

    run: Backend
    wells: SpilledWells

    @property
    def _most(self) -> int:
        """How many rows are taken together."""
        row: int = self.wells.features * self.wells.file.dtype.itemsize
        return max(1, _BYTES_AT_ONCE // row)

    def _taken(self, wells: Codes) -> Compared:
        rows = unit_profiles(self.wells.take(wells), "cosine")
        return Compared(self.run, rows, rows)

    def pairs(self, i: Codes, j: Codes) -> Floats:
        """See `Comparison.pairs`."""
        found = np.empty(len(i))
        step = max(1, self._most // 2)
        for first in range(0, len(i), step):
            some = slice(first, first + step)
            wells, place = np.unique(np.concatenate([i[some], j[some]]), return_inverse=True)
            own, other = np.split(place, 2)
            found[some] = self._taken(wells).pairs(own, other)
        return found

    def before(self, values: Floats, profiles: Codes) -> Floats:
        """See `Comparison.before`."""
        return values

    def up_to(self, values: Floats, profiles: Codes) -> Floats:
        """See `Comparison.up_to`."""
        return next_below(values, self.wells.file.dtype)

    def matrix(self, i: Codes, j: Codes) -> Floats:
        """See `ComparedProfiles.matrix`."""
        wells, place = np.unique(np.concatenate([i, j]), return_inverse=True)
        return self._taken(wells).matrix(place[: len(i)], place[len(i) :])

    def counts_above(
        self,
        i: Codes,
        j: Codes,
        starts: Codes,
        values: Floats,
        own: NDArray[np.int32],
        other: NDArray[np.int32],
    ) -> Codes:
        """See `Comparison.counts_above`; what is compared is taken by blocks of both."""
        counts = np.zeros(len(values), np.int64)
        together = len(i) + len(j) <= self._most
        step = max(len(i), len(j), 1) if together else max(1, self._most // 2)
        for top in range(0, len(i), step):
            rows = slice(top, min(len(i), top + step))
            first, last = starts[rows.start], starts[rows.stop]
            for left in range(0, len(j), step):
                columns = slice(left, left + step)
                wells, place = np.unique(np.concatenate([i[rows], j[columns]]), return_inverse=True)
                count = rows.stop - rows.start
                counts[first:last] += self._taken(wells).counts_above(
                    place[:count],
                    place[count:],
                    starts[rows.start : rows.stop + 1] - first,
                    values[first:last],
                    own[:, rows],
                    other[:, columns],
                )
        return counts
