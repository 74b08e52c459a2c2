"""Columns whose values are several: lists, or texts in which a separator parts them."""

import warnings
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from wellgram.errors import InputError, LabelsWarning
from wellgram.estimators.call_sites import level_outside
from wellgram.label_rules.missing_labels import is_missing, without_missing

_SEPARATORS = "|;,"
_LISTS = (list, tuple, set, frozenset, np.ndarray)


def first_list(column: "pd.Series[Any]") -> Collection[Any] | None:
    """Return the first value that is a list, a tuple, a set or an array; None if there is none."""
    if column.dtype != object:
        return None
    return next((value for value in column if isinstance(value, _LISTS)), None)


def split_values(column: "pd.Series[Any]", separator: str | None = None) -> "pd.Series[str]":
    """Return the single values of a column as texts, each once for a row.

    Parameters
    ----------
    column
        (n,) values, lists of values, or texts in which a separator parts values.
    separator
        What parts values in a text; None: a text is one value.

    Returns
    -------
    pandas.Series
        Values without blanks around them, those that are missing left out; the index says which
        row, from 0 on, has each.

    Raises
    ------
    InputError
        If the separator is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> split_values(pd.Series(["a|b", "b", ["c", "c"], ""]), "|").to_dict()
    {0: 'b', 1: 'b', 2: 'c'}
    """
    if separator is not None and not separator:
        raise InputError("the separator of values is empty; give one such as '|'")
    values = column.reset_index(drop=True).astype(object)
    values = values.map(lambda value: list(value) if isinstance(value, _LISTS) else value)
    single = values.explode().dropna().astype("str")
    if separator is not None:
        single = single.str.split(separator, regex=False).explode()
    single = without_missing(single.str.strip()).dropna()
    again = pd.DataFrame({"row": single.index, "value": single.to_numpy()}).duplicated()
    return single[~again.to_numpy()]


def warn_of_separator(column: "pd.Series[Any]", name: str, remedy: str) -> None:
    """Warn if texts look like several values: what a separator parts is a value of its own too.

    Parameters
    ----------
    column
        The values; those that are no text are passed over.
    name
        Of the column.
    remedy
        What to give, with ``{separator!r}`` where the separator goes.
    """
    if pd.api.types.is_numeric_dtype(column.dtype) or first_list(column) is not None:
        return
    texts = {value for value in column[~is_missing(column)].unique() if isinstance(value, str)}
    whole = {text.strip() for text in texts}
    for separator in _SEPARATORS:
        for text in sorted(text for text in texts if separator in text):
            part = next((p for p in map(str.strip, text.split(separator)) if p in whole), None)
            if part is not None:
                count = sum(separator in other for other in texts)
                warnings.warn(
                    f"{count:,} of {len(texts):,} values of {name!r} hold {separator!r}, and parts "
                    f"of them are values too ({text!r} and {part!r}): if they are several values, "
                    f"{remedy.format(separator=separator)}",
                    LabelsWarning,
                    stacklevel=level_outside(),
                )
                return
