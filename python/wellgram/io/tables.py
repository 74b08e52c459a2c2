"""Tables from files, by Arrow: parquet, CSV, TSV, and the two compressed by gzip."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.protocol import Rows
from wellgram.errors import ColumnMissing, InputError
from wellgram.io.places import Place, Remote, locate
from wellgram.io.read_errors import reading

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": ","}


@dataclass(frozen=True)
class Part:
    """Some rows of a table, and what they are called in messages."""

    table: pa.Table
    where: str


class Table(ABC):
    """A table whose column names and types are known, and whose rows are read on demand."""

    schema: pa.Schema
    embedding: str | None = None
    """The column of vectors that is meant where no features are named"""
    row_names: str | None = None
    """A column that names each row, and each differently"""

    @property
    @abstractmethod
    def label(self) -> str:
        """What it is called in messages."""

    @abstractmethod
    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield the rows of the given columns, a part at a time; `text` are read as strings."""

    def units(self) -> list[int]:
        """Return how many rows each piece has that can be read alone; none: it cannot be cut."""
        return []

    def cut(self, first: int, last: int) -> "Table":
        """Return the table of some of these pieces, to be read by any process of this file system.

        Raises
        ------
        NotImplementedError
            If it cannot be cut.
        """
        raise NotImplementedError

    @property
    def names(self) -> list[str]:
        """The column names."""
        return list(self.schema.names)

    def read(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> pa.Table:
        """Return all rows of the given columns."""
        columns = list(columns)
        parts = [part.table for part in self.parts(columns, text=text)]
        if not parts:
            return self.schema.empty_table().select(columns)
        return together(parts)

    def check_unique(self, columns: Iterable[str]) -> None:
        """Raise if several columns have one of these names."""
        counts = Counter(self.names)
        for name in columns:
            if counts[name] > 1:
                raise InputError(
                    f"{self.label} has {counts[name]} columns named {name!r}; rename or remove "
                    "all but one"
                )


@dataclass(frozen=True)
class TableFile(Table):
    """A table in a file, here or at a URL."""

    path: Place
    schema: pa.Schema
    name: str
    groups: range | None = None
    """The row groups of a parquet that are meant; None: all"""
    size: int | None = None
    """The bytes that all data of a parquet take, unpacked; None of files that have no such note"""

    @classmethod
    def open(cls, path: str | Place, name: str | None = None) -> "TableFile":
        """Read the schema; raise if the file is missing or damaged."""
        path = locate(path)
        name = name or path.name
        if not path.is_file():
            raise InputError(f"there is no file {str(path)!r}")
        with reading(repr(str(path))), source_of(path) as source:
            if path.suffix == ".parquet":
                facts = pa.parquet.read_metadata(source)
                groups = map(facts.row_group, range(facts.num_row_groups))
                size = sum(group.total_byte_size for group in groups)
                return cls(path, facts.schema.to_arrow_schema(), name, size=size)
            with pa.csv.open_csv(source, parse_options=_parsing(path)) as reader:
                return cls(path, reader.schema, name)

    @property
    def label(self) -> str:
        """The name of the file, or its path where others have its name."""
        return self.name

    @property
    def streams(self) -> bool:
        """Whether it can be read a part at a time."""
        return self.path.suffix == ".parquet"

    def held(self, columns: Iterable[str], text: Iterable[str]) -> "ArrowTable":
        """Return the table with these columns in memory."""
        table = self.read(columns, text=text)
        return ArrowTable(table.schema, lambda names: table.select(names).to_batches(), self.label)

    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield the rows of the given columns: a row group of a parquet at a time, a csv at once.

        Row groups too large to be held are cut further.
        """
        columns, text = list(columns), set(text)
        self.check_unique(columns)
        if self.path.suffix != ".parquet":
            yield Part(self._csv(columns, text), self.label)
            return
        with ExitStack() as opened:
            with reading(repr(str(self.path))):
                # Columns are read as they are decoded, not a row group's bytes all at once before;
                # but over a network few large requests are better than many small ones.
                ask = {"pre_buffer": isinstance(self.path, Remote), "buffer_size": 1 << 16}
                source = opened.enter_context(source_of(self.path))
                file = opened.enter_context(pa.parquet.ParquetFile(source, **ask))
            for group in self.groups or range(file.num_row_groups):
                with reading(f"row group {group} of {str(self.path)!r}"):
                    for table in _cut(file, group, columns):
                        yield Part(as_text(table, text), f"{self.label}, row group {group}")

    def units(self) -> list[int]:
        """Return how many rows each row group of a parquet has."""
        if not self.streams:
            return []
        with reading(repr(str(self.path))), source_of(self.path) as source:
            facts = pa.parquet.read_metadata(source)
            return [facts.row_group(group).num_rows for group in range(facts.num_row_groups)]

    def cut(self, first: int, last: int) -> "TableFile":
        """Return the table of some row groups of a parquet."""
        path = self.path if isinstance(self.path, Remote) else self.path.absolute()
        return replace(self, path=path, groups=range(first, last))

    def _csv(self, columns: list[str], text: set[str]) -> pa.Table:
        convert = pa.csv.ConvertOptions(
            include_columns=columns,
            column_types={name: pa.string() for name in text if name in columns},
            strings_can_be_null=True,
        )
        # The whole file at once where a type must be found: it is only known at the file's end.
        found = not text.issuperset(columns)
        read = pa.csv.ReadOptions(block_size=1 << 26 if found else None)
        with reading(repr(str(self.path))), source_of(self.path) as source:
            return pa.csv.read_csv(source, read, _parsing(self.path), convert)


@dataclass(frozen=True)
class ArrowTable(Table):
    """A table that Arrow hands over: in memory, a dataset, or whatever yields record batches."""

    schema: pa.Schema
    batches: Callable[[list[str]], Iterable[pa.RecordBatch]]
    """Yields the rows of some columns; called anew for each pass"""
    name: str = "the table"

    @classmethod
    def of(cls, source: Any) -> "ArrowTable":
        """Return what a table in memory, a dataset or a function that returns record batches holds.

        A table in memory is one of pyarrow, polars, pandas or whatever else hands over a stream of
        Arrow data (``__arrow_c_stream__``), without copies of columns that are Arrow's already.

        Raises
        ------
        InputError
            If it is none of these, or can be read only once.
        """
        if isinstance(source, pa.Table):
            return cls(source.schema, lambda columns: source.select(columns).to_batches())
        if isinstance(source, pa.dataset.Dataset):
            return cls(
                source.schema,
                # Few batches under way: each may be large.
                lambda columns: source.to_batches(columns=columns, batch_readahead=2),
                "the dataset",
            )
        if hasattr(source, "__next__"):
            raise InputError(
                f"a {type(source).__name__} can be read only once, and wells are read several "
                "times: give the file, a dataset, or a function that returns record batches anew"
            )
        if hasattr(source, "__arrow_c_stream__"):
            return cls.of(pa.table(source))
        if hasattr(source, "collect"):
            raise InputError(
                f"a {type(source).__name__} holds no rows yet; give what its collect() returns"
            )
        if callable(source):
            first = next(iter(source()), None)
            if first is None:
                raise InputError("the function that returns record batches returned none")
            return cls(
                first.schema,
                lambda columns: (batch.select(columns) for batch in source()),
                "the record batches",
            )
        raise InputError(
            "wells are read from files, a table of pyarrow, polars or pandas, an AnnData object, a "
            "pyarrow dataset, or a function that returns record batches, not from a "
            f"{type(source).__name__}"
        )

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return self.name

    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield the rows of the given columns, a record batch at a time."""
        columns, text = list(columns), set(text)
        self.check_unique(columns)
        with reading(self.name):
            for k, batch in enumerate(self.batches(columns)):
                where = f"{self.name}, batch {k}"
                yield Part(as_text(pa.Table.from_batches([batch]), text), where)


_WHOLE_GROUP = 1 << 28  # bytes: row groups up to this are read at once, which is fastest


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


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables one below the other, in types that hold the values of all."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowTypeError as problem:
        raise InputError(f"the files disagree: {problem}; make it one type in all") from None


def is_table_file(path: Place) -> bool:
    """Whether the name of a file is one that `TableFile` opens."""
    return path.suffix == ".parquet" or _delimiter(path) is not None


@contextmanager
def source_of(path: Place) -> Iterator[Any]:
    """Yield what Arrow reads a file from: its path here, or its bytes, unpacked, elsewhere."""
    if not isinstance(path, Remote):
        yield path
        return
    with path.open() as file:
        if path.suffix == ".gz":
            with pa.CompressedInputStream(file, "gzip") as stream:
                yield stream
        else:
            yield file


def need_column(column: str, names: Sequence[str], where: str, role: str) -> str:
    """Return the column; raise if it is not among the names, saying where and in which role."""
    if column not in names:
        raise ColumnMissing(f"{where} has no column {column!r} ({role}); there are: {some(names)}")
    return column


def some(names: Sequence[str], most: int = 12) -> str:
    """Return the first names, quoted, and how many more there are."""
    shown = ", ".join(repr(str(name)) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


class FeatureRows:
    """The features of a table as rows, made where they are asked for.

    The features are many columns of numbers or one column of lists; float32 if all of them are
    float32 or float16, else float64. A missing value is a NaN.

    Raises
    ------
    InputError
        If a column is not numeric, naming the first value that is not a number; or if lists differ
        in length.
    """

    def __init__(self, table: pa.Table, features: Sequence[str], where: str) -> None:
        first = table.column(features[0])
        self._matrix = _list_matrix(first, features[0], where) if is_list(first.type) else None
        if self._matrix is None:
            self._columns = [_numbers(table.column(name), name, where) for name in features]

    def __getitem__(self, rows: slice) -> Rows:
        """Return some rows (m, d)."""
        if self._matrix is not None:
            return self._matrix[rows]
        return get_backend().rows_of_columns([column[rows] for column in self._columns])


def feature_matrix(table: pa.Table, features: Sequence[str], where: str) -> Rows:
    """Return the features of a table as a matrix (n, d): see `FeatureRows`."""
    return FeatureRows(table, features, where)[:]


def matrix_type(kinds: Iterable[pa.DataType]) -> np.dtype[Any]:
    """Return the type of rows made of columns, or of lists, of these types."""
    inner = [kind.value_type if is_list(kind) else kind for kind in kinds]
    single = all(pa.types.is_float32(kind) or pa.types.is_float16(kind) for kind in inner)
    return np.dtype(np.float32 if single else np.float64)


def is_numeric(kind: pa.DataType) -> bool:
    """Whether a column of this Arrow type can be a feature: a number, or empty throughout."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    )


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of this Arrow type holds vectors."""
    return bool(
        pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    )


def _numbers(column: pa.ChunkedArray, name: str, where: str) -> NDArray[Any]:
    if not is_numeric(column.type):
        raise InputError(_not_numeric(column, name, where))
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not pa.types.is_floating(column.type):
        column = column.cast(pa.float64())
    values: NDArray[Any] = column.to_numpy()
    return values


def _not_numeric(column: pa.ChunkedArray, name: str, where: str) -> str:
    found = ""
    for row, value in enumerate(column.to_pylist()):
        try:
            float("nan" if value is None else value)
        except (TypeError, ValueError):
            found = f" (row {row + 1}: {value!r})"
            break
    return (
        f"feature column {name!r} of {where} is {column.type}, not numeric{found}; correct it, "
        "choose the features by name (features=), or mark it as metadata ('Metadata_...')"
    )


def _list_matrix(column: pa.ChunkedArray, name: str, where: str) -> Rows:
    kind = column.type.value_type
    where = f"column {name!r} of {where}"
    if not is_numeric(kind):
        raise InputError(f"the vectors of {where} hold {kind}, not numbers; choose another column")
    if column.null_count:
        raise InputError(f"{where} has {column.null_count} rows without a vector; remove them")
    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    if len(lengths) > 1:
        raise InputError(
            f"the vectors of {where} differ in length: {min(lengths)} to {max(lengths)}"
        )
    if lengths == [0]:
        raise InputError(f"the vectors of {where} have no values")
    dtype = matrix_type([kind])
    parts = [
        chunk.flatten().to_numpy(zero_copy_only=False).astype(dtype, copy=False)
        for chunk in column.chunks
    ]
    values = parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, dtype), *parts])
    width = column.type.list_size if pa.types.is_fixed_size_list(column.type) else 0
    return values.reshape(len(column), *(lengths or [width]))


def as_text(table: pa.Table, text: set[str]) -> pa.Table:
    """Return the table with some of its columns, where it has them, as strings."""
    for k, name in enumerate(table.column_names):
        if name in text and not pa.types.is_string(table.schema.field(name).type):
            table = table.set_column(k, name, _text(table.column(name)))
    return table


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):  # the few values first: Arrow has not all the casts
        chunks = [
            pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(pa.string()))
            for chunk in column.chunks
        ]
        column = pa.chunked_array(chunks, pa.dictionary(column.type.index_type, pa.string()))
    if pa.types.is_floating(column.type):  # a NaN is a missing value, not a label "nan"
        column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(pa.string())


def _delimiter(path: Place) -> str | None:
    suffixes = [s for s in path.suffixes if s != ".gz"]
    return _DELIMITERS.get(suffixes[-1]) if suffixes else None


def _parsing(path: Place) -> "pa.csv.ParseOptions":
    return pa.csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True)
