"""Scores that equal one of a null but for rounding: of those the original decides."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.backends.protocol import Codes, Floats

Metric = Callable[[int], Any]
_MOST_SHARE = 0.5
"""The share of scores that may be computed as the original does, before it may as well do all"""
_ALWAYS = 10
"""So many may be, however few there are"""


def settled(
    scores: NDArray[np.floating],
    negative: NDArray[np.bool_],
    margin: Floats,
    exact: Callable[[Codes], Metric],
) -> NDArray[np.floating]:
    """Return the scores, those that rounding could move past each other as the original has them.

    Parameters
    ----------
    negative
        Which scores are the null.
    margin
        (scores,) how far each may be from the original's.
    exact
        Takes the places of scores; returns the function of a place that computes its score.
    """
    known = ~np.isnan(scores)
    null, other = np.flatnonzero(negative & known), np.flatnonzero(~negative & known)
    null = null[np.argsort(scores[null])]
    reach = margin[other] + margin[null].max(initial=0)
    first = np.searchsorted(scores[null], scores[other] - reach, side="left")
    last = np.searchsorted(scores[null], scores[other] + reach, side="right")
    touched = np.zeros(len(null) + 1, np.int64)
    np.add.at(touched, first, 1)
    np.add.at(touched, last, -1)
    chosen = np.concatenate([other[first < last], null[np.cumsum(touched[:-1]) > 0]])
    if not len(chosen):
        return scores
    if len(chosen) > max(_ALWAYS, _MOST_SHARE * len(scores)):
        raise Declined("many scores are as near to the null's as rounding goes")
    of_place, scores = exact(chosen), scores.copy()
    for place in chosen.tolist():
        scores[place] = of_place(place)
    return scores
