"""Tables in delimited text, plain or compressed by gzip: all of a file is parsed at once."""

import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import pyarrow as pa
import pyarrow.csv

from wellgram.io.delimiters import Dialect, beginning_of, dialect_of
from wellgram.io.places import Place, Remote
from wellgram.io.read_errors import reading
from wellgram.io.table_format import Format
from wellgram.io.tables import Part, Table

_BLOCK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class DelimitedTable(Table):
    """A table in a file of delimited text, here or at a URL."""

    place: Place = field(kw_only=True)
    dialect: Dialect

    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield all rows of the given columns at once."""
        columns, text = list(columns), set(text)
        self.check_unique(columns)
        convert = pa.csv.ConvertOptions(
            include_columns=columns,
            column_types={name: pa.string() for name in text if name in columns},
            strings_can_be_null=True,
        )
        # The whole file at once where a type must be found: it is only known at the file's end.
        least = _BLOCK_BYTES if text.issuperset(columns) else 1 << 26
        read = _reading(self.dialect, least)
        with reading(repr(str(self.place))), _bytes_of(self.place) as source:
            table = pa.csv.read_csv(source, read, _parsing(self.dialect), convert)
        yield Part(table, self.label)


def _open(usual: str, place: Place, name: str) -> DelimitedTable:
    """Read the names of columns, and their types as far as the first rows show them."""
    with _bytes_of(place) as source:
        sample, is_whole = beginning_of(source.read)
        dialect = dialect_of(sample, is_whole, usual, name)
        again = _Resumed(sample, source)
        with pa.csv.open_csv(again, _reading(dialect, _BLOCK_BYTES), _parsing(dialect)) as reader:
            schema = reader.schema
    return DelimitedTable(schema, name, dialect, place=place, parsed_whole=True)


class _Resumed(io.RawIOBase):
    """A stream whose beginning was read already, from its beginning: a far file is opened once."""

    def __init__(self, beginning: bytes, rest: Any) -> None:
        self._beginning, self._rest = beginning, rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = len(self._beginning) if size < 0 else size
        some, self._beginning = self._beginning[:size], self._beginning[size:]
        return some or bytes(self._rest.read(size))


@contextmanager
def _bytes_of(place: Place) -> Iterator[Any]:
    """Yield the bytes of a file, unpacked if it is compressed, whatever its name says."""
    with ExitStack() as opened:
        raw = opened.enter_context(place.open() if isinstance(place, Remote) else place.open("rb"))
        # What fsspec opens has all that a raw stream has.
        file = opened.enter_context(io.BufferedReader(cast(io.RawIOBase, raw), _BLOCK_BYTES))
        is_gzip = file.peek(len(_GZIP)).startswith(_GZIP)
        yield opened.enter_context(pa.CompressedInputStream(file, "gzip")) if is_gzip else file


def _reading(dialect: Dialect, least: int) -> pa.csv.ReadOptions:
    # A block must hold the header, and each line be within two blocks.
    return pa.csv.ReadOptions(
        block_size=max(least, 2 * dialect.line_bytes), encoding=dialect.encoding
    )


def _parsing(dialect: Dialect) -> pa.csv.ParseOptions:
    return pa.csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True)


CSV = Format("CSV", (".csv", ".csv.gz", ".txt", ".txt.gz"), partial(_open, ","))
TSV = Format("TSV", (".tsv", ".tsv.gz"), partial(_open, "\t"))
