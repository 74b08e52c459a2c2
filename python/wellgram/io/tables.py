"""Tables from files, by Arrow: parquet, CSV, TSV, and the two compressed by gzip."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from wellgram.backends.protocol import Rows
from wellgram.errors import InputError

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": ","}
_BLOCK = 8192  # rows filled in at a time: few enough to share among threads, many per call


@dataclass(frozen=True)
class TableFile:
    """A table on disk: its column names and types are known, its rows are read on demand."""

    path: Path
    schema: pa.Schema

    @classmethod
    def open(cls, path: str | Path) -> "TableFile":
        """Read the schema; raise if the file is missing, of an unknown kind or damaged."""
        path = Path(path)
        if not path.is_file():
            raise InputError(f"there is no file {str(path)!r}")
        if not is_table(path):
            raise InputError(
                f"{path.name!r} is of an unknown kind; give .parquet, .csv, .tsv or .txt, "
                "or one of the last three with .gz"
            )
        with _reading(path):
            if path.suffix == ".parquet":
                return cls(path, pa.parquet.read_schema(path))
            with pa.csv.open_csv(path, parse_options=_parsing(path)) as reader:
                return cls(path, reader.schema)

    @property
    def names(self) -> list[str]:
        """The column names."""
        return list(self.schema.names)

    def batches(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> "Iterator[pa.Table]":
        """Yield the rows of the given columns, a part at a time; `text` are read as strings."""
        columns, text = list(columns), set(text)
        self.check_unique(columns)
        with _reading(self.path):
            if self.path.suffix == ".parquet":
                with pa.parquet.ParquetFile(self.path) as file:
                    for group in range(file.num_row_groups):
                        yield _as_text(file.read_row_group(group, columns=columns), text)
                return
            convert = pa.csv.ConvertOptions(
                include_columns=columns,
                column_types={name: pa.string() for name in text if name in columns},
                strings_can_be_null=True,
            )
            # The whole file at once, since the type of a column is only known at its end.
            read = pa.csv.ReadOptions(block_size=1 << 26)
            yield pa.csv.read_csv(self.path, read, _parsing(self.path), convert)

    def read(self, columns: Iterable[str], *, text: Iterable[str] = ()) -> pa.Table:
        """Return all rows of the given columns."""
        parts = list(self.batches(columns, text=text))
        if not parts:
            return self.schema.empty_table().select(list(columns))
        return pa.concat_tables(parts, promote_options="permissive")

    def check_unique(self, columns: Iterable[str]) -> None:
        """Raise if several columns have one of these names."""
        counts = Counter(self.names)
        for name in columns:
            if counts[name] > 1:
                raise InputError(
                    f"{self.path.name} has {counts[name]} columns named {name!r}; rename or remove "
                    "all but one"
                )


def is_table(path: Path) -> bool:
    """Whether the name of a file is that of a table."""
    return path.suffix == ".parquet" or _delimiter(path) is not None


def need_column(column: str, names: Sequence[str], where: str, role: str) -> str:
    """Return the column; raise if it is not among the names, saying where and in which role."""
    if column not in names:
        raise InputError(f"{where} has no column {column!r} ({role}); there are: {some(names)}")
    return column


def some(names: Sequence[str], most: int = 12) -> str:
    """Return the first names, quoted, and how many more there are."""
    shown = ", ".join(repr(str(name)) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def feature_matrix(table: pa.Table, features: list[str], path: Path) -> Rows:
    """Return feature columns as a matrix (n, d) with contiguous rows; a missing value is a NaN.

    The features are many columns of numbers or one column of lists; float32 if all of them are
    float32 or float16, else float64.

    Raises
    ------
    InputError
        If a column is not numeric, naming the first value that is not a number; or if lists differ
        in length.
    """
    if len(features) == 1 and is_list(table.schema.field(features[0]).type):
        return _list_matrix(table.column(features[0]), features[0], path)
    dtype = _matrix_type(table.schema.field(name).type for name in features)
    matrix = np.empty((table.num_rows, len(features)), dtype)
    columns = [_numbers(table.column(name), name, path) for name in features]

    def fill(start: int) -> None:
        part = matrix[start : start + _BLOCK]
        for j, column in enumerate(columns):
            part[:, j] = column[start : start + _BLOCK]

    with ThreadPoolExecutor() as pool:
        list(pool.map(fill, range(0, len(matrix), _BLOCK)))
    return matrix


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


def _matrix_type(kinds: Iterable[pa.DataType]) -> type[np.float32] | type[np.float64]:
    single = all(pa.types.is_float32(kind) or pa.types.is_float16(kind) for kind in kinds)
    return np.float32 if single else np.float64


def _numbers(column: pa.ChunkedArray, name: str, path: Path) -> NDArray[Any]:
    if not is_numeric(column.type):
        raise InputError(_not_numeric(column, name, path))
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not pa.types.is_floating(column.type):
        column = column.cast(pa.float64())
    values: NDArray[Any] = column.to_numpy()
    return values


def _not_numeric(column: pa.ChunkedArray, name: str, path: Path) -> str:
    where = ""
    for row, value in enumerate(column.to_pylist()):
        try:
            float("nan" if value is None else value)
        except (TypeError, ValueError):
            where = f" (row {row + 1}: {value!r})"
            break
    return (
        f"feature column {name!r} of {path.name} is {column.type}, not numeric{where}; correct it, "
        "choose the features by name (features=), or mark it as metadata ('Metadata_...')"
    )


def _list_matrix(column: pa.ChunkedArray, name: str, path: Path) -> Rows:
    kind = column.type.value_type
    where = f"column {name!r} of {path.name}"
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
    dtype = _matrix_type([kind])
    parts = [
        chunk.flatten().to_numpy(zero_copy_only=False).astype(dtype, copy=False)
        for chunk in column.chunks
    ]
    values = parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, dtype), *parts])
    return values.reshape(len(column), *(lengths or [0]))


def _as_text(table: pa.Table, text: set[str]) -> pa.Table:
    for k, name in enumerate(table.column_names):
        if name in text and not pa.types.is_string(table.schema.field(name).type):
            table = table.set_column(k, name, table.column(name).cast(pa.string()))
    return table


def _delimiter(path: Path) -> str | None:
    suffixes = [s for s in path.suffixes if s != ".gz"]
    return _DELIMITERS.get(suffixes[-1]) if suffixes else None


def _parsing(path: Path) -> "pa.csv.ParseOptions":
    return pa.csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True)


class _reading:  # noqa: N801 - reads as a phrase: with _reading(path)
    """Turns what Arrow says of a damaged file into an error that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, InputError) or not isinstance(
            problem, (pa.ArrowException, OSError, EOFError)
        ):
            return
        # Of a file in another format, Arrow quotes what it found there: binary, often.
        said = "".join(c if c.isprintable() else "?" for c in str(problem).splitlines()[0])
        raise InputError(
            f"cannot read {str(self.path)!r}: {said.rstrip('.')}; the file may be truncated or of "
            "another format than its name says"
        ) from problem
