"""Work on labels, of which there are few, instead of on wells, of which there are many."""

from collections.abc import Callable
from typing import Any

import pandas as pd


def by_value(
    column: "pd.Series[Any]", of: "Callable[[pd.Series[Any]], pd.Series[Any]]"
) -> "pd.Series[Any]":
    """Return a function of each element, worked out once for each value there is."""
    codes, values = pd.factorize(column, use_na_sentinel=False)
    found = of(pd.Series(values, dtype=column.dtype))
    return found.take(codes).set_axis(column.index)
