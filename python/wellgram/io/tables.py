"""What all tables share: columns on demand, rows in parts, and features as rows of numbers."""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.protocol import Rows
from wellgram.errors import ColumnMissing, InputError
from wellgram.io.frames import arrow_table, is_frame
from wellgram.io.places import Place
from wellgram.io.read_errors import reading

RowReader: TypeAlias = Callable[[int, int], Rows]
"""Returns the rows (m, d) from the first number up to the second"""


@dataclass(frozen=True)
class Part:
    """Some rows of a table, and what they are called in messages."""

    table: pa.Table
    where: str


@dataclass(frozen=True)
class Table(ABC):
    """A table whose column names and types are known, and whose rows are read on demand."""

    schema: pa.Schema
    name: str
    """What it is called in messages"""
    _: KW_ONLY
    embedding: str | None = None
    """The column of vectors that is meant where no features are named"""
    row_names: str | None = None
    """A column that names each row, and each differently"""
    place: Place | None = None
    """The file that it is read from; None: it is in memory, or read by other means"""
    size: int | None = None
    """The bytes that all its data take, unpacked; None: not known before it is read"""
    folder_columns: frozenset[str] = frozenset()
    """The columns that the names of its folders give, which are no features"""
    parsed_whole: bool = False
    """Whether all of its file is parsed, whichever columns are asked for"""

    @property
    def label(self) -> str:
        """What it is called in messages: its name."""
        return self.name

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

    def held(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> "ArrowTable":
        """Return the table with these columns in memory."""
        table = self.read(columns, text=text)
        return ArrowTable(table.schema, self.name, lambda names: table.select(names).to_batches())

    def vector_length(self, column: str) -> int:
        """Return how long the vectors of a column are; of lists, the first rows are read for it.

        Raises
        ------
        InputError
            If the column holds no vectors, or there are no rows.
        """
        kind = self.schema.field(column).type
        if pa.types.is_fixed_size_list(kind):
            return int(kind.list_size)
        if not is_list(kind):
            raise InputError(f"column {column!r} of {self.label} holds {kind}, not vectors")
        for part in self.parts([column]):
            if part.table.num_rows:
                return int(feature_matrix(part.table, [column], part.where).shape[1])
        raise InputError(f"{self.label} has no rows")

    def row_reader(self, column: str) -> RowReader:
        """Return what reads some rows of a column of vectors of one length.

        A table that cannot be cut is held in memory.
        """
        units = self.units()
        if units:
            length = self.vector_length(column)
            return partial(_rows_of_pieces, self, column, length, [0, *accumulate(units)])
        rows = feature_matrix(self.read([column]), [column], self.label)
        return partial(rows_between, rows)

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
class ArrowTable(Table):
    """A table that Arrow hands over: in memory, a dataset, or whatever yields record batches."""

    batches: Callable[[list[str]], Iterable[pa.RecordBatch]]
    """Yields the rows of some columns; called anew for each pass"""

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
            return cls(
                source.schema,
                "the table",
                lambda columns: source.select(columns).to_batches(),
            )
        if isinstance(source, pa.dataset.Dataset):
            return cls(
                source.schema,
                "the dataset",
                # Few batches under way: each may be large.
                lambda columns: source.to_batches(columns=columns, batch_readahead=2),
            )
        if hasattr(source, "__next__"):
            raise InputError(
                f"a {type(source).__name__} can be read only once, and wells are read several "
                "times: give the file, a dataset, or a function that returns record batches anew"
            )
        if is_frame(source):
            return cls.of(arrow_table(source))
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
                "the record batches",
                lambda columns: (batch.select(columns) for batch in source()),
            )
        raise InputError(
            "wells are read from files, a table of pyarrow, polars or pandas, an AnnData object, a "
            "pyarrow dataset, or a function that returns record batches, not from a "
            f"{type(source).__name__}"
        )

    def parts(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> Iterator[Part]:
        """Yield the rows of the given columns, a record batch at a time."""
        columns, text = list(columns), set(text)
        self.check_unique(columns)
        with reading(self.name):
            for k, batch in enumerate(self.batches(columns)):
                where = f"{self.name}, batch {k}"
                yield Part(as_text(pa.Table.from_batches([batch]), text), where)


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables one below the other, in types that hold the values of all."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowTypeError as problem:
        raise InputError(f"the files disagree: {problem}; make it one type in all") from None


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


def _rows_of_pieces(
    table: Table, column: str, length: int, ends: list[int], start: int, stop: int
) -> Rows:
    """Return some rows of a column of vectors, given where the pieces of the table end."""
    rows = [np.empty((0, length), matrix_type([table.schema.field(column).type]))]
    if start < stop:
        first, last = bisect_right(ends, start) - 1, bisect_left(ends, stop)
        begin = ends[first]
        for part in table.cut(first, last).parts([column]):
            more = feature_matrix(part.table, [column], part.where)
            if more.shape[1] != length and len(more):
                raise InputError(
                    f"the vectors of column {column!r} of {part.where} have {more.shape[1]} "
                    f"values, but those before {length}: make them one length"
                )
            rows.append(more[max(0, start - begin) : max(0, stop - begin)])
            begin += len(more)
    return np.concatenate(rows)


def rows_between(rows: Rows, start: int, stop: int) -> Rows:
    """Return some rows of a matrix that is in memory."""
    return rows[start:stop]


def matrix_type(kinds: Iterable[pa.DataType]) -> np.dtype[Any]:
    """Return the type of rows made of columns, or of lists, of these types."""
    inner = [kind.value_type if is_list(kind) else kind for kind in kinds]
    single = all(pa.types.is_float32(kind) or pa.types.is_float16(kind) for kind in inner)
    return np.dtype(np.float32 if single else np.float64)


def is_numeric(kind: pa.DataType) -> bool:
    """Whether a column of this Arrow type can be a feature: a number, or empty throughout."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_decimal(kind)
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
        column = column.cast(pa.float64(), safe=False)  # whole numbers above 2^53 are rounded
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
            f"the vectors of {where} differ in length: {min(lengths)} to {max(lengths)}; make them "
            "one length"
        )
    if lengths == [0]:
        raise InputError(f"the vectors of {where} have no values")
    dtype = matrix_type([kind])
    inner = [chunk.flatten() for chunk in column.chunks]
    if pa.types.is_decimal(kind):
        inner = [chunk.cast(pa.float64()) for chunk in inner]
    parts = [chunk.to_numpy(zero_copy_only=False).astype(dtype, copy=False) for chunk in inner]
    values = parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, dtype), *parts])
    width = column.type.list_size if pa.types.is_fixed_size_list(column.type) else 0
    return values.reshape(len(column), *(lengths or [width]))


def as_text(table: pa.Table, text: set[str]) -> pa.Table:
    """Return the table with some of its columns, where it has them, as strings.

    Raises
    ------
    pa.ArrowInvalid
        If text is not UTF-8, which Arrow takes as it comes where it is not parsed.
    """
    for column in table.columns:
        if _is_text(column.type):
            column.validate(full=True)
    for k, name in enumerate(table.column_names):
        if name in text and not pa.types.is_string(table.schema.field(name).type):
            table = table.set_column(k, name, _text(table.column(name)))
    return table


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


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
