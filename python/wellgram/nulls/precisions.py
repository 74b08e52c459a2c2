"""Average precisions of random rankings: drawn, or of every ranking there is."""

from itertools import combinations
from math import comb

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Floats
from wellgram.errors import InputError
from wellgram.nulls.subsets import stream_of

_AT_ONCE = 1 << 22
"""How many places of rankings are held at a time"""


def random_precisions(positives: int, total: int, draws: int, *, seed: int = 0) -> Floats:
    """Return the average precisions (draws,) of random rankings.

    Parameters
    ----------
    positives, total
        How many positives there are, and how many in all.
    draws
        How many rankings.
    seed
        Same seed, same rankings; they depend on these numbers alone.

    Raises
    ------
    InputError
        If there are not 1 to `total` positives, or the seed is no whole number.
    """
    check_whole(positives, "positives")
    check_whole(total, "total")
    check_whole(draws, "draws")
    stream = stream_of("average precision", positives, total)
    return get_backend().null_precisions(positives, total, draws, seed=seed, stream=stream)


def every_precision(positives: int, total: int) -> Floats:
    """Return the average precision of each ranking, every one as likely as another.

    Raises
    ------
    InputError
        If there are not 1 to `total` positives.
    """
    check_whole(positives, "positives")
    check_whole(total, "total")
    if not 0 < positives <= total:
        raise InputError(f"a ranking needs 1 to {total} positives, not {positives}")
    t = np.arange(1, positives + 1)
    found = []
    few = min(positives, total - positives)
    sets = combinations(range(total), few)
    at_once = max(1, _AT_ONCE // total)
    count_all = comb(total, positives)
    for first in range(0, count_all, at_once):
        count = min(at_once, count_all - first)
        chosen = np.zeros((count, total), bool)
        for row in chosen:
            row[list(next(sets))] = True
        places = np.nonzero(chosen if few == positives else ~chosen)[1]
        found.append((t / (places.reshape(count, positives) + 1)).mean(axis=1))
    return np.concatenate(found)
