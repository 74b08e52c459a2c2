"""The most similar partners of every row among the rows of other groups."""

import numpy as np

from wellgram.backends import takes_backend
from wellgram.backends.consumers import Nearest, NearestFound
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.errors import InputError
from wellgram.pairs.groups_apart import GroupsApart
from wellgram.pairs.scanning import scan
from wellgram.pairs.unit_rows import UnitRows


@takes_backend
def neighbors_across(
    x: Rows,
    groups: Codes,
    k: int = 1,
    *,
    backend: str | None = None,
    progress: Progress | None = None,
) -> NearestFound:
    """Return the k most similar rows, by cosine, that each row has outside of its own group.

    Rows are sorted by group, and one pass meets each pair of groups once, which serves the rows of
    both; pairs within a group are not met at all.

    Parameters
    ----------
    x
        (n, d), float32 or float64; rows need not have length 1.
    groups
        (n,): the group of each row.
    k
        How many.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the pass that is done.

    Returns
    -------
    NearestFound
        ``nearest`` (n, k), -1 where there are fewer, and ``nearest_cosines`` (n, k). Among equal
        cosines the row of the smaller group comes first, then the smaller row.

    Raises
    ------
    InputError
        If all rows are of one group, or a row is zero or not finite.
    """
    check_whole(k, "k")
    order = np.argsort(groups, kind="stable")
    ordered = np.unique(groups[order], return_inverse=True)[1]
    if not len(ordered) or ordered[-1] == 0:
        raise InputError("all rows are of one group: there are no others to look in")
    apart = GroupsApart(ordered, ordered)
    (found,) = scan(UnitRows(x[order]), None, [Nearest(k)], progress=progress, apart=apart)
    most, cosines = np.empty_like(found.nearest), np.empty_like(found.nearest_cosines)
    most[order] = np.where(found.nearest >= 0, order[found.nearest], -1)
    cosines[order] = np.clip(found.nearest_cosines, -1, 1)  # those of equal rows may be past 1
    return NearestFound(most, cosines, found.farthest, found.farthest_cosines)
