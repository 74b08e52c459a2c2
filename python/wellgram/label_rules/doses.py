"""Doses as numbers of one unit, or, where they are names such as "low", in the order given."""

import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pandas as pd

from wellgram.errors import InputError
from wellgram.label_rules.missing_labels import without_missing

_MOLAR = {"m": "1e6", "mm": "1e3", "um": "1", "nm": "1e-3", "pm": "1e-6"}
_MASS = {"mg/ml": "1e3", "ug/ml": "1", "ng/ml": "1e-3", "pg/ml": "1e-6", "g/l": "1e3", "mg/l": "1"}
_UNITS = {
    unit: (base, Decimal(factor))
    for base, units in (("uM", _MOLAR), ("ug/mL", _MASS), ("%", {"%": "1"}))
    for unit, factor in units.items()
}
"""What a unit, in small letters, is a multiple of"""
_WITH_UNIT = re.compile(r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(\S+)\s*")
_MICRO = str.maketrans({"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u"})


def as_doses(given: "pd.Series[Any]", well_id: "pd.Series[Any]") -> tuple["pd.Series[Any]", str]:
    """Return doses (n,) that can be ordered, and their unit, "" where none is given.

    Numbers stay numbers, exactly. Numbers with a unit (``1 uM``, ``0.1 µM``, ``10nM``) become
    numbers of uM, ug/mL or %. Texts without any number (``low``, ``high``) become categories in the
    order in which they first appear. What has no value is NaN.

    Parameters
    ----------
    given
        (n,) doses as the files have them.
    well_id
        (n,) the names of the wells, for messages.

    Raises
    ------
    InputError
        If some doses are numbers and others are not, if some have a unit and others have none or
        one of another kind, or if a dose is infinite.

    Examples
    --------
    >>> import pandas as pd
    >>> doses, unit = as_doses(pd.Series(["100 nM", "1 µM", None]), pd.Series(["a", "b", "c"]))
    >>> doses.tolist(), unit
    ([0.1, 1.0, nan], 'uM')
    """
    given = without_missing(given)
    codes, values = pd.factorize(given)
    read = [_number_and_unit(value) for value in values]
    if read and all(parsed is None for parsed in read):
        kind = pd.CategoricalDtype([str(value) for value in values], ordered=True)
        return pd.Series(pd.Categorical.from_codes(codes.tolist(), dtype=kind), given.index), ""
    units = Counter(unit for number, unit in filter(None, read) if unit or number)  # 0 has any
    usual = units.most_common(1)[0][0] if units else ""
    wrong = {
        "are not numbers": [parsed is None or not np.isfinite(float(parsed[0])) for parsed in read],
        f"are not in {usual or 'numbers without a unit'}, as the others are": [
            parsed is not None and bool(parsed[0]) and parsed[1] != usual for parsed in read
        ],
    }
    for what, values_wrong in wrong.items():
        wells = np.append(values_wrong, False)[codes].astype(bool)
        if wells.any():
            first = int(np.flatnonzero(wells)[0])
            raise InputError(
                f"{int(wells.sum())} doses {what}: well {well_id.iloc[first]!r} has "
                f"{str(given.iloc[first])!r} in column {given.name!r}; correct them or aggregate "
                "over doses (dose='none')"
            )
    numbers = np.array([*(float(number) for number, _ in filter(None, read)), np.nan])
    return pd.Series(numbers[codes], given.index), usual


def _number_and_unit(value: Any) -> tuple[float | Decimal, str] | None:
    """Return a dose in the base of its unit, and that base; None if it is no number."""
    try:
        return float(value), ""
    except (TypeError, ValueError):
        pass
    parts = _WITH_UNIT.fullmatch(str(value))
    unit = _UNITS.get(parts[2].translate(_MICRO).casefold()) if parts else None
    if parts is None or unit is None:
        return None
    try:
        return Decimal(parts[1]) * unit[1], unit[0]
    except InvalidOperation:
        return None
