"""Profiles as rows of length 1, whose products are their cosines or their correlations."""

from wellgram.backends import get_backend
from wellgram.backends.protocol import Rows
from wellgram.errors import InputError


def unit_profiles(rows: Rows, similarity: str) -> Rows:
    """Return rows (n, d) of length 1; for ``"correlation"`` each is about its own mean.

    Raises
    ------
    InputError
        If a profile has no direction: it is all zero or, for correlations, the same in all
        features.
    """
    if similarity == "correlation":
        centred = rows - rows.mean(axis=1, keepdims=True, dtype="float64")
        # What rounding leaves of a profile that is the same in all features.
        level = abs(centred).max(axis=1) <= 1e-6 * abs(rows).max(axis=1)
        rows = centred.astype(rows.dtype)
        rows[level] = 0
    unit, zero = get_backend().unit_rows(rows)
    if len(zero):
        what = "the same in all features" if similarity == "correlation" else "nothing but zeros"
        raise InputError(
            f"{len(zero):,} profiles are {what} (first: row {zero[0]}) and have no {similarity}; "
            "leave them out"
        )
    return unit
