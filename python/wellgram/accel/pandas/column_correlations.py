"""``DataFrame.corr`` of pandas: matrix products in place of a loop over pairs of columns."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.pandas.complete_pairs import correlations
from wellgram.accel.pandas.spearman_correlations import rank_correlations

_LEAST_PRODUCTS = {"pearson": 1 << 21, "spearman": 1 << 25}
"""A table of fewer multiply-adds is done before ours has begun"""


def of_numbers(self: Any, method: Any, min_periods: Any, numeric_only: Any) -> None:
    """Decline unless all columns are real numbers of NumPy's types, and many."""
    if type(self) is not pd.DataFrame:
        raise Declined("it is no plain table")
    if type(method) is not str or method not in ("pearson", "spearman"):
        raise Declined("the method is another than pearson and spearman")
    if type(min_periods) is not int or type(numeric_only) is not bool:
        raise Declined("an option is of another type")
    kinds = self.dtypes[_numeric(self)] if numeric_only else self.dtypes
    if not all(isinstance(kind, np.dtype) and kind.kind in "iufb" for kind in kinds):
        raise Declined("a column holds no real numbers of NumPy's types")
    check_amount(len(self) * self.shape[1] ** 2, _LEAST_PRODUCTS[method])


def correlate_columns(
    self: pd.DataFrame,
    method: str = "pearson",
    min_periods: int = 1,
    numeric_only: bool = False,
) -> pd.DataFrame:
    """Return the correlations of all columns, over the rows that have values in both."""
    data = self.loc[:, _numeric(self)] if numeric_only else self
    values = data.to_numpy(dtype=float, na_value=np.nan, copy=False)
    if values.size == 0:
        raise Declined("there are no numbers")
    check_amount(values.size * values.shape[1], _LEAST_PRODUCTS[method])
    compute = correlations if method == "pearson" else rank_correlations
    matrix = compute(values, min_periods)
    columns = data.columns
    table = pd.DataFrame(matrix, index=columns.copy(), columns=columns, copy=False)
    # Attributes and flags; the stubs of pandas lack it.
    return table.__finalize__(self, method="corr")  # type: ignore[no-any-return, operator]


def _numeric(table: pd.DataFrame) -> list[bool]:
    """Return which columns hold numbers."""
    return [pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]
