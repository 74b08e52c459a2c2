"""Variances and covariances taken apart: scales, principal axes, inverse roots, shrinkage."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes, Floats, Moments
from wellgram.errors import InputError

Shrinkage = float | Literal["ledoit-wolf"] | None

_EPS = np.finfo(np.float64).eps


def is_constant(variance: Floats, mean: Floats, count: Codes | int) -> NDArray[np.bool_]:
    """Return which features (d,) are constant, by scikit-learn's rule.

    A variance counts as zero up to the rounding error of computing it,
    ``n eps var + (n eps mean)^2``, as in ``sklearn.preprocessing.StandardScaler``.
    """
    return np.asarray(variance <= count * _EPS * variance + (count * _EPS * mean) ** 2)


def standard_scale(
    variance: Floats, mean: Floats, count: Codes | int, unit: Floats | float = 1.0
) -> Floats:
    """Return 1 / sd, and 1 where a feature is constant (see `is_constant`).

    Of features divided by a `unit` the scale of a constant one is that, so that it comes out in the
    unit it had.
    """
    _check_finite(variance)
    constant = is_constant(variance, mean, count)
    return np.where(constant, unit, 1 / np.sqrt(np.where(constant, 1.0, variance)))


def principal_axes(covariance: Floats) -> tuple[Floats, Floats]:
    """Return the variances (k,), descending, and the axes (d, k) of a covariance matrix (d, d).

    Null axes are left out: those whose variance is under ``d eps`` of the largest, the size that
    rounding gives a variance that is zero (the rule of ``numpy.linalg.matrix_rank``). There are
    such where controls are fewer than features; dividing by them would blow rounding errors up.
    """
    _check_finite(covariance)
    variances, axes = np.linalg.eigh(covariance)
    kept = variances > len(covariance) * _EPS * max(variances[-1], 0)
    if not kept.any():
        raise InputError(
            "all control wells have the same embedding; an alignment needs controls that vary"
        )
    return variances[kept][::-1], axes[:, kept][:, ::-1]


@dataclass(frozen=True)
class Spectrum:
    """A covariance (k, k) as axes (k, r) of variances (r,), and one variance of all the others.

    ``S = rest I + axes diag(variances - rest) axes'``: for fewer rows than features r is less than
    k, and nothing of size k x k is ever taken apart.
    """

    variances: Floats
    axes: Floats
    rest: float

    @classmethod
    def of(cls, group: Moments) -> "Spectrum":
        """Return that of the covariance (ddof 1) of some rows."""
        degrees = max(group.count - 1, 1)
        if group.rows is not None and len(group.rows) < len(group.mean):
            return cls(*_thin_axes(group.rows / np.sqrt(degrees)), 0.0)
        covariance = group.scatter() / degrees
        _check_finite(covariance)
        variances, axes = np.linalg.eigh(covariance)
        return cls(np.maximum(variances, 0), axes, 0.0)

    def shrunk(self, amount: float) -> "Spectrum":
        """Return (1 - amount) S + amount m I, m the mean variance: closer to a sphere."""
        k = len(self.axes)
        rest = (k - len(self.variances)) * self.rest
        mean = (float(self.variances.sum()) + rest) / k
        return Spectrum(
            (1 - amount) * self.variances + amount * mean,
            self.axes,
            (1 - amount) * self.rest + amount * mean,
        )

    def inverse_root(self, ridge: float) -> tuple[float, Floats]:
        """Return s and gains: (S + ridge I)^(-1/2) = s I + axes diag(gains) axes'."""
        scale = 1 / np.sqrt(self.rest + ridge)
        return float(scale), 1 / np.sqrt(self.variances + ridge) - scale

    def root(self, ridge: float) -> Floats:
        """Return (S + ridge I)^(1/2), dense."""
        scale = np.sqrt(self.rest + ridge)
        gains = np.sqrt(self.variances + ridge) - scale
        dense: Floats = scale * np.eye(len(self.axes)) + (self.axes * gains) @ self.axes.T
        return dense


def _thin_axes(rows: Floats) -> tuple[Floats, Floats]:
    """Return the variances and axes of ``rows' rows``, from the small Gram matrix of the rows."""
    products = rows @ rows.T
    _check_finite(products)
    variances, left = np.linalg.eigh(products)
    # Centred rows have one null direction at least; to leave it out is exact.
    kept = variances > len(rows) * _EPS * max(variances[-1], 0)
    return variances[kept], rows.T @ (left[:, kept] / np.sqrt(variances[kept]))


def ledoit_wolf(rows: Floats) -> float:
    """Return how far to shrink the covariance of centred rows (n, k) towards a sphere.

    Ledoit and Wolf (2004), as ``sklearn.covariance.ledoit_wolf_shrinkage`` has it:
    ``min(beta, delta) / delta``, delta the mean squared distance of the covariance from the sphere
    of the same size, beta that of each row's own product from the covariance, over n.
    """
    n, k = rows.shape
    squares = np.square(rows).sum(axis=1)
    small = rows @ rows.T if n < k else rows.T @ rows  # either has the same sum of squares
    whole = float(np.square(small).sum()) / n**2
    mean = float(squares.sum()) / n / k
    beta = (float(np.square(squares).sum()) / n - whole) / n / k
    delta = (whole - k * mean**2) / k
    beta = min(beta, delta)
    return 0.0 if beta <= 0 else beta / delta


def shrinkage_of(given: Shrinkage, group: Moments) -> float:
    """Return the amount of shrinkage asked for.

    That of Ledoit and Wolf is 0 where rows were not kept: for all batches taken together.
    """
    if given is None or (given == "ledoit-wolf" and group.rows is None):
        return 0.0
    if given == "ledoit-wolf":
        return ledoit_wolf(group.spread)
    return float(given)


def check_shrinkage(given: Shrinkage) -> None:
    """Raise unless it is an amount, a way to find one, or None."""
    if given is None or given == "ledoit-wolf":
        return
    if isinstance(given, str) or not 0 <= given <= 1:
        raise InputError(f"shrinkage must be 'ledoit-wolf', None or within [0, 1], not {given!r}")


def check_positive(name: str, value: float) -> None:
    """Raise unless a parameter is above 0, and finite."""
    if not 0 < value < np.inf:
        raise InputError(f"{name} must be above 0 and finite, not {value}")


def check_not_negative(name: str, value: float) -> None:
    """Raise unless a parameter is 0 or above, and finite."""
    if not 0 <= value < np.inf:
        raise InputError(f"{name} must not be negative or infinite, but is {value}")


def _check_finite(squares: Floats) -> None:
    if not np.isfinite(squares).all():
        raise InputError(
            "embeddings are too large to be squared (above 1e154 in float64): divide them by a "
            "constant, or look for a feature that was divided by nearly zero"
        )
