"""Features as normal scores, to the bits of scikit-learn's QuantileTransformer."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.feature_threads import for_each
from wellgram.backends.protocol import Floats

_NEAR_EDGE = 1e-7
"""Within that of the least or largest quantile a value is at the edge"""
_MOST_SAMPLES = 10_000
"""More are drawn from at random"""


def normal_scores(
    table: pd.DataFrame, columns: Floats, chosen: NDArray[np.bool_] | None, quantiles: Any
) -> Floats:
    """Return the normal score of each value, by the quantiles of the samples.

    Parameters
    ----------
    table
        The features
    columns
        The same as a matrix, with a row for each feature
    chosen
        Which values are samples, None for all
    quantiles
        How many quantiles are taken, of fewer samples as many as these
    """
    if not isinstance(quantiles, int) or quantiles < 1:
        raise Declined("the number of quantiles is no whole number from 1")
    n = columns.shape[1] if chosen is None else int(chosen.sum())
    if not np.isfinite(columns.sum(axis=1)).all():
        raise Declined("a value is missing, infinite or very large")
    if not 2 <= n <= _MOST_SAMPLES:
        raise Declined("samples would be drawn at random, or are fewer than two")
    scores = np.empty_like(columns)
    references = np.linspace(0, 1, min(quantiles, n), endpoint=True)
    least, most = _limits()

    def score(k: int) -> None:
        scores[k] = np.clip(_scores(columns[k], chosen, references), least, most)

    for_each(score, range(len(columns)))
    if not np.array_equal(scores[0], _first_by_theirs(table, chosen, quantiles)):
        raise Declined("scikit-learn computes other scores of the first feature")
    return scores


def _scores(column: Floats, chosen: NDArray[np.bool_] | None, references: Floats) -> Floats:
    """Return the normal scores of one feature, in its own type."""
    from scipy.special import ndtri

    order = np.argsort(column)  # interpolation is faster between neighbours
    values = column[order]
    knots = _quantiles(values if chosen is None else values[chosen[order]], references)
    shares = np.empty_like(values)
    # Where quantiles repeat, the mean of the two ends of the repetition.
    shares[:] = 0.5 * (
        np.interp(values, knots, references) - np.interp(-values, -knots[::-1], -references[::-1])
    )
    shares[values + _NEAR_EDGE > knots[-1]] = 1
    shares[values - _NEAR_EDGE < knots[0]] = 0
    scores = np.empty_like(values)
    scores[order] = ndtri(shares)
    return scores


def _quantiles(in_order: Floats, references: Floats) -> Floats:
    """Return the quantiles of ascending samples with NumPy's rounding."""
    places = (len(in_order) - 1) * (references * 100 / 100)
    below = np.floor(places).astype(np.intp)
    weight = places - below
    low, high = in_order[below], in_order[np.minimum(below + 1, len(in_order) - 1)]
    apart = high - low
    return np.where(weight >= 0.5, high - apart * (1 - weight), low + apart * weight)


def _limits() -> tuple[float, float]:
    """Return the scores beyond which there are none."""
    from scipy.stats import norm

    share = _NEAR_EDGE - np.spacing(1)
    return norm.ppf(share), norm.ppf(1 - share)


def _first_by_theirs(
    table: pd.DataFrame, chosen: NDArray[np.bool_] | None, quantiles: int
) -> Floats:
    """Return the scores of the first feature by the original's transformation."""
    from pycytominer.operations import InverseNormalTransform

    first = table.iloc[:, :1].astype(np.result_type(*table.dtypes.unique()))
    fitted = InverseNormalTransform(n_quantiles=quantiles).fit(
        first if chosen is None else first[chosen]
    )
    return np.asarray(fitted.transform(first)[:, 0])
