"""From tables to blocks of wells: rows made of columns, repeats averaged, a block at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes
from wellgram.errors import InputError
from wellgram.io.ahead import ahead
from wellgram.io.join import Repeats
from wellgram.io.tables import FeatureRows, Part, Table
from wellgram.wells import WellBlock

_BLOCK_BYTES = 1 << 24
"""Of a block: small enough that memory is used again, large enough to share among threads"""


@dataclass(frozen=True)
class TableBlocks:
    """The wells of some tables, read anew in blocks each time it is called."""

    tables: Sequence[Table]
    features: Sequence[str]
    width: int
    dtype: np.dtype[Any]
    wells: Codes
    """Which well each row of the tables is of, -1 for rows that are left out"""
    kept: NDArray[np.bool_] | None = None
    """Which features are kept; None: all"""

    def __call__(self) -> Iterator[WellBlock]:
        """Yield every well once."""
        repeats = Repeats(np.bincount(self.wells[self.wells >= 0]))
        first = 0
        step = max(1, _BLOCK_BYTES // (self.width * self.dtype.itemsize))
        for part in ahead(self._parts()):
            wells = self.wells[first : first + part.table.num_rows]
            if len(wells) < part.table.num_rows:
                raise InputError(f"{part.where} has grown while it was read; read it again")
            first += len(wells)
            features = FeatureRows(part.table, self.features, part.where)
            for start in range(0, len(wells), step):
                rows, own = features[start : start + step], wells[start : start + step]
                if rows.shape[1] != self.width:
                    raise InputError(
                        f"{part.where} has {rows.shape[1]} features, but "
                        f"{self.tables[0].label} has {self.width}; the files must agree"
                    )
                if self.kept is not None:
                    rows = rows[:, self.kept]
                if (own < 0).any():
                    rows, own = rows[own >= 0], own[own >= 0]
                rows, own = repeats.averaged(rows.astype(self.dtype, copy=False), own)
                if len(own):
                    yield WellBlock(rows, own, part.where)
            del part, features  # the next part is there already, and one more is read
        if first < len(self.wells):
            last = self.tables[-1].label
            raise InputError(f"{last} or another file has shrunk while it was read; read it again")

    def _parts(self) -> Iterator[Part]:
        for table in self.tables:
            yield from table.parts(self.features)

    def without(self, dropped: NDArray[np.bool_]) -> "TableBlocks":
        """Return the blocks without some wells, the others numbered anew."""
        number = np.where(dropped, -1, np.cumsum(~dropped) - 1)
        return replace(self, wells=np.where(self.wells >= 0, number[self.wells], -1))
