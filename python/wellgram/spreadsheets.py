"""Tables for spreadsheets: no text in them is taken for a formula."""

from typing import Any

import pandas as pd

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters of a cell that a spreadsheet may take for a formula"""


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts no spreadsheet takes for formulas.

    A text that begins as a formula gets an apostrophe before it, as OWASP advises: a spreadsheet
    then shows it as text. What a cell is decides, so the number -1.5 stays, and the text "-1.5"
    gets an apostrophe. Names of columns are texts too.

    Examples
    --------
    >>> without_formulas(pd.DataFrame({"name": ["=1+1", "TP53"], "cosine": [-0.5, 1.0]}))
        name  cosine
    0  '=1+1    -0.5
    1   TP53     1.0
    """
    safe = table.copy(deep=False)
    for place, dtype in enumerate(table.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)):
            column = table.iloc[:, place]
            if any(map(_begins_formula, column)):
                safe.isetitem(place, column.astype(object).map(_as_text).array)
    safe.columns = safe.columns.map(_as_text)
    return safe


def _begins_formula(cell: Any) -> bool:
    return isinstance(cell, str) and cell.startswith(FORMULA_BEGINS)


def _as_text(cell: Any) -> Any:
    return f"'{cell}" if _begins_formula(cell) else cell
