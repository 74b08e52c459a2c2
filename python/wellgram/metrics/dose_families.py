"""Doses of a compound as one family of tests, for false discovery rates in two stages."""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes
from wellgram.errors import ColumnMissing, InputError
from wellgram.nulls import FDR, FamilyP, benjamini_hochberg, hierarchical_fdr
from wellgram.wells import KEYS


def check_fdr(fdr: FDR, columns: Sequence[str]) -> None:
    """Raise unless rates can be made so of tests that these columns name.

    Raises
    ------
    InputError
        If the kind of rates is unknown, or no column or nothing but a column says the dose.
    """
    if fdr not in get_args(FDR):
        known = " or ".join(map(repr, get_args(FDR)))
        raise InputError(f"unknown false discovery rates {fdr!r}; choose {known}")
    if fdr == "flat":
        return
    if "dose" not in columns or len(columns) < 2:
        named = ", ".join(map(repr, columns))
        raise ColumnMissing(
            f"hierarchical rates are of doses within a compound, but tests are named by {named}; "
            "name the dose (dose= of the screen, sameby= of average precision), or choose "
            "fdr='flat'"
        )


def with_rates(
    table: pd.DataFrame, fdr: FDR, family_p: FamilyP, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return a table of tests with their false discovery rates, ``q_value``.

    Hierarchical ones are by families that differ in the dose alone, whose rates are put beside:
    ``family_p_value`` and ``family_q_value``.

    Parameters
    ----------
    table
        A row per test, with ``p_value``.
    fdr, family_p
        See `wellgram.nulls.hierarchical_fdr`.
    columns
        Those that name a test; None: as a map has them.
    """
    p = table["p_value"].to_numpy(np.float64)
    if fdr == "flat":
        return table.assign(q_value=benjamini_hochberg(p))
    named = [name for name in KEYS if name in table] if columns is None else columns
    check_fdr(fdr, list(named))
    of = [name for name in named if name != "dose"]
    grouped = table.groupby(of, dropna=False, sort=False, observed=True)
    families: Codes = grouped.ngroup().to_numpy().astype(np.int64)
    rates = hierarchical_fdr(p, families, family_p=family_p)
    return table.assign(
        q_value=rates.q, family_p_value=rates.family_p, family_q_value=rates.family_q
    )
