"""From tables to chunks of wells: rows made of columns, repeats averaged, a chunk at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes
from wellgram.errors import InputError
from wellgram.io.gather import Where, gathered, of_each, parts_of
from wellgram.io.joins import Repeats
from wellgram.io.places import version_of
from wellgram.io.read_ahead import ahead
from wellgram.io.tables import FeatureRows, Table
from wellgram.wells import WellChunk

_CHUNK_BYTES = 1 << 24
"""Of a chunk: small enough that memory is used again, large enough to share among threads"""


@dataclass(frozen=True)
class TableChunks:
    """The wells of some tables, read anew in chunks each time it is called."""

    tables: Sequence[Table]
    features: Sequence[str]
    width: int
    dtype: np.dtype[Any]
    wells: Codes
    """Which well each row of the tables is of, -1 for rows that are left out"""
    kept: NDArray[np.bool_] | None = None
    """Which features are kept; None: all"""
    versions: Mapping[Path, str] = field(default_factory=dict)
    """Of each file on this machine, what changes when it is written again, as it was opened"""

    def check_unchanged(self) -> None:
        """Raise if a file has been written again since it was opened.

        Raises
        ------
        InputError
            If one has, or is gone; the message names it.
        """
        for table in self.tables:
            place = table.place
            if isinstance(place, Path) and _version(place) != self.versions.get(place):
                raise InputError(
                    f"{table.label} has changed since it was opened; run it again from the start"
                )

    def __call__(self) -> Iterator[WellChunk]:
        """Yield every well once."""
        self.check_unchanged()
        repeats = Repeats(np.bincount(self.wells[self.wells >= 0]))
        first = 0
        step = max(1, _CHUNK_BYTES // (self.width * self.dtype.itemsize))
        parts = parts_of(self.tables, self.features)
        for table, ends, names in ahead(gathered(parts, self.features, step)):
            last = names[-1]
            wells = self.wells[first : first + table.num_rows]
            if len(wells) < table.num_rows:
                raise InputError(f"{last} has grown while it was read; read it again")
            first += len(wells)
            where = Where(wells, ends, names)
            features = FeatureRows(table, self.features, last)
            for start in range(0, len(wells), step):
                rows, own = features[start : start + step], wells[start : start + step]
                if rows.shape[1] != self.width:
                    raise InputError(
                        f"{last} has {rows.shape[1]} features, but "
                        f"{self.tables[0].label} has {self.width}; the files must agree"
                    )
                if self.kept is not None:
                    rows = rows[:, self.kept]
                if (own < 0).any():
                    rows, own = rows[own >= 0], own[own >= 0]
                rows, own = repeats.averaged(rows.astype(self.dtype, copy=False), own)
                if len(own):
                    yield WellChunk(rows, own, where)
            del table, features  # the next part is there already, and one more is read
        if first < len(self.wells):
            last = self.tables[-1].label
            raise InputError(f"{last} or another file has shrunk while it was read; read it again")
        self.check_unchanged()

    @property
    def present(self) -> Codes:
        """The wells that are in it, each once or more."""
        return self.wells[self.wells >= 0]

    def parts(self, size: int) -> "list[TableChunks]":
        """Cut the tables into parts of about so many bytes; all rows of a well stay together."""
        units = list(of_each(lambda table: table.units(), self.tables))
        if not all(units):
            return [self]
        ends = np.cumsum([rows for own in units for rows in own])
        if ends[-1] != len(self.wells):
            raise InputError(f"{self.tables[0].label} or another file has changed; read it again")
        most = max(1, size // (self.width * self.dtype.itemsize))
        together = _together(self.wells)
        parts = []
        first = start = 0
        for unit, end in enumerate(ends.tolist(), start=1):
            last = unit == len(ends)
            full = last or ends[unit] - start > most
            if last or (full and not together[end]):
                tables = _cut(self.tables, units, first, unit)
                parts.append(replace(self, tables=tables, wells=self.wells[start:end]))
                first, start = unit, end
        return parts

    def without(self, dropped: NDArray[np.bool_]) -> "TableChunks":
        """Return the chunks without some wells, the others numbered anew."""
        number = np.where(dropped, -1, np.cumsum(~dropped) - 1)
        return replace(self, wells=np.where(self.wells >= 0, number[self.wells], -1))


def versions_of(tables: Sequence[Table]) -> dict[Path, str]:
    """Return the versions of the files on this machine that tables are read from in each pass."""
    places = {table.place for table in tables if isinstance(table.place, Path)}
    return {place: _version(place) for place in places}


def _version(place: Path) -> str:
    try:
        return version_of(place)
    except OSError:
        return "gone"


def _cut(
    tables: Sequence[Table], units: Sequence[Sequence[int]], first: int, last: int
) -> list[Table]:
    """Return the tables of the units from first to last, of all units of these."""
    found = []
    begin = 0
    for table, own in zip(tables, units, strict=True):
        low, high = max(first, begin), min(last, begin + len(own))
        if low < high:
            found.append(table.cut(low - begin, high - begin))
        begin += len(own)
    return found


def _together(wells: Codes) -> NDArray[np.bool_]:
    """Return for each row, and the end, whether a well has rows both before and from there on."""
    own, first = np.unique(wells, return_index=True)
    last = len(wells) - 1 - np.unique(wells[::-1], return_index=True)[1]
    several = (own >= 0) & (first < last)
    open_ = np.zeros(len(wells) + 1, np.int64)
    np.add.at(open_, first[several] + 1, 1)
    np.add.at(open_, last[several] + 1, -1)
    return np.cumsum(open_) > 0
