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
    """(n, k), 0 where a value is missing"""
    known: np.ndarray
    """(n, k): where there is a value, as 1.0"""


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
    out[~complete] = _of_incomplete(columns, ~complete, least)
    out[:, ~complete] = out[~complete].T
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


def _of_incomplete(columns: Columns, some: np.ndarray, least: int) -> Floats:
    """Return the correlations of some columns with all, over the rows complete in both."""
    x, known = columns.values[:, some].T, columns.known[:, some].T
    y, known_too = columns.values, columns.known
    counts = known @ known_too
    at_least_one = np.maximum(counts, 1)
    sums, sums_too = x @ known_too, known @ y
    spread = np.square(x) @ known_too - np.square(sums) / at_least_one
    spread_too = known @ np.square(y) - np.square(sums_too) / at_least_one
    varying, varying_too = np.asarray(x.any(axis=1)), np.asarray(y.any(axis=0))
    asked = (counts >= max(least, 2)) & varying[:, None] & varying_too
    smallest = np.minimum(spread, spread_too)
    if (asked & (smallest < _LEAST_VARIANCE * at_least_one)).any():
        raise Declined("a column hardly varies in the rows that are complete in another too")
    products = x @ y - sums * sums_too / at_least_one
    with np.errstate(divide="ignore", invalid="ignore"):
        products /= np.sqrt(spread * spread_too)
    np.clip(products, -1, 1, out=products)
    products[~asked] = np.nan
    places = np.flatnonzero(some)
    itself = products[np.arange(len(places)), places]
    products[np.arange(len(places)), places] = np.where(np.isnan(itself), np.nan, 1.0)
    return np.asarray(products)
