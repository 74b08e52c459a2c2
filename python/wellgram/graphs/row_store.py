"""Rows that a graph is made of, where any of them can be had: in memory, or in a mapped file."""

import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.checks import as_rows
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError
from wellgram.graphs.measures import Measure
from wellgram.input_kinds import check_matrix, is_map, is_wells
from wellgram.pairs import RowSource
from wellgram.wells import LabelledMap, WellLabels

_IN_MEMORY = 1 << 29
"""Bytes of rows that are read into memory; more are copied to a file that is mapped"""
_CHUNK_BYTES = 1 << 24
"""Of the rows that are looked at once"""

Source = WellLabels | LabelledMap | RowSource


@dataclass
class StoredRows:
    """Rows (n, d), of which any can be had, and what is known of each."""

    array: Rows
    labels: pd.DataFrame | None
    """One row for each, of wells or of a map"""
    on_disk: bool
    """Whether the rows lie in a file, which others may write to"""
    summed: bool = False
    """Whether check sums are taken in any case"""
    sums: tuple[int, ...] = ()
    """A check sum of each chunk of rows, of when they were first read; a gigabyte takes a second"""

    @classmethod
    def of(cls, source: Source, scratch: str | Path | None = None) -> "StoredRows":
        """Return the rows of wells, of a map or of a matrix.

        Those of files that are too many to hold are copied to a file in the folder `scratch`, which
        has no name and so is gone when nobody uses it.

        Raises
        ------
        InputError
            If it is nothing of that kind, or there is no room for the file.
        """
        if is_wells(source):
            return cls._of_wells(cast(WellLabels, source), scratch)
        check_matrix(source)
        labels = pd.DataFrame(cast(Any, source).labels) if is_map(source) else None
        if isinstance(source, np.memmap):
            return cls(as_rows(source), None, True)
        if isinstance(source, RowSource) and not isinstance(source, np.ndarray) and source.shape:
            return cls(_copied(source, scratch), labels, False)
        return cls(as_rows(cast(Any, getattr(source, "embeddings", source))), labels, False)

    @classmethod
    def _of_wells(cls, wells: WellLabels, scratch: str | Path | None) -> "StoredRows":
        embeddings = getattr(wells, "embeddings", None)
        if isinstance(embeddings, np.ndarray):
            return cls(embeddings, wells.metadata, False)
        array: Rows | None = None
        for chunk in wells.chunks():
            if array is None:
                dtype = getattr(wells, "dtype", chunk.rows.dtype)
                array = _room(len(wells), wells.features, dtype, scratch)
            array[chunk.wells] = chunk.rows
        if array is None:
            array = np.empty((0, wells.features), np.float32)
        return cls(array, wells.metadata, False)

    def __len__(self) -> int:
        return len(self.array)

    @property
    def features(self) -> int:
        """The number of features d."""
        return int(self.array.shape[1])

    def chunks(self) -> Iterator[Rows]:
        """Yield the rows, some at a time."""
        height = max(1, _CHUNK_BYTES // max(1, self.array.itemsize * self.features))
        for first in range(0, len(self), height):
            yield self.array[first : first + height]

    def learn(self, measure: Measure) -> Codes:
        """Look at all rows; return those that have distances by a measure.

        Raises
        ------
        InputError
            If a row holds a NaN or an Inf.
        """
        kept: list[NDArray[Any]] = []
        sums, first = [], 0
        for rows in self.chunks():
            faulty = get_backend().row_faults(rows)[0]
            if faulty.any():
                name = self.name(first + int(np.flatnonzero(faulty)[0]))
                raise InputError(
                    f"{int(faulty.sum())} rows hold a NaN or an Inf (first: {name}); leave them out"
                )
            kept.append(first + np.flatnonzero(~measure.undirected(rows)))
            first += len(rows)
            if self.on_disk or self.summed:
                sums.append(_sum(rows))
        self.sums = tuple(sums)
        if len(self):
            measure.learn(self.chunks)
        return np.concatenate([*kept, np.empty(0, np.int64)])

    def check_unchanged(self) -> None:
        """Raise if the file of rows has changed since they were first read.

        Raises
        ------
        InputError
            If it has.
        """
        if self.on_disk and tuple(map(_sum, self.chunks())) != self.sums:
            raise InputError(
                "the file of the rows has changed while their neighbors were looked for; run again "
                "when nothing writes to it"
            )

    def facts(self, chosen: Codes, groups: Codes | None) -> list[Any]:
        """Return what tells these rows, in an order, from others."""
        order = zlib.crc32(chosen.tobytes())
        apart = None if groups is None else zlib.crc32(groups.tobytes())
        return [*self.array.shape, str(self.array.dtype), list(self.sums), order, apart]

    def name(self, row: int) -> str:
        """Return what a row is called in messages: a well by its name, another by its number."""
        for column in ("well_id", "perturbation"):
            if self.labels is not None and column in self.labels:
                return repr(self.labels[column].iloc[row])
        return f"row {row}"


def _copied(source: RowSource, scratch: str | Path | None) -> Rows:
    """Return the rows of what is read by ranges."""
    empty = as_rows(source[0:0])
    array = _room(source.shape[0], empty.shape[1], empty.dtype, scratch)
    height = max(1, _CHUNK_BYTES // max(1, array.itemsize * array.shape[1]))
    for first in range(0, len(array), height):
        array[first : first + height] = as_rows(source[first : min(len(array), first + height)])
    return array


def _room(n: int, d: int, dtype: Any, scratch: str | Path | None) -> Rows:
    """Return an array (n, d): in memory, or of a file without a name where it is large."""
    size = n * d * np.dtype(dtype).itemsize
    if size <= _IN_MEMORY:
        return np.empty((n, d), dtype)
    folder = Path(tempfile.gettempdir() if scratch is None else scratch)
    try:
        free = shutil.disk_usage(folder).free
        if free < size:
            raise InputError(
                f"the rows take {size / 1e9:,.2f} GB, but the folder {str(folder)!r} has "
                f"{free / 1e9:,.2f} GB; name one with more room (scratch=)"
            )
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would end the process
                os.posix_fallocate(file.fileno(), 0, size)
            array: Rows = np.memmap(file, dtype, "w+", shape=(n, d))
            return array
    except OSError as problem:
        raise InputError(
            f"rows cannot be written to the folder {str(folder)!r} ({problem.strerror}); name "
            "another (scratch=)"
        ) from None


def _sum(rows: Rows) -> int:
    return zlib.crc32(np.ascontiguousarray(rows).view(np.uint8).data)
