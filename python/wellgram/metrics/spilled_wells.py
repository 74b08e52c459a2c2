"""Aligned wells that are too many for memory: in a file, batch after batch."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from wellgram.align import Alignment, aligned, fit_if_needed
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.errors import InputError
from wellgram.files.spill_file import SpillFile
from wellgram.stream import WellStream
from wellgram.wells import Fold, WellChunk, WellLabels, Wells

_CHUNK_BYTES = 1 << 26


@dataclass(frozen=True, repr=False)
class SpilledWells(WellLabels):
    """Aligned wells in a file, of which some are read at a time.

    Wells of a batch lie together in it. It is gone when nothing refers to it any more.
    """

    metadata: pd.DataFrame
    file: SpillFile = field(repr=False)
    place: Codes = field(repr=False)
    """Where in the file each well is (n,)"""
    origin: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, stream: WellStream, align: Alignment | None, file: SpillFile) -> "SpilledWells":
        """Read a stream once, align its wells and write them to a file.

        Raises
        ------
        InputError
            If the alignment makes more features of a well than the file has room for.
        """
        fit_if_needed(align, stream)
        wells = aligned(stream, align)
        file.narrow(wells.features)
        order = np.argsort(wells.batches()[0], kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        for chunk in wells.chunks():
            file.write(place[chunk.wells], chunk.rows)
        return cls(wells.metadata, file, place, wells.origin)

    def without(self, dropped: Codes) -> "SpilledWells":
        """Return the same without some wells."""
        kept = np.delete(np.arange(len(self)), dropped)
        metadata = self.metadata.iloc[kept].reset_index(drop=True)
        return SpilledWells(metadata, self.file, self.place[kept], self.origin)

    @property
    def features(self) -> int:
        """The number of features d."""
        return self.file.width

    def chunks(self) -> Iterator[WellChunk]:
        """Yield every well once, in chunks, in the order of the file."""
        order = np.argsort(self.place)
        step = max(1, _CHUNK_BYTES // (self.features * self.file.dtype.itemsize))
        for first in range(0, len(order), step):
            wells = order[first : first + step]
            yield WellChunk(self.take(wells), wells)

    def take(self, wells: Codes) -> Rows:
        """Return the embeddings of some wells (m, d), in their order."""
        rows: Rows = self.file.read(self.place[wells])
        return rows

    @property
    def in_memory(self) -> bool:
        """Whether the embeddings are in memory: they are in a file."""
        return False

    def read(self) -> Wells:
        """Return the wells with their embeddings in memory."""
        return Wells(self.take(np.arange(len(self))), self.metadata, self.origin, checked=True)

    def fold(self, fold: Fold) -> None:
        """Add all wells to a fold."""
        for chunk in self.chunks():
            fold.add(chunk)
        fold.end()

    def mapped(self, of: Callable[[WellChunk], Rows], width: int) -> "SpilledWells":
        """Refuse: aligned wells are not aligned again."""
        raise InputError("wells that are in a file of aligned wells are not aligned again")

    def reported(self, progress: Progress) -> "SpilledWells":
        """Return the wells: what reads them tells how far it is."""
        return self

    def watched_by(self, fold: Fold) -> "SpilledWells":
        """Return the wells: a pass of the fold's own reads the file again."""
        return self


AlignedWells = Wells | SpilledWells
"""Wells that are aligned: in memory, or in a file"""


def zero_wells(wells: AlignedWells) -> Codes:
    """Return the wells whose aligned embedding is nothing but zeros."""
    zero = np.zeros(len(wells), bool)
    for chunk in wells.chunks():
        zero[chunk.wells] = get_backend().row_faults(chunk.rows)[1]
    return np.flatnonzero(zero)
