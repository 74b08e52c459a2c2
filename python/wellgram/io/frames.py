"""Frames of pandas as tables of Arrow, whatever their columns hold."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from wellgram.backends.checks import unmasked
from wellgram.errors import InputError
from wellgram.io.read_errors import first_line


def is_frame(source: Any) -> bool:
    """Whether something is a frame of pandas."""
    return isinstance(source, pd.DataFrame)


def arrow_table(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as a table of Arrow: columns, and a named index as columns before them.

    A column that is of no type of Arrow, such as numbers and text mixed, becomes text. So a column
    that nobody asks for hinders nothing.
    """
    frame = frame.set_axis([str(name) for name in frame.columns], axis="columns")
    try:
        table = pa.Table.from_pandas(frame)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        table = _column_by_column(frame)
    check_unmasked(table, frame)
    return table.replace_schema_metadata()


def check_unmasked(table: pa.Table, frame: pd.DataFrame) -> None:
    """Raise if a vector in a frame has a mask, which Arrow overlooks where it makes the table.

    Raises
    ------
    InputError
        Naming the column and the place in it.
    """
    of_vectors = {column.name for column in table.schema if pa.types.is_list(column.type)}
    for k, name in enumerate(map(str, frame.columns)):
        if name in of_vectors:
            for row, vector in enumerate(frame.iloc[:, k]):
                unmasked(vector, f"{name}[{row}]")


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return a table of Arrow as a frame: its columns alone, as they are.

    What pandas noted of them in a file is not used: it may be damaged, or make an index of one.
    """
    frame: pd.DataFrame = table.replace_schema_metadata().to_pandas()
    return frame


def checked(table: pa.Table, label: str) -> pa.Table:
    """Return a table whose values are what their types say; `label` says where it was read.

    Parquet does not check this: damaged text is found by whatever uses it first. It takes 0.1 s for
    a hundred million characters.

    Raises
    ------
    InputError
        If text is not UTF-8, or a value is not among the categories of its column.
    """
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowException as problem:
            raise InputError(
                f"column {name!r} of {label} is damaged: {first_line(problem)}; write the file "
                "again"
            ) from None
    return table


def _column_by_column(frame: pd.DataFrame) -> pa.Table:
    columns = [
        (str(level), frame.index.get_level_values(k).to_series())
        for k, level in enumerate(frame.index.names)
        if level is not None
    ]
    columns += [(name, frame.iloc[:, k]) for k, name in enumerate(frame.columns)]
    return pa.Table.from_arrays([_array(values) for _, values in columns], [n for n, _ in columns])


def _array(values: "pd.Series[Any]") -> pa.Array:
    if isinstance(values.dtype, pd.SparseDtype):
        values = pd.Series(values.to_numpy())
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # What is masked is missing; pandas does not say so of a single value.
        masked = np.array([value is np.ma.masked for value in values])
        if masked.any():
            return _array(values.mask(masked, None))
        missing = values.isna().to_numpy(bool)
        return pa.array(
            [None if gone else str(value) for gone, value in zip(missing, values, strict=True)],
            pa.string(),
        )
