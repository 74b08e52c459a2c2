"""Tables and maps in parquet files: only the columns asked for are read, a row group at a time.

What is read is checked, in part or whole. A file that wellgram wrote, on this machine, has
checksums of its footer and of every column chunk, and both are verified before a value is used. Of
a file at a URL, and of one that others wrote, the pages that are read are verified where they have
checksums; of the footer, wellgram's own.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet

from wellgram.io.map_tables import map_table
from wellgram.io.places import Place, Remote, absolute, source_of
from wellgram.io.read_errors import reading
from wellgram.io.table_format import Format
from wellgram.io.tables import Part, Table, as_text
from wellgram.parquet_checksums import Footer, check_chunks, read_footer, write_parquet
from wellgram.wells import PerturbationMap

_GROUP_BYTES = 1 << 26
"""Of the embeddings in a row group that is written"""
_WHOLE_GROUP = 1 << 28  # bytes: row groups up to this are read at once, which is fastest


@dataclass(frozen=True)
class ParquetTable(Table):
    """A table in a parquet file, here or at a URL."""

    place: Place = field(kw_only=True)
    groups: range | None = None
    """The row groups that are meant; None: all that there are when it is read"""

    def __getstate__(self) -> dict[str, Any]:
        """Go to other processes, whose working folder may be another."""
        return {**self.__dict__, "place": absolute(self.place)}

    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield the rows of the given columns, a row group at a time.

        Row groups too large to be held are cut further.
        """
        columns, text = list(columns), set(text)
        self.check_unique(columns)
        with ExitStack() as opened:
            with reading(repr(str(self.place))):
                # Columns are read as they are decoded, not a row group's bytes all at once before;
                # but over a network few large requests are better than many small ones.
                far = isinstance(self.place, Remote)
                ask = {"pre_buffer": far, "buffer_size": 1 << 16}
                raw = opened.enter_context(_bytes_of(self.place))
                footer = read_footer(raw)
                # What is far is read once: its pages are checked as they come.
                by_pages = far or footer.sums is None
                file = opened.enter_context(
                    pa.parquet.ParquetFile(
                        raw if far else opened.enter_context(source_of(self.place)),
                        metadata=footer.facts,
                        page_checksum_verification=by_pages,
                        **ask,
                    )
                )
            for group in self._groups(footer.facts):
                with reading(f"row group {group} of {str(self.place)!r}"):
                    if not by_pages:
                        check_chunks(raw, footer, group, columns)
                    for table in _cut(file, group, columns):
                        yield Part(as_text(table, text), f"{self.label}, row group {group}")

    def units(self) -> list[int]:
        """Return how many rows each row group has."""
        with reading(repr(str(self.place))):
            facts = _footer_of(self.place).facts
            return [facts.row_group(group).num_rows for group in self._groups(facts)]

    def cut(self, first: int, last: int) -> "ParquetTable":
        """Return the table of some row groups."""
        return replace(self, groups=range(first, last))

    def _groups(self, facts: pa.parquet.FileMetaData) -> range:
        """Return the row groups that are meant of those there are."""
        return range(facts.num_row_groups) if self.groups is None else self.groups


def _open(place: Place, name: str) -> ParquetTable:
    """Read the schema of a parquet file."""
    facts = _footer_of(place).facts
    groups = map(facts.row_group, range(facts.num_row_groups))
    size = sum(group.total_byte_size for group in groups)
    return ParquetTable(facts.schema.to_arrow_schema(), name, place=place, size=size)


def _write_map(map_: PerturbationMap, path: Path) -> None:
    width = map_.embeddings.shape[1] * map_.embeddings.itemsize
    rows = max(1, _GROUP_BYTES // max(1, width))
    write_parquet(map_table(map_), path, row_group_size=rows)


def _bytes_of(place: Place) -> IO[bytes]:
    """Open a file to read its bytes."""
    return place.open() if isinstance(place, Remote) else place.open("rb")


def _footer_of(place: Place) -> Footer:
    with _bytes_of(place) as file:
        return read_footer(file)


def _cut(file: pa.parquet.ParquetFile, group: int, columns: list[str]) -> Iterator[pa.Table]:
    """Yield a row group, in pieces where it is too large to be held."""
    facts = file.metadata.row_group(group)
    pieces = -(-facts.total_byte_size // _WHOLE_GROUP)
    if pieces <= 1:
        yield file.read_row_group(group, columns=columns)
        return
    rows = -(-facts.num_rows // pieces)
    for batch in file.iter_batches(rows, row_groups=[group], columns=columns):
        yield pa.Table.from_batches([batch])


PARQUET = Format("parquet", (".parquet", ".pq"), _open, _write_map)
