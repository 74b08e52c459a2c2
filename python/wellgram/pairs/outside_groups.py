"""The most similar partner of every row among those that share none of several groups with it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import takes_backend
from wellgram.backends.consumers import Matrix
from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.pairs.scanning import scan
from wellgram.pairs.unit_rows import UnitRows

_CHUNK_CELLS = 1 << 25
"""Of the matrix of cosines that are held at a time"""


@takes_backend
def nearest_outside(
    x: Rows,
    groupings: Sequence[Codes],
    *,
    backend: str | None = None,
    progress: Progress | None = None,
) -> tuple[Codes, NDArray[np.floating[Any]]]:
    """Return the most similar row, by cosine, that each row shares no group with.

    The matrix of cosines is made a chunk of rows at a time. `neighbors_across`, for one grouping,
    meets each pair once and keeps several neighbors.

    Parameters
    ----------
    x
        (n, d), float32 or float64; rows need not have length 1.
    groupings
        One or more, each (n,): the group of each row. Two rows that are of one group by any
        grouping are no partners. Codes are whole numbers from 0 on.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of rows that is done.

    Returns
    -------
    nearest, cosines
        (n,) row numbers and (n,) cosines in the type of x: the smallest row number among equal
        cosines; -1 and NaN where a row has no partner.

    Raises
    ------
    InputError
        If a row is zero or not finite.
    """
    rows = UnitRows(x)
    n = rows.n
    members = [_members(groups) for groups in groupings]
    nearest = np.full(n, -1, np.int64)
    cosines = np.full(n, np.nan, rows.dtype)
    height = max(1, _CHUNK_CELLS // max(1, n))
    for first in range(0, n, height):
        some = np.arange(first, min(n, first + height))
        cells = np.empty((len(some), n), rows.dtype)
        scan(rows.some(some), rows, [Matrix(cells)])
        for groups, of_group in zip(groupings, members, strict=True):
            for group in np.unique(groups[some]).tolist():
                cells[np.ix_(groups[some] == group, of_group[group])] = -np.inf
        best = cells.argmax(axis=1)
        value = cells[np.arange(len(some)), best]
        has_partner = value > -np.inf
        nearest[some[has_partner]] = best[has_partner]
        cosines[some[has_partner]] = value[has_partner]
        if progress is not None:
            progress((first + len(some)) / n)
    return nearest, np.clip(cosines, -1, 1)  # rounding carries those of equal rows past 1


def _members(groups: Codes) -> list[Codes]:
    """Return the rows of each group."""
    order = np.argsort(groups, kind="stable")
    ends = np.cumsum(np.bincount(groups))
    return np.split(order, ends[:-1])
