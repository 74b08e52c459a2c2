"""Sphering of pycytominer: profiles whitened by the singular vectors of samples."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.backends.protocol import Floats

_METHODS = ("PCA", "ZCA", "PCA-cor", "ZCA-cor")
_UNCLEAR = (0.5, 2.0)
"""Around the tolerance of a rank: singular values there are zero by one rounding, not by another"""
_STEEPEST = 1e8
"""How far the largest and the least singular value may be apart to be divided by exactly"""


class Sphering(NamedTuple):
    """How profiles are to be sphered."""

    method: str
    centers: bool
    epsilon: float
    of_scaled: bool
    """Whether singular vectors are those of the centred and scaled samples, not of raw ones"""


def checked_sphering(method: Any, centers: Any, epsilon: Any, *, of_scaled: bool) -> Sphering:
    """Return how profiles are to be sphered, or decline what the original does not take."""
    if method not in _METHODS or not isinstance(centers, bool):
        raise Declined("the kind of sphering is not known")
    if not isinstance(epsilon, float | int) or not epsilon >= 0:
        raise Declined("the epsilon is no number from 0")
    if method.endswith("-cor") and not centers:
        raise Declined("correlations are to be sphered without a centre")
    return Sphering(method, centers, epsilon, of_scaled)


def sphered_profiles(
    columns: Floats, chosen: NDArray[np.bool_] | None, sphering: Sphering
) -> Floats:
    """Return sphered profiles, one a row.

    Parameters
    ----------
    columns
        A row for each feature
    chosen
        Which profiles are samples, None for all
    sphering
        How to sphere
    """
    turned = sphering.method.startswith("PCA")
    if turned and not _turns_as_lapack():
        raise Declined("principal axes could point the other way")
    rows = columns.T  # in their order of memory, so that sums round alike
    if not np.isfinite(rows.sum()):
        raise Declined("a value is missing, infinite or very large")
    samples = rows if chosen is None else columns[:, chosen].T
    n, d = samples.shape
    if n < 3 or (turned and n <= d):
        raise Declined("there are too few samples, or axes that these do not span")
    scaler = _scaler(samples, sphering)
    scaled_samples = samples if scaler is None else scaler.transform(samples)
    scaled = scaled_samples if chosen is None else rows
    if chosen is not None and scaler is not None:
        scaled = scaler.transform(rows)
    values, axes = _spectrum(scaled_samples, vectors=sphering.of_scaled)
    rank = _rank(values, max(n, d))
    if rank != d and rank != (n - 1 if sphering.centers else n):
        raise Declined("the samples are not of full rank")
    if not sphering.of_scaled:  # the rank stays that of the scaled ones
        values, axes = _spectrum(samples, vectors=True)
    if rank < 1 or not values[0] < _STEEPEST * (values[rank - 1] + sphering.epsilon):
        raise Declined("the samples are nearly not of full rank")
    # In the types of the original, whose float32 rounds as this does.
    lengths = values[:rank] + sphering.epsilon
    whitened = axes[:rank] / lengths[:, None] * np.sqrt(n - 1)
    if turned:
        return np.asarray(scaled @ whitened.T)
    if rank == d:
        return np.asarray(scaled @ (whitened.T @ axes))
    return _turned_back(scaled, whitened, axes[:rank], float(np.sqrt(n - 1) / lengths[-1]))


def _scaler(samples: Floats, sphering: Sphering) -> Any:
    """Return what centres and scales, fitted to samples; None where nothing does."""
    from sklearn.preprocessing import StandardScaler

    scales = sphering.method.endswith("-cor")
    if not scales and not sphering.centers:
        return None
    scaler = StandardScaler(with_std=scales).fit(samples)
    if scales and (scaler.var_ == 0).any():
        raise Declined("a feature does not vary")
    return scaler


def _spectrum(samples: Floats, *, vectors: bool) -> tuple[Floats, Floats]:
    """Return singular values, and vectors where asked for.

    With float64 and many more samples than features, R of a QR decomposition has the same ones.
    LAPACK goes the same way, but also makes orthogonal rows of all samples, which nobody needs.
    With float32 the samples themselves are decomposed, because another rounding would show.
    """
    n, d = samples.shape
    short = samples.dtype == np.float64 and n >= 11 * d / 6
    core = np.linalg.qr(samples, mode="r") if short else samples
    if not vectors:
        return np.asarray(np.linalg.svd(core, compute_uv=False)), np.empty((0, d))
    _, values, axes = np.linalg.svd(core, full_matrices=False)
    return values, axes


def _rank(values: Floats, size: int) -> int:
    """Return how many singular values are not zero, or decline where that is not clear."""
    least = values.max() * size * np.finfo(values.dtype).eps
    if ((values > _UNCLEAR[0] * least) & (values < _UNCLEAR[1] * least)).any():
        raise Declined("the rank of the samples is not clear")
    return int((values > least).sum())


def _turned_back(rows: Floats, whitened: Floats, axes: Floats, rest: float) -> Floats:
    """Return rows whitened along axes and turned back; across all axes they are multiplied."""
    whitened = whitened - rest * axes
    if 2 * len(axes) > axes.shape[1]:
        turned = rows @ (whitened.T @ axes)
    else:
        turned = (rows @ whitened.T) @ axes
    return np.asarray(turned + rest * rows, turned.dtype)


def _turns_as_lapack() -> bool:
    """Tell whether NumPy's LAPACK is known to turn axes alike, with all rows or without."""
    built: Any = np.show_config(mode="dicts")
    return "openblas" in built["Build Dependencies"]["lapack"]["name"]
