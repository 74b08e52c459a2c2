"""Many small parts as few larger ones: their files read side by side, their rows one table."""

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TypeVar

import numpy as np
import pyarrow as pa

from wellgram.backends.protocol import Codes
from wellgram.io.places import Remote
from wellgram.io.read_ahead import side_by_side
from wellgram.io.tables import Part, Table, is_numeric

T = TypeVar("T")

_SMALL_FILE, _FILES_BYTES = 1 << 23, 1 << 25
"""Files up to the first are read side by side, as many as there are in the second"""


@dataclass(frozen=True)
class Where:
    """Says in which part a well was read, given what well each row is of."""

    wells: Codes
    ends: list[int]
    """Of the rows of each part"""
    names: list[str]

    def __call__(self, well: int) -> str:
        """Return what the part is called; of a well with several rows, that of the last."""
        if len(self.names) == 1:
            return self.names[0]
        return self.names[bisect(self.ends, int(np.flatnonzero(self.wells == well)[-1]))]


def parts_of(tables: Sequence[Table], columns: Sequence[str]) -> Iterator[Part]:
    """Yield the parts of tables in their order; small files are read several at a time."""
    for some in _small_together(tables):
        if len(some) == 1:
            yield from some[0].parts(columns)
        else:
            read = of_each(lambda table: list(table.parts(columns)), some)
            yield from chain.from_iterable(read)


def of_each(of: Callable[[Table], T], tables: Sequence[Table]) -> Iterator[T]:
    """Yield what a function returns of each table: see `side_by_side`."""
    far = any(isinstance(table.place, Remote) for table in tables)
    return side_by_side(of, tables, far=far)


def _small_together(tables: Sequence[Table]) -> Iterator[list[Table]]:
    """Yield tables known to be small several at a time, other tables alone, in their order."""
    some: list[Table] = []
    held = 0
    for table in tables:
        size = _FILES_BYTES if table.size is None else table.size
        if some and (size > _SMALL_FILE or held + size > _FILES_BYTES):
            yield some
            some, held = [], 0
        some.append(table)
        held += size
    if some:
        yield some


def gathered(
    parts: Iterator[Part], features: Sequence[str], rows: int
) -> Iterator[tuple[pa.Table, list[int], list[str]]]:
    """Yield parts as many at a time as are one table of so many rows at most; large ones alone.

    With where the rows of each part end, and what it is called. Those of many small files, say:
    what a chunk costs beyond its rows is paid once for them. Only columns of numbers are put
    together, of which no message says in which part they were.
    """
    some: list[Part] = []
    count, numbers = 0, False
    for part in parts:
        more = part.table.num_rows
        large = more > rows // 2
        if some and (large or count + more > rows or not _alike(some[0], part, numbers)):
            yield _one_table(some)
            some, count = [], 0
        if large:
            yield _one_table([part])
        else:
            if not some:
                kinds = part.table.select(features).schema.types
                numbers = all(is_numeric(kind) for kind in kinds)
            some.append(part)
            count += more
        del part  # while the next is read
    if some:
        yield _one_table(some)


def _alike(a: Part, b: Part, numbers: bool) -> bool:
    return numbers and bool(a.table.schema.equals(b.table.schema))


def _one_table(parts: Sequence[Part]) -> tuple[pa.Table, list[int], list[str]]:
    tables = [part.table for part in parts]
    table = tables[0] if len(tables) == 1 else pa.concat_tables(tables).combine_chunks()
    return table, list(accumulate(t.num_rows for t in tables)), [part.where for part in parts]
