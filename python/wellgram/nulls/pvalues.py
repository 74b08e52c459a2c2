"""p-values of observed scores against a null, and their false discovery rates."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from wellgram.backends.checks import as_numbers
from wellgram.backends.protocol import Floats
from wellgram.errors import InputError

PForm = Literal["plus-one", "plus-one-above", "share", "share-above"]
"""``(1 + exceeding) / (1 + draws)``, which is never 0 and keeps its promise under the null
(Phipson and Smyth 2010); the same without those that tie, as in copairs' mean average precision;
``exceeding / draws``; and that without those that tie. In efaar_benchmarking consistency has the
third, magnitude the fourth"""


def empirical_p(observed: ArrayLike, null: ArrayLike, form: PForm = "plus-one") -> Floats:
    """Return the p-values (m,) of observed scores: the share of the null at or above each.

    Parameters
    ----------
    observed
        (m,) scores; a NaN has a p-value of NaN.
    null
        (draws,) scores under the null, in any order.
    form
        See `PForm`.

    Raises
    ------
    InputError
        If the null is empty or holds a NaN, or the form is unknown.
    """
    if form not in get_args(PForm):
        raise InputError(
            f"unknown form of p-values {form!r}; choose {' or '.join(get_args(PForm))}"
        )
    ordered = np.sort(as_numbers(null, "null").ravel())
    if not len(ordered):
        raise InputError("the null has no scores to compare with")
    if np.isnan(ordered[-1]):
        raise InputError("the null holds a NaN; leave out sets that have no score")
    scores = as_numbers(observed, "observed")
    below = (
        np.searchsorted(ordered, scores, side="right")
        if form.endswith("above")
        else np.searchsorted(ordered, scores, side="left")
    )
    exceeding = len(ordered) - below
    more = 1 if form.startswith("plus-one") else 0
    return np.where(np.isnan(scores), np.nan, (exceeding + more) / (len(ordered) + more))


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Return the false discovery rates (m,) of p-values, by Benjamini and Hochberg (1995).

    A NaN stays one, and does not count as a test.

    Raises
    ------
    InputError
        If a p-value is no number, or not in [0, 1].
    """
    from scipy.stats import false_discovery_control

    given = as_numbers(p, "p")
    tested = ~np.isnan(given)
    wrong = given[tested & ~((given >= 0) & (given <= 1))]
    if len(wrong):
        raise InputError(f"each of p must lie in [0, 1], not {wrong[0]}")
    rates = np.full(given.shape, np.nan)
    if tested.any():
        rates[tested] = false_discovery_control(given[tested], method="bh")
    return rates
