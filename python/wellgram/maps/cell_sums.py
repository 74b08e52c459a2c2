"""Raw sums per cell, a perturbation in a batch: all that a map of means needs of its wells."""

import numpy as np
import pandas as pd

from wellgram.align import BatchAffine
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.folds import GroupSums
from wellgram.wells import WellLabels


class CellSums:
    """Raw sums of the wells of each cell, added up a chunk at a time.

    A mean commutes with an affine map, so the map is applied to the means of cells, which are few.

    Parameters
    ----------
    wells
        The wells.
    codes
        Each well's row in the map, -1 for wells outside of it.
    by_batch
        Whether batches have maps of their own; else a cell is a perturbation.
    """

    def __init__(self, wells: WellLabels, codes: Codes, by_batch: bool) -> None:
        batches, self._names = np.zeros(len(wells), np.int64), ["all wells"]
        if by_batch:
            batches, self._names = wells.batches()
        cell = np.where(codes >= 0, codes * len(self._names) + batches, -1)
        place, cells = pd.factorize(cell, sort=True)
        outside = int(cells[0] < 0)
        self._cells: Codes = cells[outside:]
        self._counts = np.bincount(place[codes >= 0] - outside)
        self._sums = GroupSums.start(place - outside, len(self._cells), wells.features, np.float64)

    @property
    def size(self) -> int:
        """The bytes that the sums take."""
        return len(self._cells) * self._sums.width * np.dtype(np.float64).itemsize

    def watched(self, wells: WellLabels) -> WellLabels:
        """Return the wells, which are added in the first pass that reads them."""
        return wells.watched_by(self._sums)

    def complete(self, wells: WellLabels) -> None:
        """Add the wells up if they were not."""
        if not self._sums.complete:
            wells.fold(self._sums)

    def means(self, affine: BatchAffine | None, groups: int) -> Floats:
        """Return the means (p, k) of aligned wells by perturbation; the sums are used up."""
        perturbation, batch = np.divmod(self._cells, len(self._names))
        counts = self._counts[:, None]
        rows: Rows = np.divide(self._sums.rows, counts, out=self._sums.rows)
        if affine:
            maps = affine.codes_of(batch, self._names)
            out = rows if affine.features == rows.shape[1] else None
            rows = affine.apply(rows, maps, out=out)
        rows *= counts
        totals, _ = get_backend().group_sums(rows, perturbation, groups)
        return totals / np.bincount(perturbation, self._counts, groups)[:, None]
