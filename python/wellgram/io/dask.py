"""Dataframes and arrays of Dask as tables: a partition, or a chunk of rows, is read at a time.

A partition that goes to a worker is computed where it is read, and is not moved.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from wellgram.backends.checks import unmasked
from wellgram.errors import InputError
from wellgram.io.frames import check_unmasked
from wellgram.io.read_errors import needed
from wellgram.io.tables import Part, Table, as_text

EMBEDDING = "embedding"
"""The name of the column of vectors that an array is"""


@dataclass(frozen=True)
class DaskTable(Table):
    """A table in partitions, each delayed: computed when it is read, each time."""

    source: Any
    """The dataframe or array; None for some of its partitions"""
    partitions: tuple[Any, ...]
    """Where it is some: what they are computed from, or, on a worker, frames or rows (m, d)"""
    sizes: tuple[int, ...]
    """How many rows each has"""
    first: int = 0
    """The number of the first of these partitions"""
    labels: pa.Table | None = None
    """The columns beside an array"""

    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield the rows of the given columns, a partition at a time."""
        columns, text = list(columns), set(text)
        self.check_unique(columns)
        if self.labels is not None and set(columns) <= set(self.labels.column_names):
            yield Part(as_text(self.labels.select(columns), text), self.label)
            return
        done = 0
        partitions = self._delayed(columns)
        for k, (partition, rows) in enumerate(zip(partitions, self.sizes, strict=True)):
            beside = None if self.labels is None else self.labels.slice(done, rows)
            table = _table(_computed(partition), columns, beside)
            yield Part(as_text(table, text), f"{self.name}, partition {self.first + k}")
            done += rows

    def units(self) -> list[int]:
        """Return how many rows each partition has."""
        return list(self.sizes)

    def cut(self, first: int, last: int) -> "DaskTable":
        """Return the table of some partitions."""
        start, stop = sum(self.sizes[:first]), sum(self.sizes[:last])
        return replace(
            self,
            source=None,
            partitions=self._whole[first:last],
            sizes=self.sizes[first:last],
            first=self.first + first,
            labels=None if self.labels is None else self.labels.slice(start, stop - start),
        )

    @cached_property
    def _whole(self) -> tuple[Any, ...]:
        """What each partition is computed from, with all columns."""
        return self._delayed(self.names)

    def _delayed(self, columns: list[str]) -> tuple[Any, ...]:
        """Return what each partition is computed from, with these columns at least."""
        if self.source is None:
            return self.partitions
        if self.labels is not None:
            return tuple(self.source.to_delayed()[:, 0])
        return tuple(self.source[columns].to_delayed())


def is_dask(source: Any) -> bool:
    """Whether something is a dataframe or an array of Dask, without importing it."""
    kind = type(source)
    return kind.__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(
        source, "to_delayed"
    )


def table_of(source: Any, labels: pa.Table | None = None) -> DaskTable:
    """Return a dataframe of Dask as a table, or an array (n, d) with the labels of its rows.

    Raises
    ------
    InputError
        If it is neither, or an array has no labels, or not one for each row.
    """
    if hasattr(source, "columns"):
        return _frame(source)
    if getattr(source, "ndim", 0) != 2:
        raise InputError(
            f"wells are read from a dataframe of Dask or an array (n, d), not from a "
            f"{type(source).__name__}"
        )
    if labels is None:
        raise InputError(
            "an array of Dask has no labels; give a table with one row for each of its rows "
            "(metadata=)"
        )
    return _array(source, labels)


def _frame(source: Any) -> DaskTable:
    dask = needed("dask", "dask", "a dataframe of Dask")
    schema = pa.Schema.from_pandas(source._meta, preserve_index=False).remove_metadata()
    sizes = dask.compute(source.map_partitions(len))[0]
    return DaskTable(
        schema,
        "the Dask dataframe",
        source,
        (),
        tuple(int(size) for size in sizes),
    )


def _array(source: Any, labels: pa.Table) -> DaskTable:
    if any(np.isnan(size) for size in source.chunks[0]):
        source = source.compute_chunk_sizes()
    rows, width = source.shape
    if labels.num_rows != rows:
        raise InputError(
            f"the Dask array has {rows:,} rows but its labels {labels.num_rows:,}; give one each"
        )
    source = source.rechunk({1: width})
    kind = pa.from_numpy_dtype(np.dtype(source.dtype))
    schema = labels.schema.remove_metadata().append(pa.field(EMBEDDING, pa.list_(kind, width)))
    return DaskTable(
        schema,
        "the Dask array",
        source,
        (),
        source.chunks[0],
        labels=labels,
        embedding=EMBEDDING,
    )


def _computed(partition: Any) -> Any:
    """Return a partition, which is there already where a task was given it."""
    return partition.compute() if hasattr(partition, "__dask_graph__") else partition


def _table(found: Any, columns: list[str], labels: pa.Table | None) -> pa.Table:
    """Return columns of a partition, or of rows and the labels beside them."""
    if labels is None:
        # Without what pandas notes of its types: text is to be what it is from files.
        table = pa.Table.from_pandas(found[columns], preserve_index=False)
        check_unmasked(table, found)
        return table.replace_schema_metadata(None)
    rows = np.ascontiguousarray(unmasked(found, "a chunk"))
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
    return pa.table(
        {name: vectors if name == EMBEDDING else labels.column(name) for name in columns}
    )
