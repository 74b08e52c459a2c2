"""Typical variation normalisation (Ando et al. 2017), in the form of efaar_benchmarking."""

import numpy as np

from wellgram.align.estimator import Unseen
from wellgram.align.from_moments import MomentAlignment, Own, Shared
from wellgram.align.spectrum import (
    Shrinkage,
    Spectrum,
    check_positive,
    check_shrinkage,
    principal_axes,
    shrinkage_of,
    standard_scale,
)
from wellgram.backends.protocol import GroupMoments, Moments, Spread


class TVN(MomentAlignment):
    """Make the controls white, then whiten what is left of each batch's covariance.

    Follows ``efaar_benchmarking.efaar.tvn_on_controls``: (a) standardise with all controls, (b)
    rotate to their principal axes, (c) standardise again; then (d), per batch b, multiply by
    ``S_b^(-1/2)``, ``S_b = cov(controls of b, ddof 1) + ridge I``. No batch mean is subtracted.
    Wells without batches get steps a to c.

    Steps a to c are one matrix. With the eigenpairs (U, s) of the batch covariance that are not
    zero, step d is ``I / sqrt(ridge) + U diag(1 / sqrt(s + ridge) - 1 / sqrt(ridge)) U'``, exactly:
    for fewer controls than features it never needs a d x d decomposition. Axes along which the
    controls do not vary are left out (see `principal_axes`).

    Parameters
    ----------
    ridge
        What is added to the diagonal of a batch's covariance; above 0.
    recolor
        Whether step d is followed by ``S^(1/2)``, S the covariance of all controls plus the ridge,
        so that controls keep their size (Ando et al.). After step c that is one number.
    shrinkage
        How far each batch's covariance is shrunk towards a sphere of the same size: an amount in
        [0, 1], or "ledoit-wolf" for the one that Ledoit and Wolf (2004) derive; None: not at all.
    min_controls, unseen
        See `AffineAlignment`.
    """

    name = "tvn"
    covariance = "batch"

    def __init__(
        self,
        ridge: float = 0.5,
        *,
        recolor: bool = False,
        shrinkage: Shrinkage = None,
        min_controls: int = 2,
        unseen: Unseen = "raise",
    ) -> None:
        self.ridge = ridge
        self.recolor = recolor
        self.shrinkage = shrinkage
        super().__init__(min_controls=min_controls, unseen=unseen)

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        super().check_params()
        check_positive("ridge", self.ridge)
        check_shrinkage(self.shrinkage)

    def wanted_spread(self) -> Spread:
        """Return what must be kept of the spread of a batch."""
        return "rows" if self.shrinkage == "ledoit-wolf" else "smaller"

    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return steps a to c."""
        scale = standard_scale(pooled.squares() / pooled.count, pooled.mean, pooled.count)
        correlation = pooled.scatter() / pooled.count * np.outer(scale, scale)
        variances, axes = principal_axes(correlation)
        return Shared(pooled.mean, scale[:, None] * axes / np.sqrt(variances))

    def own(self, shared: Shared, group: Moments) -> Own:
        """Return step d."""
        white = shared.moments(group)
        spectrum = Spectrum.of(white)
        if self.shrinkage is not None:
            spectrum = spectrum.shrunk(shrinkage_of(self.shrinkage, white))
        scale, gains = spectrum.inverse_root(self.ridge)
        size = np.sqrt(1 + self.ridge) if self.recolor else 1.0
        k = shared.features
        return Own(np.zeros(k), np.full(k, scale * size), spectrum.axes, gains * size)

    def alone(self, shared: Shared, group: Moments) -> Own:
        """Return nothing more: without batches the controls are white after step c."""
        return Own.nothing(shared.features)
