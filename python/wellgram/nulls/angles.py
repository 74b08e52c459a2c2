"""Mean angles of sets of rows, and of random ones: they need the pairs, as cosines do not."""

from collections.abc import Sequence

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.number_checks import check_whole, checked_wholes
from wellgram.backends.protocol import Codes, Floats, Rows

_VALUES_AT_ONCE = 1 << 24
"""How many values of rows or pairs are held at a time"""


def mean_angles(unit: Rows, codes: Codes, groups: int) -> Floats:
    """Return the mean angle (g,), in radians, of all pairs of rows of each group; NaN below two.

    Parameters
    ----------
    unit
        Rows (n, d) of length 1.
    codes, groups
        The group (n,) of each row, -1 for none, and how many groups there are.
    """
    check_whole(groups, "groups")
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(groups + 1))
    means = np.full(groups, np.nan)
    for g in np.flatnonzero(np.diff(bounds) > 1):
        rows = unit[order[bounds[g] : bounds[g + 1]]].astype(np.float64)
        k, step = len(rows), max(1, _VALUES_AT_ONCE // len(rows))
        above = (
            np.arccos(np.clip(rows[first : first + step] @ rows.T, -1, 1))[
                np.arange(first, min(k, first + step))[:, None] < np.arange(k)
            ].sum()
            for first in range(0, k, step)
        )
        means[g] = sum(above) / (k * (k - 1) / 2)
    return means


def mean_angle_null(
    unit: Rows, strata: Sequence[Codes], taken: Sequence[int], draws: int, *, seed: int, stream: int
) -> Floats:
    """Return the mean angles (draws,) of random sets with so many rows of each stratum.

    The sets are those of `Backend.null_means`; every pair of each is made.
    """
    taken = checked_wholes(taken, "taken")
    check_whole(draws, "draws")
    sizes = [len(own) for own in strata]
    drawn = get_backend().random_subsets(sizes, taken, draws, seed=seed, stream=stream)
    parts = np.split(drawn, np.cumsum(taken)[:-1], axis=1)
    sets = np.concatenate([own[of] for own, of in zip(strata, parts, strict=True)], axis=1)
    size = sets.shape[1]
    step = max(1, _VALUES_AT_ONCE // (size * max(size, unit.shape[1])))
    i, j = np.triu_indices(size, 1)
    means = np.empty(draws)
    for first in range(0, draws, step):
        rows = unit[sets[first : first + step]].astype(np.float64)
        cosines = (rows @ rows.transpose(0, 2, 1))[:, i, j]
        means[first : first + step] = np.arccos(np.clip(cosines, -1, 1)).mean(axis=1)
    return means
