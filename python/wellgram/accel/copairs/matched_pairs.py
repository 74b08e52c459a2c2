"""Pairs of a Matcher of copairs, where it looks at each pair by itself.

Pairs that are equal in one column come from sets of Python, in their order, and are the original's.
"""

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.stand_ins import plain

Pairs = dict[Any, list[tuple[Any, Any]]]

_LEAST_ROWS = 200
"""With fewer, the original takes a few milliseconds"""


def all_pairs(self: Any, sameby: Any, diffby: Any, original_index: bool = True) -> Pairs:
    """Return the pairs of rows that are equal in some columns and differ in others, by value.

    Without columns to be equal in, all pairs are under None.
    """
    same, different = _columns(self, sameby, diffby)
    named = original_index and self.original_index is not None
    if len(same) == 1 and not named:
        raise Declined("the pairs of one column take the original no longer")
    check_amount(len(self.values), _LEAST_ROWS)
    if not same:
        return {None: _different(self, sorted(different, key=self.col_order.get))}
    if len(same) == 1:
        pairs: Pairs = plain(self._get_all_pairs_single)(same[0], different, [])
    else:
        pairs = _equal_in_several(self, same, different)
    if not named:
        return pairs
    names = [self.original_index[row] for row in range(len(self.values))]
    return {key: _named(some, names) for key, some in pairs.items()}


def _columns(matcher: Any, sameby: Any, diffby: Any) -> tuple[list[str], list[str]]:
    """Return the columns that must be equal and differ, or decline what the original refuses."""
    if isinstance(sameby, Mapping) or isinstance(diffby, Mapping):
        raise Declined("columns are a dict")
    try:
        same, different = matcher._normalize_sameby_diffby(sameby, diffby)
        same, different = matcher._validate_inputs(same, different)
        _composed_key(same["all"])
    except Exception as error:  # which the original raises itself
        raise Declined(str(error)) from None
    return same["all"], different["all"]


def _composed_key(columns: Sequence[str]) -> Any:
    """Return the type of keys that hold a value of each column, as copairs makes it."""
    return namedtuple("ComposedKey", columns, module="copairs.matching")


def _equal_in_several(matcher: Any, columns: list[str], different: list[str]) -> Pairs:
    """Return the pairs that are equal in several columns, by all their values."""
    composed = _composed_key(columns)
    ordered = sorted(columns, key=matcher.col_order.get)
    rest = [matcher.col_to_ix[column] for column in ordered[1:]]
    codes = np.stack([_codes(_values(matcher, column)) for column in ordered[1:]], axis=1)
    pairs: Pairs = {}
    candidates = plain(matcher._get_all_pairs_single)(ordered[0], different, [])
    for key, some in candidates.items():
        ends = _as_array(some)
        same = (codes[ends[:, 0]] == codes[ends[:, 1]]).all(axis=1)
        kept = np.flatnonzero(same)
        first = ends[kept, 0]
        # Pairs of a row follow each other, and have one key.
        starts = np.flatnonzero(np.diff(first, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(kept)], strict=False):
            row = matcher.values[first[start]]  # noqa: PD011  # no table
            values = dict(zip(ordered, (key, *row[rest]), strict=True))
            pairs.setdefault(composed(**values), []).extend(some[k] for k in kept[start:end])
    return pairs


def _different(matcher: Any, columns: Sequence[str]) -> list[tuple[Any, Any]]:
    """Return the pairs that differ in all columns: one value of the first before another."""
    first, *rest = columns
    places = {key: place for place, key in enumerate(matcher.reverse[first])}
    place = np.array([places.get(value, -1) for value in _values(matcher, first)])
    codes = [_codes(_values(matcher, column)) for column in rest]
    rows = np.empty(len(place), object)
    rows[:] = list(np.arange(len(place)))  # numbers of NumPy, as copairs has them
    pairs: list[tuple[Any, Any]] = []
    for row in np.flatnonzero(place >= 0).tolist():
        partner = place > place[row]
        for code in codes:
            partner &= code != code[row]
        pairs += zip(repeat(rows[row]), rows[partner].tolist(), strict=False)
    if not pairs:
        raise Declined("there are no pairs")
    return pairs


def _values(matcher: Any, column: str) -> list[Any]:
    """Return the values of a column, None for those that are missing."""
    values = list(matcher.values[:, matcher.col_to_ix[column]])  # noqa: PD011  # no table
    known = matcher.reverse[column]
    missing = [pd.isna(value) for value in values]
    if any(not isinstance(lacks, bool | np.bool_) for lacks in missing):
        raise Declined(f"values of {column!r} are lists")
    if not all(lacks or value in known for lacks, value in zip(missing, values, strict=True)):
        raise Declined(f"a value of {column!r} is not found again")
    if any(value is None or value is pd.NA for value in values):
        raise Declined(f"a value of {column!r} is None or NA")
    return [None if lacks else value for lacks, value in zip(missing, values, strict=True)]


def _codes(values: list[Any]) -> NDArray[np.int64]:
    """Return the same number for equal values; missing ones, which equal none, have their own."""
    codes: dict[Any, int] = {}
    return np.array(
        [
            -1 - k if value is None else codes.setdefault(value, len(codes))
            for k, value in enumerate(values)
        ]
    )


def _as_array(pairs: list[tuple[Any, Any]]) -> NDArray[np.intp]:
    ends = np.fromiter(chain.from_iterable(pairs), np.intp, 2 * len(pairs))
    return ends.reshape(-1, 2)


def _named(pairs: Iterable[tuple[Any, Any]], names: list[Any]) -> list[tuple[Any, Any]]:
    return [(names[a], names[b]) for a, b in pairs]
