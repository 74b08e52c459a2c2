"""Spearman correlations of columns, each over the rows in which both have a value."""

import numpy as np

from wellgram.accel.declined import Declined
from wellgram.align.parallel import in_parallel
from wellgram.backends.protocol import Codes, Floats

_MOST_PATTERNS = 16
"""Sets of rows with missing values; each column is ranked within the rows of each"""
_COLUMNS_AT_ONCE = 16


def rank_correlations(values: Floats, least: int) -> Floats:
    """Return the correlations (k, k) of the ranks of the columns of values (n, k).

    NaN where a pair has fewer complete rows than the least number, or a column does not vary.
    Values that are not finite are missing.

    Raises
    ------
    Declined
        If columns lack values in too many different sets of rows.
    """
    known = np.isfinite(values)
    patterns, kinds = _patterns(known)
    if len(patterns) > _MOST_PATTERNS:
        raise Declined("values are missing in other rows of nearly every column")
    out = np.empty((values.shape[1],) * 2)
    members = [np.flatnonzero(kinds == p) for p in range(len(patterns))]
    for p, some in enumerate(members):
        for q, others in enumerate(members[: p + 1]):
            rows = np.flatnonzero(patterns[p] & patterns[q])
            found = np.full((len(some), len(others)), np.nan)
            if len(rows) >= max(least, 2):
                left = _centred_ranks(values, rows, some)
                right = left if p == q else _centred_ranks(values, rows, others)
                found = _products(left, right)
            out[np.ix_(some, others)] = found
            out[np.ix_(others, some)] = found.T
    return out


def _patterns(known: np.ndarray) -> tuple[np.ndarray, Codes]:
    """Return the different columns, as rows, and which of them each column is."""
    if known.all():
        return known[:, :1].T, np.zeros(known.shape[1], np.int64)
    packed = np.packbits(known, axis=0).T
    _, first, kinds = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return known[:, first].T, kinds.ravel()


def _products(left: Floats, right: Floats) -> Floats:
    """Return the correlations of ranks about their mean; NaN where all ranks are equal."""
    squares = np.einsum("ij,ij->i", left, left)
    with np.errstate(invalid="ignore"):
        if left is not right:
            squares_too = np.einsum("ij,ij->i", right, right)
            return np.asarray(left @ right.T / np.sqrt(np.outer(squares, squares_too)))
        found = np.asarray(left @ left.T / np.sqrt(np.outer(squares, squares)))
    np.fill_diagonal(found, np.where(squares > 0, 1.0, np.nan))
    return found


def _centred_ranks(values: Floats, rows: Codes, columns: Codes) -> Floats:
    """Return the ranks of the values of each column about their mean, as rows (columns, rows).

    Equal values share the mean of their ranks.
    """
    n, k = len(rows), len(columns)
    whole = n == len(values)
    out = np.empty((k, n))
    places = np.arange(n, dtype=np.float64) - (n - 1) / 2

    def rank(first: int) -> None:
        part = values[:, columns[first : first + _COLUMNS_AT_ONCE]].T
        part = np.ascontiguousarray(part if whole else part[:, rows])
        order = np.argsort(part, axis=1)
        ascending = np.take_along_axis(part, order, axis=1)
        starts = np.ones(part.shape, bool)
        np.not_equal(ascending[:, 1:], ascending[:, :-1], out=starts[:, 1:])
        for c, row in enumerate(starts):
            if row.all():
                out[first + c, order[c]] = places
                continue
            runs = np.flatnonzero(row)
            lengths = np.diff(runs, append=n)
            out[first + c, order[c]] = np.repeat(places[runs] + (lengths - 1) / 2, lengths)

    in_parallel(rank, range(0, k, _COLUMNS_AT_ONCE))
    return out
