"""Features moved and scaled one by one, as pycytominer's methods do."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.feature_threads import for_each
from wellgram.backends import get_backend
from wellgram.backends.protocol import Floats

_EPS = np.finfo(np.float64).eps
_NORMAL = 1 / 1.4826
"""By which pycytominer divides a median absolute deviation"""
_CLEAR = 100.0
"""How many times larger than what rounding can make a variance must be to count as one"""
_LEAST_SHARE = 1e-9
"""Of a median: a deviation below that is told from none by rounding alone"""
_LEAST_WIDTH = 2e-6
"""Below that, float32 and float64 may disagree whether quartiles are apart"""
_BLOCK = 262_144
"""Values that are worked on at a time, so that they stay in the cache"""


class Scaling(NamedTuple):
    """What to take from the values of each feature, and what to divide them by then."""

    center: Floats
    width: Floats


def scaled_features(
    columns: Floats,
    chosen: NDArray[np.bool_] | None,
    scaling: Callable[[Floats], Scaling],
) -> Floats:
    """Return features that are scaled by their samples.

    Parameters
    ----------
    columns
        A row for each feature; missing values stay missing, and are no samples
    chosen
        Which values are samples, None for all
    scaling
        Takes the samples of some features, a row for each; returns their scaling
    """
    scaled = np.empty_like(columns)
    many = max(1, _BLOCK // columns.shape[1])

    def scale(begin: int) -> None:
        values = columns[begin : begin + many]
        center, width = _of_samples(values.astype(np.float64, copy=False), chosen, scaling)
        # As the originals have it, in the type of the features.
        result = scaled[begin : begin + many]
        with np.errstate(divide="ignore", invalid="ignore"):  # a width of 0, with no epsilon
            np.subtract(values, center.astype(values.dtype)[:, None], out=result)
            np.divide(result, width.astype(values.dtype)[:, None], out=result)

    for_each(scale, range(0, len(columns), many))
    return scaled


def _of_samples(
    values: Floats, chosen: NDArray[np.bool_] | None, scaling: Callable[[Floats], Scaling]
) -> Scaling:
    """Return the scaling of some features by their samples; missing ones are none."""
    sums = values.sum(axis=1)
    if np.isfinite(sums).all():
        return scaling(_checked(values if chosen is None else values[:, chosen]))
    if np.isinf(values).any():
        raise Declined("a value is infinite")
    parts = []
    for row in values:
        samples = row if chosen is None else row[chosen]
        parts.append(scaling(_checked(samples[~np.isnan(samples)][None, :])))
    return Scaling(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _checked(samples: Floats) -> Floats:
    """Return samples whose squares can be added up, or decline."""
    if samples.shape[1] < 2:
        raise Declined("a feature has fewer than two samples")
    largest = np.maximum(samples.max(axis=1), -samples.min(axis=1))
    if not largest.max() < 1e150 or ((largest > 0) & (largest < 1e-140)).any():
        raise Declined("a value is too large or too small for its type")
    return samples


def by_deviation(samples: Floats) -> Scaling:
    """Return means and standard deviations; 1 where a feature does not vary."""
    n = samples.shape[1]
    means = samples.sum(axis=1) / n
    away = samples - means[:, None]
    # With scikit-learn's correction for the rounding of the mean, in its order of adding up.
    correction = away.sum(axis=1) ** 2 / n
    variances = (np.square(away, out=away).sum(axis=1) - correction) / n
    rounding = n * _EPS * variances + (n * means * _EPS) ** 2
    for k in np.flatnonzero(~(variances > _CLEAR * rounding)):
        if (samples[k] != samples[k, 0]).any():
            raise Declined("a feature varies by little more than rounding")
        variances[k] = 1
    return Scaling(means, np.sqrt(variances))


def by_quartiles(samples: Floats) -> Scaling:
    """Return medians and how far quartiles are apart; 1 where they are not."""
    low, middle, high = _at_shares(samples, (0.25, 0.5, 0.75))
    width = high - low
    if ((width > 0) & (width < _LEAST_WIDTH)).any():
        raise Declined("the quartiles of a feature are hardly apart")
    return Scaling(middle, np.where(width == 0, 1.0, width))


def by_median_deviation(epsilon: float) -> Callable[[Floats], Scaling]:
    """Return what takes medians, and median deviations from these with an epsilon added."""

    def scaling(samples: Floats) -> Scaling:
        middle = _medians(samples)
        away = samples - middle[:, None]
        deviation = _medians(np.abs(away, out=away))
        width = deviation / _NORMAL + epsilon
        if ((deviation > 0) & ~(width > _LEAST_SHARE * np.abs(middle))).any():
            raise Declined("a feature varies by little more than rounding")
        return Scaling(middle, width)

    return scaling


def _medians(samples: Floats) -> Floats:
    rows = np.ascontiguousarray(samples.T)
    return np.asarray(get_backend().group_medians(rows, np.zeros(len(rows), np.int64), 1)[0])


def _at_shares(samples: Floats, shares: tuple[float, ...]) -> list[Floats]:
    """Return the values below which shares of the samples lie, between two of these by weight."""
    last = samples.shape[1] - 1
    places = [share * last for share in shares]
    below = [int(place) for place in places]
    above = [min(k + 1, last) for k in below]
    parted = np.partition(samples, sorted({*below, *above}), axis=1)
    return [
        parted[:, low] + (parted[:, high] - parted[:, low]) * (place - low)
        for place, low, high in zip(places, below, above, strict=True)
    ]
