"""Tables in delimited text, plain or compressed by gzip: all of a file is parsed at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa
import pyarrow.csv

from wellgram.io.places import Place, source_of
from wellgram.io.read_errors import reading
from wellgram.io.table_format import Format
from wellgram.io.tables import Part, Table


@dataclass(frozen=True)
class DelimitedTable(Table):
    """A table in a file of delimited text, here or at a URL."""

    place: Place = field(kw_only=True)
    delimiter: str

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
        typed = text.issuperset(columns)
        read = pa.csv.ReadOptions(block_size=None if typed else 1 << 26)
        with reading(repr(str(self.place))), source_of(self.place) as source:
            table = pa.csv.read_csv(source, read, _parsing(self.delimiter), convert)
        yield Part(table, self.label)


def _open(delimiter: str, place: Place, name: str) -> DelimitedTable:
    """Read the names of columns, and their types as far as the first rows show them."""
    with (
        source_of(place) as source,
        pa.csv.open_csv(source, parse_options=_parsing(delimiter)) as reader,
    ):
        return DelimitedTable(reader.schema, name, delimiter, place=place, parsed_whole=True)


def _parsing(delimiter: str) -> pa.csv.ParseOptions:
    return pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)


CSV = Format("CSV", (".csv", ".csv.gz", ".txt", ".txt.gz"), partial(_open, ","))
TSV = Format("TSV", (".tsv", ".tsv.gz"), partial(_open, "\t"))
