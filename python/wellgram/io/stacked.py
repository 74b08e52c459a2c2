"""Several tables one below the other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from wellgram.io.tables import Part, Table


@dataclass(frozen=True)
class StackedTable(Table):
    """The rows of several tables, with the columns that all have."""

    tables: Sequence[Table]

    @classmethod
    def of(cls, tables: Sequence[Table], name: str) -> "StackedTable":
        """Return tables as one, which messages call by a name."""
        shared = set.intersection(*(set(table.names) for table in tables))
        fields = [field for field in tables[0].schema if field.name in shared]
        return cls(pa.schema(fields), name, tables)

    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield the rows of the given columns, a table after another."""
        columns, text = list(columns), list(text)
        for table in self.tables:
            yield from table.parts(columns, text=text)
