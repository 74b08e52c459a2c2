"""Figures as words, for tables that people read."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd


def interval_words(
    row: "Mapping[Hashable, Any] | pd.Series[Any]", prefix: str = "", *, percent: bool = False
) -> str:
    """Return the 95 % interval of a row of a table, or a dash where it has none."""
    low, high = (row.get(f"{prefix}ci_{end}", math.nan) for end in ("low", "high"))
    if math.isnan(low):
        return "-"
    return f"{low:.1%}-{high:.1%}" if percent else f"{low:.3f}-{high:.3f}"


def number_words(value: float | None) -> str:
    """Return a number with three decimals, or a dash for none."""
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"
