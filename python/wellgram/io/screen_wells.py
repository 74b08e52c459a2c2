"""Which well each row of the embeddings is of, and what was done to that well."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes
from wellgram.errors import InputError, LabelsWarning
from wellgram.estimators.call_sites import level_outside
from wellgram.io.frames import frame_of
from wellgram.io.gather import of_each
from wellgram.io.joins import check_named, join, one_row_each
from wellgram.io.keys import key_of
from wellgram.io.layouts import Layout
from wellgram.io.roles import Roles
from wellgram.io.tables import Table, need_column, together
from wellgram.io.values import comparable
from wellgram.label_rules.missing_labels import is_missing


@dataclass(frozen=True)
class RowColumns:
    """Which columns the files of embeddings, and which the metadata, tell of a well."""

    by: tuple[str, ...]
    """What joins embeddings and metadata; none: there is no metadata beside the embeddings"""
    key: tuple[str, ...]
    """What names a well; none: each row is one"""
    of_rows: tuple[str, ...]
    """The columns read with the embeddings"""
    of_metadata: tuple[str, ...]
    """The columns read of the metadata"""

    @classmethod
    def of(
        cls,
        roles: Roles,
        keep: Sequence[str],
        layout: Layout,
        tables: Sequence[Table],
        about: Table | None,
    ) -> "RowColumns":
        """Return who tells what: the metadata where it can, else the files of embeddings.

        Raises
        ------
        InputError
            If nothing joins the two, or a file lacks a column.
        """
        if about is None:
            columns = cls((), roles.well_id, tuple(keep), ())
        else:
            by = tuple(name for name in roles.well_id if name in about.names)
            by = (roles.joining,) if roles.joining else by
            if not roles.well_id:
                raise InputError("name the column that joins embeddings and metadata (well_id=)")
            if not by:
                need_column(roles.well_id[0], about.names, about.label, "well_id")
            beside = [name for name in [*roles.well_id, *keep] if name not in about.names]
            # A well lies on one plate, so a plate that only the embeddings tell names it too: of
            # one platemap there are several plates. What is not asked for must not differ either.
            plates = [name for name in layout.batch if name in tables[0].names]
            plates = [name for name in plates if name not in about.names][:1]
            key = [*roles.well_id, *(name for name in roles.batch if name not in about.names)]
            of_rows = dict.fromkeys([*by, *beside, *plates])
            of_metadata = dict.fromkeys([*by, *(name for name in keep if name in about.names)])
            columns = cls(by, tuple(dict.fromkeys(key)), tuple(of_rows), tuple(of_metadata))
        for table in tables:
            for name in columns.of_rows:
                need_column(name, table.names, table.label, "in every file of embeddings")
        return columns


def wells_of_rows(
    tables: Sequence[Table],
    about: Table | None,
    columns: RowColumns,
    roles: Roles,
    *,
    allow_unmatched: bool,
    allow_duplicates: bool,
) -> tuple[Codes, pd.DataFrame, "pd.Series[Any]"]:
    """Return the well of each row of the tables (-1: none), the wells' columns and their names.

    Raises
    ------
    InputError
        If a row has no name, a well is described in two ways or lies in several files, or wells
        are found in one of two tables only.
    """
    read, rows_each = _rows(tables, columns, roles)
    codes: Codes = np.arange(len(read))
    table = read
    if about is not None:
        codes, table = _with_metadata(read, about, columns, roles, allow_unmatched)
    well = names_of_wells(table, columns.key, roles)
    if well is None:
        names = _row_names(tables, rows_each)
        return codes, table, pd.Series(names, name="well_id", dtype="str")
    check_named(well, "the embeddings")
    of_row, ids = pd.factorize(well)
    codes = np.where(codes >= 0, of_row[codes], -1).astype(np.int64)
    _check_repeats(codes, pd.Series(ids, name=well.name), tables, rows_each, allow_duplicates)
    if len(ids) < len(table):
        table, well = one_row_each(table, well, columns.key)
    if roles.joining is None:
        _warn_of_averages(codes, well)
    return codes, table.reset_index(drop=True), well.reset_index(drop=True)


def names_of_wells(
    table: pd.DataFrame, key: Sequence[str], roles: Roles
) -> "pd.Series[Any] | None":
    """Return the names of wells by the columns of a key; None where each row is a well.

    That is where there is no key, or where nobody named the usual one and it lacks values.
    """
    well = key_of(table, key) if key else None
    return None if well is None or (roles.usual_key and is_missing(well).any()) else well


def _rows(
    tables: Sequence[Table], columns: RowColumns, roles: Roles
) -> tuple[pd.DataFrame, list[int]]:
    """Return the columns of all rows, and how many rows each table has."""
    text = set(roles.columns()) | set(columns.by)
    wanted = columns.of_rows

    def read(table: Table) -> list[pa.Table]:
        return [part.table for part in table.parts(wanted, text=text)]

    each = list(of_each(read, tables))
    rows_each = [sum(part.num_rows for part in parts) for parts in each]
    parts = [part for part in chain.from_iterable(each) if part.num_rows]
    if not parts:
        raise InputError(f"{tables[0].label} has no rows")
    frame = frame_of(together(parts))
    return frame, rows_each


def _with_metadata(
    read: pd.DataFrame,
    about: Table,
    columns: RowColumns,
    roles: Roles,
    allow_unmatched: bool,
) -> tuple[Codes, pd.DataFrame]:
    """Return which row of the joined metadata each row of the embeddings is of."""
    named = key_of(read, columns.by)
    check_named(named, "the embeddings")
    beside = [name for name in columns.of_rows if name not in columns.by]
    if beside:
        grouped = comparable(read).groupby(
            list(columns.of_rows), sort=False, dropna=False, observed=True
        )
        of_row: NDArray[Any] = grouped.ngroup().to_numpy()
        first = np.unique(of_row, return_index=True)[1]
        ids, of_rows = pd.Index(named.iloc[first]), read[beside].iloc[first]
    else:
        of_row, values = pd.factorize(named)
        ids, of_rows = pd.Index(values), None
    text = roles.columns()
    described = frame_of(about.read(columns.of_metadata, text=text))
    matched, table = join(ids, described, columns.by, about.label, allow_unmatched)
    if roles.joining is not None:  # one of several of a well
        table = table.drop(columns=roles.joining)
    if of_rows is not None:
        of_rows = of_rows[matched].reset_index(drop=True)
        table = table.assign(**{name: of_rows[name] for name in beside})
    number = np.where(matched, np.cumsum(matched) - 1, -1)
    codes: Codes = number[of_row]
    return codes, table


def _row_names(tables: Sequence[Table], rows_each: Sequence[int]) -> list[str]:
    files = [f"{table.label} " if len(tables) > 1 else "" for table in tables]
    return [
        f"{file}row {row + 1}"
        for file, rows in zip(files, rows_each, strict=True)
        for row in range(rows)
    ]


def _check_repeats(
    codes: Codes,
    well: "pd.Series[Any]",
    tables: Sequence[Table],
    rows_each: Sequence[int],
    allow_duplicates: bool,
) -> None:
    """Raise where rows of a well lie in several tables, unless that is allowed."""
    used = codes >= 0
    if allow_duplicates or len(tables) == 1 or int(used.sum()) == len(well):
        return
    of_table = np.repeat(np.arange(len(tables)), rows_each)
    first = np.full(len(well), -1)
    first[codes[used][::-1]] = of_table[used][::-1]
    elsewhere = np.flatnonzero(used & (first[codes] != of_table))
    if len(elsewhere):
        row = int(elsewhere[0])
        both = [tables[first[codes[row]]].label, tables[of_table[row]].label]
        wells = len(np.unique(codes[elsewhere]))
        raise InputError(
            f"{wells:,} wells are in several files (first: well {well.iloc[codes[row]]!r} is in "
            f"{both[0]!r} and in {both[1]!r}), and would count twice; leave one file out, or "
            "average their rows (allow_duplicates=True)"
        )


def _warn_of_averages(codes: Codes, well: "pd.Series[Any]") -> None:
    """Say how many rows are averaged, since they are of one well."""
    rows = np.bincount(codes[codes >= 0], minlength=len(well))
    several = rows > 1
    if several.any():
        warnings.warn(
            f"{int(rows[several].sum()):,} rows are averaged into {int(several.sum()):,} wells, "
            f"since they have the same {well.name!r} (first: {well[several].iloc[0]!r}); if they "
            "are different wells, name wells by more columns (well_id=)",
            LabelsWarning,
            stacklevel=level_outside(),
        )
