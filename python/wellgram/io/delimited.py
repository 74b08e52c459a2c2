"""Tables in delimited text, plain or compressed by gzip: all of a file is parsed at once."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.csv

from wellgram.io.delimiters import Dialect, dialect_of
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
    is_gzip: bool
    """Whether it is compressed, whatever its name says"""

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
        with reading(repr(str(self.place))), _bytes_of(self.place, is_gzip=self.is_gzip) as source:
            table = pa.csv.read_csv(source, read, _parsing(self.dialect), convert)
        yield Part(table, self.label)


def _open(usual: str, place: Place, name: str) -> DelimitedTable:
    """Read the names of columns, and their types as far as the first rows show them."""
    with _bytes_of(place, is_gzip=False) as file:
        is_gzip = file.read(len(_GZIP)) == _GZIP
    with _bytes_of(place, is_gzip=is_gzip) as source:
        dialect = dialect_of(source.read, usual, name)
    with (
        _bytes_of(place, is_gzip=is_gzip) as source,
        pa.csv.open_csv(source, _reading(dialect, _BLOCK_BYTES), _parsing(dialect)) as reader,
    ):
        schema = reader.schema
    return DelimitedTable(schema, name, dialect, is_gzip, place=place, parsed_whole=True)


@contextmanager
def _bytes_of(place: Place, *, is_gzip: bool) -> Iterator[Any]:
    """Yield the bytes of a file, unpacked."""
    with ExitStack() as opened:
        plain = place.open() if isinstance(place, Remote) else pa.OSFile(str(place))
        file = opened.enter_context(plain)
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
