"""Columns that the names of folders give: ``plate=001/part-0.parquet`` has a column ``plate``.

Spark, Hive, DuckDB and pyarrow write tables so. A value is kept as the text that it is, since a
plate "001" is not the number 1.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

import pyarrow as pa

from wellgram.errors import InputError
from wellgram.io.places import Place
from wellgram.io.tables import Part, Table, is_list

_NAMED = re.compile(r"([^=]+)=(.*)", re.DOTALL)
_MISSING = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class WithFolderColumns(Table):
    """A table, and columns that have one value in all its rows."""

    table: Table
    values: Mapping[str, str | None]

    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield the rows of the given columns, in the parts that the table has."""
        columns, text = list(columns), list(text)
        inside = [name for name in columns if name not in self.values]
        for part in self.table.parts(inside or [self._narrow()], text=text):
            arrays = [
                pa.repeat(pa.scalar(self.values[name], pa.string()), part.table.num_rows)
                if name in self.values
                else part.table.column(name)
                for name in columns
            ]
            yield Part(pa.table(arrays, names=columns), part.where)

    def units(self) -> list[int]:
        """Return how many rows each piece has that can be read alone."""
        return self.table.units()

    def cut(self, first: int, last: int) -> "WithFolderColumns":
        """Return the table of some of these pieces."""
        return replace(self, table=self.table.cut(first, last))

    def _narrow(self) -> str:
        """Return a column that tells how many rows there are, at little cost."""
        fields = list(self.table.schema)
        return str(next((f for f in fields if not is_list(f.type)), fields[0]).name)


def with_folder_columns(table: Table, place: Place) -> Table:
    """Return a table with the columns that the names of its folders give, if they give some.

    A column that the file itself has is taken from there.

    Raises
    ------
    InputError
        If such a name is not text, so that two of them could become one.
    """
    values: dict[str, str | None] = {}
    for folder in reversed(place.parts[:-1]):
        named = _NAMED.fullmatch(folder)
        if named is None:
            break
        name, value = (_unquoted(part, place) for part in named.groups())
        if name not in table.names:
            values.setdefault(name, None if value == _MISSING else value)
    if not values:
        return table
    schema = table.schema
    for name in values:
        schema = schema.append(pa.field(name, pa.string()))
    return WithFolderColumns(
        schema,
        table.name,
        table,
        values,
        embedding=table.embedding,
        row_names=table.row_names,
        place=table.place,
        size=table.size,
        parsed_whole=table.parsed_whole,
        folder_columns=frozenset(values),
    )


def _unquoted(part: str, place: Place) -> str:
    """Return a part of a folder's name without the escapes of web addresses."""
    try:
        text = unquote(part, errors="strict")
        text.encode()  # bytes of a name that are not text cannot be
    except UnicodeError:
        raise InputError(
            f"a folder of {str(place)!r} has a name that is not text of UTF-8; rename it"
        ) from None
    return text
