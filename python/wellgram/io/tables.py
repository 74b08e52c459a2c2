"""Tables from files, by Arrow: parquet, CSV, TSV, and the two compressed by gzip."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
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
        if path.suffix != ".parquet" and _delimiter(path) is None:
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


def feature_matrix(table: pa.Table, features: list[str], path: Path) -> Rows:
    """Return feature columns as a matrix (n, d) with contiguous rows; a missing value is a NaN.

    float32 unless a column is of another type, then float64; or, where the one feature column is a
    list, the type of its values.

    Raises
    ------
    InputError
        If a column is not numeric, naming the first value that is not a number.
    """
    if len(features) == 1 and is_list(table.schema.field(features[0]).type):
        return _list_matrix(table.column(features[0]), features[0], path)
    single = all(
        pa.types.is_float32(t) or pa.types.is_float16(t)
        for t in (table.schema.field(name).type for name in features)
    )
    matrix = np.empty((table.num_rows, len(features)), np.float32 if single else np.float64)
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
        f"feature column {name!r} of {path.name} is not numeric{where}; correct it, choose the "
        "features by name (features=), or mark it as metadata ('Metadata_...')"
    )


def _list_matrix(column: pa.ChunkedArray, name: str, path: Path) -> Rows:
    parts = []
    for chunk in column.chunks:
        if chunk.null_count:
            raise InputError(f"column {name!r} of {path.name} has {chunk.null_count} empty rows")
        values = chunk.flatten().to_numpy(zero_copy_only=False)
        width, rest = divmod(len(values), len(chunk)) if len(chunk) else (0, 0)
        if rest or not _is_even(chunk, width):
            raise InputError(f"the vectors of column {name!r} of {path.name} differ in length")
        parts.append(values.reshape(len(chunk), width))
    if len({part.shape[1] for part in parts if len(part)}) > 1:
        raise InputError(f"the vectors of column {name!r} of {path.name} differ in length")
    parts = [part for part in parts if len(part)] or [np.empty((0, 0), np.float32)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _is_even(chunk: pa.Array, width: int) -> bool:
    if pa.types.is_fixed_size_list(chunk.type):
        return True
    return bool((np.diff(chunk.offsets.to_numpy()) == width).all())


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
        raise InputError(
            f"cannot read {str(self.path)!r}: {str(problem).splitlines()[0]}; the file may be "
            "truncated or of another format than its name says"
        ) from problem
