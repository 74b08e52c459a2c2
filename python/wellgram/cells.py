"""Raw sums per cell, a perturbation in a batch: all that a map of means needs of its wells."""

from functools import cached_property

import numpy as np
import pandas as pd

from wellgram.align import BatchAffine
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.stream import WellStream
from wellgram.wells import WellBlock, WellLabels


class CellSums:
    """Raw sums of the wells of each cell, added up a block at a time.

    A mean commutes with an affine map, so the map is applied to the means of cells, which are few.

    Parameters
    ----------
    wells
        The wells.
    codes
        Each well's row in the map, -1 for wells outside of it.
    by_batch
        Whether batches have maps of their own; else a cell is a perturbation.
    backend
        See `wellgram.set_backend`.
    """

    def __init__(
        self, wells: WellLabels, codes: Codes, by_batch: bool, backend: str | None
    ) -> None:
        batches, self._names = np.zeros(len(wells), np.int64), ["all wells"]
        if by_batch:
            batches, self._names = wells.batches()
        cell = np.where(codes >= 0, codes * len(self._names) + batches, -1)
        place, cells = pd.factorize(cell, sort=True)
        outside = int(cells[0] < 0)
        self._place: Codes = place - outside
        self._cells: Codes = cells[outside:]
        self._counts = np.bincount(self._place[codes >= 0])
        self._shape = len(self._cells), wells.features
        self._left = len(wells)
        self._backend = backend

    @property
    def size(self) -> int:
        """The bytes that the sums take."""
        return self._shape[0] * self._shape[1] * np.dtype(np.float64).itemsize

    @cached_property
    def _sums(self) -> Floats:
        return np.zeros(self._shape)

    @property
    def complete(self) -> bool:
        """Whether all wells were added."""
        return self._left == 0

    def add(self, block: WellBlock) -> None:
        """Add the wells of a block."""
        run = get_backend(self._backend)
        run.group_sums(block.rows, self._place[block.wells], len(self._cells), self._sums)
        self._left -= len(block.wells)

    def watched(self, stream: WellStream) -> WellStream:
        """Return the stream, whose wells are added as they are read first."""

        def see(block: WellBlock) -> Rows:
            if not self.complete:
                self.add(block)
            return block.rows

        return stream.mapped(see, stream.features)

    def means(self, affine: BatchAffine | None, groups: int) -> Floats:
        """Return the means (p, k) of aligned wells by perturbation; the sums are used up."""
        perturbation, batch = np.divmod(self._cells, len(self._names))
        counts = self._counts[:, None]
        rows: Rows = np.divide(self._sums, counts, out=self._sums)
        if affine:
            maps = affine.codes_of(batch, self._names)
            out = rows if affine.features == rows.shape[1] else None
            rows = affine.apply(rows, maps, out=out, backend=self._backend)
        rows *= counts
        totals, _ = get_backend(self._backend).group_sums(rows, perturbation, groups)
        return totals / np.bincount(perturbation, self._counts, groups)[:, None]
