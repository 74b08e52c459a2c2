"""Work on labels, of which there are few, instead of on wells, of which there are many."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def by_value(
    column: "pd.Series[Any]", of: "Callable[[pd.Series[Any]], pd.Series[Any]]"
) -> "pd.Series[Any]":
    """Return a function of each element, worked out once for each value there is."""
    codes, values = pd.factorize(column, use_na_sentinel=False)
    found = of(pd.Series(values, dtype=column.dtype))
    return found.take(codes).set_axis(column.index)


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose columns of lists are columns of tuples, which can be compared."""
    lists = [name for name in frame if _holds_lists(frame[name])]
    return frame.assign(**{str(name): frame[name].map(_as_tuple) for name in lists})


def _holds_lists(column: "pd.Series[Any]") -> bool:
    if column.dtype != object:
        return False
    first = column.dropna().head(1).tolist()
    return bool(first) and isinstance(first[0], list | np.ndarray)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | np.ndarray) else value
