"""False discovery rates in two stages: of families of tests, then of the tests within them."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from wellgram.backends.checks import as_numbers
from wellgram.backends.number_checks import check_number
from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import InputError
from wellgram.nulls.pvalues import benjamini_hochberg

FamilyP = Literal["simes", "bonferroni", "min"]
"""How the p-values of a family's k tests, ascending, make one: the least of ``k p_i / i`` (Simes
1986), ``k p_1``, or ``p_1`` alone"""

FDR = Literal["flat", "hierarchical"]
"""Whether all tests are corrected as one family, or doses as families of their compounds"""


@dataclass(frozen=True)
class HierarchicalRates:
    """Of each test (m,) its false discovery rate within its family, and what became of that."""

    q: Floats
    """1 in families that are not selected"""
    family_p: Floats
    family_q: Floats
    selected: NDArray[np.bool_]


def hierarchical_fdr(
    p: ArrayLike, families: Codes, *, family_p: FamilyP = "simes", level: float = 0.05
) -> HierarchicalRates:
    """Return false discovery rates in two stages, such as of compounds and then of their doses.

    Each family of tests gets one p-value, and these are corrected by Benjamini and Hochberg. In
    families with a rate up to the level, tests are corrected by the same among themselves; in
    others the rate is 1. With ``family_p="min"`` this is copairs' ``hierarchical_by`` (0.5.4,
    ``copairs/map/hierarchical_fdr.py``). The least of k uniform p-values is below 0.05 with
    probability ``1 - 0.95^k``, 34 % of eight doses: that null families are selected is then no
    longer rare. ``"bonferroni"`` keeps the promise always, ``"simes"`` also where tests are
    independent or depend positively on each other, and it finds more.

    Parameters
    ----------
    p
        (m,) p-values; a NaN stays one, and does not count as a test.
    families
        (m,) the family of each, as codes; -1: a family of its own.
    family_p
        How p-values of a family make one.
    level
        Up to which rate a family is selected.

    Raises
    ------
    InputError
        If a p-value is no number or not in [0, 1], lengths differ, or a parameter is out of range.
    """
    if family_p not in get_args(FamilyP):
        known = " or ".join(map(repr, get_args(FamilyP)))
        raise InputError(f"unknown p-value of a family {family_p!r}; choose {known}")
    check_number(level, "level")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, not {level}")
    given, codes = as_numbers(p, "p"), np.asarray(families, np.int64)
    if given.shape != codes.shape or given.ndim != 1:
        raise InputError(f"there are {given.size} p-values but {codes.size} families")
    alone = codes < 0
    codes = np.where(alone, codes.max(initial=-1) + 1 + np.cumsum(alone), codes)
    codes = np.unique(codes, return_inverse=True)[1]
    benjamini_hochberg(given)  # raises unless these are p-values
    tested = np.flatnonzero(~np.isnan(given))
    count = int(codes.max(initial=-1)) + 1
    of_family = _family_p(given[tested], codes[tested], count, family_p)
    rates = benjamini_hochberg(of_family)
    selected = rates <= level
    q = np.full(len(given), np.nan)
    q[tested] = np.where(selected[codes[tested]], _within(given[tested], codes[tested]), 1.0)
    return HierarchicalRates(q, of_family[codes], rates[codes], selected[codes])


def _family_p(p: Floats, codes: Codes, count: int, kind: FamilyP) -> Floats:
    """Return one p-value per family (g,), NaN where it has no test."""
    combined = np.full(count, np.nan)
    sizes = np.bincount(codes, minlength=count)
    if kind == "simes":
        np.fmin.at(combined, codes, p * sizes[codes] / _ranks(p, codes))
    else:
        np.fmin.at(combined, codes, p)
        if kind == "bonferroni":
            combined = combined * sizes
    return np.asarray(np.minimum(combined, 1))


def _ranks(p: Floats, codes: Codes) -> Floats:
    """Return the place (m,) of each p-value in its family, ascending, from 1."""
    order = np.lexsort((p, codes))
    starts = np.searchsorted(codes[order], codes[order], side="left")
    ranks = np.empty(len(p))
    ranks[order] = np.arange(len(p)) - starts + 1
    return ranks


def _within(p: Floats, codes: Codes) -> Floats:
    """Return the rates (m,) of tests among those of their family, by Benjamini and Hochberg."""
    scaled = pd.Series(p * np.bincount(codes)[codes] / _ranks(p, codes))
    order = np.lexsort((p, codes))[::-1]  # each is the least of those from its place on
    rates = np.empty(len(p))
    rates[order] = scaled.iloc[order].groupby(codes[order]).cummin()
    return np.asarray(np.minimum(rates, 1))
