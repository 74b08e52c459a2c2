"""Rows of length 1 whose sums are the same in any order."""

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.protocol import Rows

_STEP_BITS = 30
"""Values are whole numbers of 2^-30: float64 adds up 2^23 of them without rounding"""
_ROWS_AT_ONCE = 1 << 12


def exact_unit_rows(rows: Rows) -> Rows:
    """Return rows (n, d) scaled to length 1; those of zeros stay zero.

    float32 values are rounded to whole numbers of 2^-30, a fraction of what float32 rounds in a row
    of some hundred features. So sums of them are exact, and equal in whatever order rows are read.
    Of float64 rows, sums are equal but for their last bits.
    """
    unit, _ = get_backend().unit_rows(rows)
    if unit.dtype != np.float32:
        return unit
    for first in range(0, len(unit), _ROWS_AT_ONCE):
        some = unit[first : first + _ROWS_AT_ONCE]
        some *= np.float32(2.0**_STEP_BITS)
        np.rint(some, out=some)
        some *= np.float32(2.0**-_STEP_BITS)
    return unit
