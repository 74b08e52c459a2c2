"""One rule for labels that say nothing, wherever they come from: missing, never a group."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MISSING_TEXTS = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
"""Texts that mean "no value", blanks around them aside: those that `pandas.read_csv` takes so"""

_BLANK_END = "^[^!-~]|[^!-~]$"


def is_missing(labels: "pd.Series[Any]") -> NDArray[np.bool_]:
    """Return which labels have no value (n,): None, NaN, NA, or one of `MISSING_TEXTS`.

    Parameters
    ----------
    labels
        (n,), of any type; a label that is a list has a value.

    Examples
    --------
    >>> import pandas as pd
    >>> is_missing(pd.Series(["TP53", "", " nan", None, "NaCl"])).tolist()
    [False, True, True, True, False]
    """
    missing: NDArray[np.bool_] = np.array(labels.isna(), bool)
    if not _may_hold_text(labels):
        return missing
    if isinstance(labels.dtype, pd.StringDtype):
        return missing | _say_nothing(labels)
    try:
        codes, values = pd.factorize(labels)
    except TypeError:  # lists, which are no keys
        silent = np.fromiter(map(_says_nothing, labels), bool, len(labels))
    else:
        of_values = np.fromiter(map(_says_nothing, values), bool, len(values))
        silent = np.append(of_values, True)[codes]  # code -1: no value
    missing |= silent
    return missing


def without_missing(labels: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return labels with None or NaN in place of every label that has no value."""
    missing = is_missing(labels)
    return labels.mask(missing) if (missing & ~labels.isna().to_numpy(bool)).any() else labels


def _may_hold_text(labels: "pd.Series[Any]") -> bool:
    return not (
        pd.api.types.is_bool_dtype(labels.dtype) or pd.api.types.is_numeric_dtype(labels.dtype)
    )


def _say_nothing(texts: "pd.Series[Any]") -> NDArray[np.bool_]:
    """Return which texts say nothing, of which there may be one for each of millions of wells.

    Only those that begin or end with something else than a visible character of ASCII may have
    blanks around them: these are looked at one by one.
    """
    silent = np.array(texts.isin(MISSING_TEXTS), bool)
    blank = np.flatnonzero(texts.str.contains(_BLANK_END, na=False).to_numpy(bool))
    silent[blank] = np.fromiter(map(_says_nothing, texts.iloc[blank]), bool, len(blank))
    return silent


def _says_nothing(label: object) -> bool:
    return isinstance(label, str) and label.strip() in MISSING_TEXTS
