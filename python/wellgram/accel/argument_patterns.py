"""The pattern of a call's arguments: what a trial of an untested version holds for.

Two calls have the same pattern if their arguments have the same types, options and missing values;
how many rows there are, and which numbers they hold, does not matter.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd


def argument_pattern(arguments: Mapping[str, Any]) -> Hashable:
    """Return what is alike in calls with arguments of the same kind."""
    return tuple((name, _pattern(value)) for name, value in arguments.items())


def _pattern(value: Any) -> Hashable:
    kind = type(value).__name__
    if value is None or isinstance(value, str | bytes | bool | np.bool_):
        return kind, value  # an option, or the name of a column
    if isinstance(value, int | float | np.number):
        return kind, _number(float(value))
    if isinstance(value, np.ndarray):
        return kind, str(value.dtype), value.ndim, value.size == 0, _missing(value)
    if isinstance(value, pd.DataFrame):
        return kind, _index(value.index), _index(value.columns), _columns(value)
    if isinstance(value, pd.Series):
        return kind, _index(value.index), _column(value)
    if isinstance(value, Mapping):
        return kind, tuple((str(key), _pattern(part)) for key, part in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return kind, _parts(value)
    return kind


def _number(value: float) -> Hashable:
    """Return what sets a number apart: 0, 1, a share, missing, or its sign."""
    if value != value or value in (0.0, 1.0):
        return str(value)
    return value > 0, abs(value) < 1


def _parts(values: Iterable[Any]) -> Hashable:
    """Return the patterns of parts, in their order; of many, which there are."""
    patterns = [_pattern(part) for part in values]
    return tuple(patterns) if len(patterns) <= _MANY else frozenset(patterns)


_MANY = 8
"""Parts whose number and order still make a pattern of their own"""


def _columns(table: pd.DataFrame) -> Hashable:
    """Return names, types and missing values of each column; of many, the types that there are."""
    if table.shape[1] <= _MANY:
        columns = (table.iloc[:, k] for k in range(table.shape[1]))
        return tuple((str(column.name), _column(column)) for column in columns)
    kinds = table.dtypes
    alike = {str(kind): table.loc[:, (kinds == kind).to_numpy()] for kind in kinds.unique()}
    return frozenset((name, bool(part.isna().to_numpy().any())) for name, part in alike.items())


def _column(values: "pd.Series[Any]") -> Hashable:
    return str(values.dtype), _missing(values), _kinds(values)


def _kinds(values: "pd.Series[Any]") -> Hashable:
    """Return the types of objects, which one name of a type does not tell."""
    return frozenset(map(type, values)) if values.dtype == object else None


def _missing(values: Any) -> bool:
    return bool(pd.isna(values).any())


def _index(index: pd.Index) -> Hashable:
    return type(index), str(index.dtype), index.is_unique, index.nlevels, index.name is None
