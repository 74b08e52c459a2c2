"""Several columns as one key: plate and well, source and plate, dose and unit."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import pandas as pd

from wellgram.label_rules.missing_labels import is_missing

Columns: TypeAlias = str | Sequence[str]
"""The name of a column, or the names of several that make one key"""


def as_columns(given: Columns | None) -> tuple[str, ...]:
    """Return the names of one column or several, each once."""
    if given is None:
        return ()
    alone = isinstance(given, str) or not isinstance(given, Iterable)
    return (str(given),) if alone else tuple(dict.fromkeys(map(str, given)))


def key_of(table: pd.DataFrame, columns: Sequence[str], joint: str = "/") -> "pd.Series[Any]":
    """Return one column as it is, or several as text, such as ``P1/A01``.

    It is missing where one of several has no value. Different values never make the same key.
    """
    if len(columns) == 1:
        return table[columns[0]]
    parts = table[list(columns)]
    codes = parts.groupby(list(columns), sort=False, dropna=False, observed=True).ngroup()
    each = parts.loc[~codes.duplicated().to_numpy()]
    escaped = [_escaped(each[column].astype("str"), joint) for column in columns]
    keys = escaped[0]
    for part in escaped[1:]:
        keys = keys + joint + part
    for column in columns:
        keys = keys.mask(is_missing(each[column]))
    key = keys.take(codes.to_numpy()).set_axis(table.index)
    return key.rename(" + ".join(columns))


def _escaped(part: "pd.Series[str]", joint: str) -> "pd.Series[str]":
    return part.str.replace("\\", "\\\\").str.replace(joint, "\\" + joint)
