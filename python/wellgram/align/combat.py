"""ComBat (Johnson, Li and Rabinovic 2007): shift and scale of batches, by empirical Bayes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wellgram.align.affine_alignment import Unseen
from wellgram.align.from_moments import MomentAlignment, Own, Shared
from wellgram.align.spectrum import check_positive, is_constant
from wellgram.backends.protocol import Floats, GroupMoments, Moments
from wellgram.errors import InputError

_MOST_STEPS = 10_000
"""Of the iteration, which takes some tens; a tolerance below rounding might never be met"""


@dataclass(frozen=True)
class _Standard(Shared):
    """What features are standardised with: their mean, and their deviation within batches."""

    mean: Floats = None  # type: ignore[assignment]
    deviation: Floats = None  # type: ignore[assignment]
    """0 of a feature that is constant within all batches"""


class ComBat(MomentAlignment):
    """Take each batch's shift and scale off, after shrinking both towards what features share.

    All wells are standardised with their mean and their deviation within batches. Per batch, a
    feature's shift has a normal prior and its variance an inverse gamma prior, their parameters
    taken from all features; shift g and variance v are their posterior means, found in turn until
    neither changes by more than `tolerance`. Then ``y = ((z - g) / sqrt(v)) deviation + mean``.
    Only counts, means and squares of batches enter, so it is an affine map too.

    The parametric form without covariates, as in R's ``sva`` and ``neuroCombat``. A feature that is
    constant within batches is left as it is.

    Parameters
    ----------
    tolerance
        The relative change at which the iteration ends; 1e-4 as in ``sva``.
    min_controls
        The least number of wells of a batch, 2 at the least.
    unseen
        See `AffineAlignment`; pooled is the identity here.
    """

    name = "combat"
    fits_on = "all"
    spread = "variances"
    mixes_units = False
    keeps_units = True

    def __init__(
        self, tolerance: float = 1e-4, *, min_controls: int = 2, unseen: Unseen = "raise"
    ) -> None:
        self.tolerance = tolerance
        super().__init__(min_controls=min_controls, unseen=unseen)

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        super().check_params()
        check_positive("tolerance", self.tolerance)
        if self.min_controls < 2:
            raise InputError("min_controls must be 2 or more: one well has no variance")

    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return what features are standardised with."""
        groups = [moments[g] for g in range(len(moments.counts))]
        within = np.asarray(sum(group.squares() for group in groups) / pooled.count)
        constant = np.all([_is_constant(group) for group in groups], axis=0)
        deviation = np.sqrt(np.where(constant, 0.0, within))
        return _Standard(np.zeros(len(pooled.mean)), mean=pooled.mean, deviation=deviation)

    def own(self, shared: Shared, group: Moments) -> Own:
        """Return the map of a batch."""
        assert isinstance(shared, _Standard)
        varies = shared.deviation > 0
        deviation = np.where(varies, shared.deviation, 1.0)
        shift = (group.mean - shared.mean) / deviation
        squares = group.squares() / deviation**2
        g, v = np.zeros(len(shift)), np.ones(len(shift))
        if varies.sum() > 1:  # priors are taken from several features
            g[varies], v[varies] = _posterior(
                shift[varies], squares[varies], group.count, self.tolerance
            )
        # ((x - mean) / deviation - g) / sqrt(v) * deviation + mean
        offset = shared.mean + g * deviation - shared.mean * np.sqrt(v)
        return Own.diagonal(offset, 1 / np.sqrt(v))

    def alone(self, shared: Shared, group: Moments) -> Own:
        """Return the identity: there are no batches to tell apart."""
        return Own.nothing(shared.features)

    def of_unseen(self, shared: Shared, pooled: Moments) -> Own:
        """Return the identity."""
        return Own.nothing(shared.features)


def _is_constant(group: Moments) -> NDArray[np.bool_]:
    return is_constant(group.squares() / group.count, group.mean, group.count)


def _posterior(
    shift: Floats, squares: Floats, count: int, tolerance: float
) -> tuple[Floats, Floats]:
    """Return shift and variance (d,) of a batch's features, given their means and squares.

    `squares` are about the batch's own mean: their sum about any other g is squares +
    count (shift - g)^2.
    """
    variance = squares / (count - 1)
    prior, spread = shift.mean(), shift.var(ddof=1)
    mean, var = variance.mean(), variance.var(ddof=1)
    if spread == 0 or var == 0:  # all features alike: the prior is all there is
        return np.full_like(shift, prior), np.full_like(variance, mean)
    shape, rate = (2 * var + mean**2) / var, (mean * var + mean**3) / var
    g, v = shift, variance
    with np.errstate(divide="ignore", invalid="ignore"):  # of a shift that is zero
        for _ in range(_MOST_STEPS):
            new_g = (count * spread * shift + v * prior) / (count * spread + v)
            about = squares + count * (shift - new_g) ** 2
            new_v = (about / 2 + rate) / (count / 2 + shape - 1)
            change = max(_change(new_g, g), _change(new_v, v))
            g, v = new_g, new_v
            if change <= tolerance:
                break
    return g, v


def _change(new: Floats, old: Floats) -> float:
    """Return the largest change, relative to the old, as ``sva`` takes it."""
    ratio = np.abs(new - old) / old
    return float(np.max(ratio[np.isfinite(ratio)], initial=0.0))
