"""Pearson correlations of columns, each over the rows in which both have a value."""

from typing import NamedTuple

import numpy as np

from wellgram.accel.declined import Declined
from wellgram.backends.protocol import Floats

_LARGEST = 1e140
"""Squares of numbers beyond it may overflow"""
_LEAST_SPREAD = 1e-6
"""A column that varies by a smaller share of its largest value keeps too few digits"""
_LEAST_VARIANCE = 1e-6
"""The share of a column's variance that a part of its rows must keep, for the same reason"""


class Columns(NamedTuple):
    """Columns about their means, of spread 1; those that do not vary are 0."""

    values: Floats
    """0 where a value is missing"""
    known: Floats
    """Where there is a value, as 1.0"""


def correlations(values: Floats, least: int) -> Floats:
    """Return the correlations (k, k) of the columns of values (n, k), as pandas defines them.

    NaN where a pair has fewer complete rows than the least number, or a column does not vary.
    Values that are not finite are missing.

    Raises
    ------
    Declined
        If the digits of the numbers do not suffice for products.
    """
    known = np.isfinite(values)
    complete = np.asarray(known.all(axis=0))
    columns = _standardized(values, known)
    k = values.shape[1]
    whole = columns.values[:, complete]
    out = np.empty((k, k))
    if complete.all():
        out[:] = _of_complete(whole, least)
        return out
    out[np.ix_(complete, complete)] = _of_complete(whole, least)
    some = Columns(columns.values[:, ~complete].T, columns.known[:, ~complete].T)
    out[np.ix_(~complete, complete)] = _with_complete(some, whole, least)
    out[np.ix_(complete, ~complete)] = out[np.ix_(~complete, complete)].T
    out[np.ix_(~complete, ~complete)] = _of_incomplete(some, least)
    return out


def _standardized(values: Floats, known: np.ndarray) -> Columns:
    counts = np.maximum(known.sum(axis=0), 1)
    filled = values.copy() if known.all() else np.where(known, values, 0.0)
    largest = np.maximum(filled.max(axis=0), -filled.min(axis=0))
    if largest.max() > _LARGEST:
        raise Declined("the squares of numbers are too large")
    constant = _constant(filled, known)
    filled -= filled.sum(axis=0) / counts
    if not known.all():
        filled[~known] = 0
    spread = np.sqrt(np.einsum("ij,ij->j", filled, filled) / counts)
    if (~constant & (spread < _LEAST_SPREAD * largest)).any():
        raise Declined("a column hardly varies")
    filled *= np.where(constant, 0.0, 1 / np.where(constant, 1.0, spread))
    return Columns(filled, known.astype(np.float64))


def _constant(filled: Floats, known: np.ndarray) -> np.ndarray:
    """Return which columns hold no two values that differ."""
    if known.all():
        return np.asarray(filled.min(axis=0) == filled.max(axis=0))
    low = np.where(known, filled, np.inf).min(axis=0)
    return np.asarray(low >= np.where(known, filled, -np.inf).max(axis=0))


def _of_complete(values: Floats, least: int) -> Floats:
    """Return the correlations of columns without missing values."""
    n, k = values.shape
    if n < least:
        return np.full((k, k), np.nan)
    varying = values.any(axis=0)
    products = values.T @ values
    products /= n
    np.clip(products, -1, 1, out=products)
    np.fill_diagonal(products, 1.0)
    products[~varying] = np.nan
    products[:, ~varying] = np.nan
    return products


def _with_complete(some: Columns, whole: Floats, least: int) -> Floats:
    """Return the correlations of columns, as rows, with columns that have all values."""
    counts = np.maximum(some.known.sum(axis=1), 1)[:, None]
    sums = some.known @ whole
    spread = np.square(some.values).sum(axis=1)[:, None]
    spread_too = some.known @ np.square(whole) - np.square(sums) / counts
    # The mean of each column over its own rows is 0.
    asked = (counts >= max(least, 2)) & np.outer(some.values.any(axis=1), whole.any(axis=0))
    return _quotients(some.values @ whole, spread, spread_too, asked, counts)


def _of_incomplete(some: Columns, least: int) -> Floats:
    """Return the correlations of columns, as rows, over the rows complete in both."""
    counts = some.known @ some.known.T
    sums = some.values @ some.known.T
    spread = np.square(some.values) @ some.known.T - np.square(sums) / np.maximum(counts, 1)
    products = some.values @ some.values.T - sums * sums.T / np.maximum(counts, 1)
    varying = some.values.any(axis=1)
    asked = (counts >= max(least, 2)) & np.outer(varying, varying)
    found = _quotients(products, spread, spread.T, asked, counts)
    np.fill_diagonal(found, np.where(np.isnan(found.diagonal()), np.nan, 1.0))
    return found


def _quotients(
    products: Floats, spread: Floats, spread_too: Floats, asked: np.ndarray, counts: Floats
) -> Floats:
    """Divide sums of products by the roots of those of squares; NaN for pairs not asked for.

    All are about the means of the complete rows, of which there are so many.
    """
    if (asked & (np.minimum(spread, spread_too) < _LEAST_VARIANCE * counts)).any():
        raise Declined("a column hardly varies in the rows that are complete in another too")
    with np.errstate(divide="ignore", invalid="ignore"):
        found = products / np.sqrt(spread * spread_too)
    found[~asked] = np.nan
    return np.asarray(np.clip(found, -1, 1, out=found))
