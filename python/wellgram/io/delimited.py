"""Tables in delimited text, plain or compressed by gzip: all of a file is parsed at once."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.csv

from wellgram.errors import InputError
from wellgram.io.delimiters import Dialect, beginning_of, dialect_of
from wellgram.io.places import Place
from wellgram.io.read_errors import reading
from wellgram.io.table_format import Format
from wellgram.io.tables import Part, Table
from wellgram.io.text_encodings import check_text, encoding_of
from wellgram.io.text_files import bytes_of

_BLOCK_BYTES = 1 << 20
_NO_TEXT = "invalid UTF8"
"""What Arrow says of a value that is not text"""


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
        with _naming_lines(self.place, self.dialect.encoding):
            with reading(repr(str(self.place))), bytes_of(self.place) as source:
                table = pa.csv.read_csv(source, read, _parsing(self.dialect), convert)
            if any(map(pa.types.is_binary, table.schema.types)):  # which is no text, to Arrow
                raise UnicodeError
        yield Part(table, self.label)


def _open(usual: str, place: Place, name: str, encoding: str | None = None) -> DelimitedTable:
    """Read the names of columns, and their types as far as the first rows show them."""
    with bytes_of(place) as source:
        sample, is_whole = beginning_of(source.read)
        dialect = dialect_of(sample, is_whole, usual, name, encoding_of(sample, encoding))
        again = _Resumed(sample, source)
        with (
            _naming_lines(place, dialect.encoding),
            pa.csv.open_csv(again, _reading(dialect, _BLOCK_BYTES), _parsing(dialect)) as reader,
        ):
            schema = reader.schema
    return DelimitedTable(schema, name, dialect, place=place, parsed_whole=True)


class _naming_lines:  # noqa: N801 - reads as a phrase: with _naming_lines(place, encoding)
    """Where text cannot be read, finds the line: Arrow says that there is one, but not which."""

    def __init__(self, place: Place, encoding: str) -> None:
        self.place, self.encoding = place, encoding

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        is_of_text = isinstance(problem, UnicodeError) or (
            isinstance(problem, pa.ArrowInvalid | InputError) and _NO_TEXT in str(problem)
        )
        if is_of_text:
            with reading(repr(str(self.place))), bytes_of(self.place) as source:
                check_text(source.read, self.encoding, f"{self.place.name} is")


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


def _reading(dialect: Dialect, least: int) -> pa.csv.ReadOptions:
    # A block must hold the header, and each line be within two blocks.
    return pa.csv.ReadOptions(
        block_size=max(least, 2 * dialect.line_bytes), encoding=dialect.encoding
    )


def _parsing(dialect: Dialect) -> pa.csv.ParseOptions:
    return pa.csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True)


def _text_format(name: str, suffixes: tuple[str, ...], usual: str) -> Format:
    return Format(name, suffixes, partial(_open, usual), open_encoded=partial(_open, usual))


CSV = _text_format("CSV", (".csv", ".csv.gz", ".txt", ".txt.gz"), ",")
TSV = _text_format("TSV", (".tsv", ".tsv.gz"), "\t")
