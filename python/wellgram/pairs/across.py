"""The most similar partners of every row among the rows of other groups."""

from itertools import pairwise

import numpy as np

from wellgram.backends import get_backend, takes_backend
from wellgram.backends.consumers import Extent, Nearest, NearestFound
from wellgram.backends.number_checks import check_whole
from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.errors import InputError
from wellgram.pairs.unit_rows import unit_embeddings


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
    ordered = groups[order]
    starts = [0, *(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist(), len(x)]
    if len(starts) < 3:
        raise InputError("all rows are of one group: there are no others to look in")
    unit = unit_embeddings(x[order])
    consumer, n = Nearest(k), len(x)
    run = get_backend().pair_scan([consumer], Extent(n), unit.dtype)
    left = sum((end - first) * (n - end) for first, end in pairwise(starts))
    done = 0
    for first, end in list(pairwise(starts))[:-1]:
        size = (end - first) * (n - end)
        part = part_of(progress, done / left, size / left)
        run.add(unit[first:end], unit[end:], first, end, part)
        done += size
    (state,) = run.states()
    found = consumer.finish(state)
    most, cosines = np.empty_like(found.nearest), np.empty_like(found.nearest_cosines)
    most[order] = np.where(found.nearest >= 0, order[found.nearest], -1)
    cosines[order] = np.clip(found.nearest_cosines, -1, 1)  # those of equal rows may be past 1
    return NearestFound(most, cosines, found.farthest, found.farthest_cosines)
