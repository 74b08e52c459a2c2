"""Tables whose labels are columns and whose embeddings are a matrix, read by ranges of rows."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wellgram.backends.checks import unmasked
from wellgram.errors import InputError
from wellgram.io.read_errors import reading
from wellgram.io.tables import Part, RowReader, Table, as_text, rows_between

_PART_BYTES = 1 << 26
"""Of a part: as much as a row group of the parquet files written here"""

PROBLEMS = (
    ValueError, RuntimeError, KeyError, TypeError, BadZipFile, zlib.error, TokenError, MemoryError,
)  # fmt: skip
"""What h5py, zarr, NumPy, zipfile and anndata raise, beside OSError, where a file is damaged

A damaged length asks for more memory than there is.
"""


@dataclass(frozen=True)
class ArrayTable(Table):
    """Labels of rows in memory, and matrices of as many rows where they are.

    To those who ask for columns, a matrix is a column of vectors.
    """

    labels: pa.Table
    matrices: Callable[[], AbstractContextManager[Mapping[str, Any]]]
    """Opens the matrices (n, d): what has a shape and a dtype, and returns rows for a slice"""
    note: str | None = None
    """What wellgram wrote beside them: see `labels.py`"""
    streams: bool = True
    """Whether some rows can be read without reading all"""

    @classmethod
    def of(
        cls,
        labels: pa.Table,
        matrices: Mapping[str, Any],
        opened: Callable[[], AbstractContextManager[Mapping[str, Any]]],
        name: str,
        **more: Any,
    ) -> "ArrayTable":
        """Return the table of labels and matrices, which `opened` opens anew."""
        schema = labels.schema.remove_metadata()
        if "row_names" not in more and "well_id" in labels.column_names:
            ids = labels.column("well_id")
            unique = not ids.null_count and len(pc.unique(ids)) == len(ids)
            more["row_names"] = "well_id" if unique else None
        for column, matrix in matrices.items():
            kind = pa.from_numpy_dtype(np.dtype(matrix.dtype).newbyteorder("="))
            schema = schema.append(pa.field(column, pa.list_(kind, matrix.shape[1])))
        return cls(schema, name, labels, opened, **more)

    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield the rows of the given columns: labels alone at once, embeddings by ranges."""
        columns, text = list(columns), set(text)
        self.check_unique(columns)
        if set(columns) <= set(self.labels.column_names):
            yield Part(as_text(self.labels.select(columns), text), self.label)
            return
        with reading(repr(self.name), *PROBLEMS), self.matrices() as matrices:
            wanted = {name: _in_order(matrices[name]) for name in columns if name in matrices}
            for name, matrix in wanted.items():
                _check_whole(matrix, name, self.name)
            rows = next(iter(wanted.values())).shape[0]
            step = max(_rows_at_once(matrix) for matrix in wanted.values())
            for first in range(0, rows, step):
                last = min(first + step, rows)
                values = {
                    name: _vectors(wanted[name], name, first, last)
                    if name in wanted
                    else self.labels.column(name)[first:last]
                    for name in columns
                }
                where = f"{self.label}, rows {first + 1} to {last}"
                yield Part(as_text(pa.table(values), text), where)

    def row_reader(self, column: str) -> RowReader:
        """Return what reads some rows of a matrix, which is held if no part can be read alone.

        That the matrix is whole is looked at here, once for all ranges.
        """
        with reading(repr(self.name), *PROBLEMS), self.matrices() as matrices:
            _check_whole(matrices[column], column, self.name)
        read = partial(self._rows_of, column)
        return read if self.streams else partial(rows_between, read(0, self.labels.num_rows))

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Return the embeddings of some rows (m, d), in the type they are kept in."""
        return self.row_reader(str(self.embedding))(start, stop)

    def _rows_of(self, column: str, start: int, stop: int) -> NDArray[Any]:
        with reading(repr(self.name), *PROBLEMS), self.matrices() as matrices:
            return np.asarray(unmasked(matrices[column][start:stop], column, start))


def _vectors(matrix: Any, name: str, first: int, last: int) -> pa.Array:
    """Return some rows of a matrix as vectors: its own memory where they lie side by side."""
    rows = np.ascontiguousarray(unmasked(matrix[first:last], name, first))
    if rows.dtype.byteorder not in "=|":
        rows = rows.astype(rows.dtype.newbyteorder("="))
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])


def _in_order(matrix: Any) -> Any:
    """Return a matrix for a pass from its first row to its last, where it has a way of its own."""
    return matrix.in_order() if hasattr(matrix, "in_order") else matrix


def _rows_at_once(matrix: Any) -> int:
    """Return how many rows to read at once: whole chunks, since a part of one costs all of it."""
    width = max(1, int(matrix.shape[1]) * matrix.dtype.itemsize)
    chunk = int((getattr(matrix, "chunks", None) or (1,))[0])
    chunks: int = max(1, -(-_PART_BYTES // (width * chunk)))
    return chunks * chunk


def _check_whole(matrix: Any, name: str, where: str) -> None:
    """Raise if chunks of a Zarr array are not there, which would be read as zeros."""
    if not hasattr(matrix, "nchunks_initialized"):
        return
    there, wanted = matrix.nchunks_initialized, matrix.nchunks
    if there < wanted:
        raise InputError(
            f"array {name!r} of {where} has {there} of its {wanted} chunks, and the others would "
            "be read as zeros; copy the store again, or, if zeros they are, write them "
            "(write_empty_chunks)"
        )
