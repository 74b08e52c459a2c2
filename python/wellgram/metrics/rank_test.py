"""The Brunner-Munzel test from ranks of one of two samples, the other too large to be kept."""

from dataclasses import dataclass

import numpy as np

from wellgram.backends.protocol import Codes, Floats


@dataclass(frozen=True)
class BrunnerMunzel:
    """Whether one of x and one of y, drawn at random, are as often the one above the other."""

    probability: float
    """That of x is above that of y; a tie counts half"""
    statistic: float
    """Positive where y is above; as `scipy.stats.brunnermunzel` has it"""
    p_value: float
    """Two-sided, by Student's t"""


def brunner_munzel(x: Floats, below: Codes, up_to: Codes, size: int) -> BrunnerMunzel:
    """Return the test of a sample x (n,) against a sample of `size` others.

    With the placement of a value the number of the other sample below it, ties half, the statistic
    is that of Welch on the mean placements (Brunner and Munzel 2000). The placements of the others
    follow from how many lie between the values of x, so they are never looked at one by one.

    Parameters
    ----------
    x
        The values.
    below, up_to
        (n,) how many of the others are below each value, and how many are not above it.
    size
        How many others there are.
    """
    from scipy.stats import t as student

    n, m = len(x), size
    of_x = (below + up_to) / 2
    # The others between one value and the next, and those equal to a value.
    _, first, times = np.unique(x, return_index=True, return_counts=True)
    own_up_to = np.cumsum(times)
    gaps = np.append(below[first], m) - np.append(0, up_to[first])
    equal = up_to[first] - below[first]
    weights = np.concatenate([gaps, equal]).astype(np.float64)
    placed = np.concatenate([np.append(0, own_up_to), own_up_to - times / 2])
    mean_x, mean_y = of_x.mean(), (weights @ placed) / m
    with np.errstate(invalid="ignore", divide="ignore"):
        spread_x = n * (of_x.var() * n / np.float64(n - 1))
        spread_y = m * (weights @ np.square(placed - mean_y)) / np.float64(m - 1)
        # The mean rank of y among both less that of x.
        shift = (m + 1) / 2 + mean_y - (n + 1) / 2 - mean_x
        statistic = n * m * shift / ((n + m) * np.sqrt(spread_x + spread_y))
        freedom = (spread_x + spread_y) ** 2 / (spread_x**2 / (n - 1) + spread_y**2 / (m - 1))
        p = 2 * student.sf(np.abs(statistic), freedom)
    return BrunnerMunzel(float(mean_x / m), float(statistic), float(p))
