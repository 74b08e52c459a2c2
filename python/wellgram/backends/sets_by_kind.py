"""`kind_means` and `kind_distances` by other primitives: the sets of one kind after another.

What a backend without loops of its own for them has; the processor's adds rows and makes distances
once for all kinds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from wellgram.backends.protocol import Codes, Floats, Progress, Rows, SetKinds

_ROWS_AT_ONCE = 1 << 15
"""How many rows of random sets are put together at a time"""


@dataclass(frozen=True)
class SetPrimitives:
    """The primitives of a backend that sets are drawn and scored by."""

    random_subsets: Callable[..., Codes]
    group_sums: Callable[[Rows, Codes, Floats], None]
    group_distances: Callable[[Rows, Codes, int], Floats]


def means_by_kind(
    run: SetPrimitives,
    x: Rows,
    kinds: SetKinds,
    draws: int,
    seed: int,
    first: int,
    progress: Progress | None,
) -> Floats:
    """See `Kernels.kind_means`."""
    means = np.empty((kinds.count, draws))
    for kind, place, sets in _sets(run, kinds, draws, seed, first, progress):
        k = sets.shape[1]
        sums = np.zeros((len(sets), x.shape[1]))
        run.group_sums(x[sets.ravel()], np.repeat(np.arange(len(sets)), k), sums)
        mean = (np.square(sums).sum(axis=1) - k) / (k * (k - 1))
        means[kind, place] = np.rint(mean * 2.0**40) / 2.0**40
    return means


def distances_by_kind(
    run: SetPrimitives,
    x: Rows,
    kinds: SetKinds,
    draws: int,
    seed: int,
    first: int,
    progress: Progress | None,
) -> Floats:
    """See `Kernels.kind_distances`."""
    sums = np.empty((kinds.count, draws))
    for kind, place, sets in _sets(run, kinds, draws, seed, first, progress):
        codes = np.repeat(np.arange(len(sets)), sets.shape[1])
        sums[kind, place] = run.group_distances(x[sets.ravel()], codes, len(sets))
    return sums


def _sets(
    run: SetPrimitives,
    kinds: SetKinds,
    draws: int,
    seed: int,
    first: int,
    progress: Progress | None,
) -> Iterator[tuple[int, slice, Codes]]:
    """Yield a kind, some of its draws, and the rows of those sets (draws, size)."""
    pools = np.split(kinds.pool, np.cumsum(kinds.strata)[:-1])
    most = np.zeros(len(pools), np.int64)
    np.maximum.at(most, kinds.stratum, kinds.taken)
    drawn = {
        s: pools[s][
            run.random_subsets(
                [len(pools[s])],
                [int(most[s])],
                draws,
                seed=seed,
                stream=kinds.streams[s],
                first=first,
            )
        ]
        for s in np.flatnonzero(most).tolist()
    }
    for kind in range(kinds.count):
        parts = range(*kinds.starts[kind : kind + 2])
        sets = np.concatenate([drawn[kinds.stratum[p]][:, : kinds.taken[p]] for p in parts], axis=1)
        step = max(1, _ROWS_AT_ONCE // sets.shape[1])
        for begin in range(0, draws, step):
            place = slice(begin, min(draws, begin + step))
            yield kind, place, sets[place]
        if progress is not None:
            progress((kind + 1) / kinds.count)
