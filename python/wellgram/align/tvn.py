"""Typical variation normalisation (Ando et al. 2017), in the form of efaar_benchmarking."""

import numpy as np

from wellgram.align.affine_alignment import FewControls, Unseen
from wellgram.align.from_moments import Own, Shared
from wellgram.align.ridged import RidgedWhitening
from wellgram.align.spectrum import Shrinkage, principal_axes, standard_scale
from wellgram.backends.protocol import GroupMoments, Moments


class TVN(RidgedWhitening):
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
    min_controls, unseen, few_controls
        See `AffineAlignment`.
    """

    name = "tvn"
    mixes_units = False

    def __init__(
        self,
        ridge: float = 0.5,
        *,
        recolor: bool = False,
        shrinkage: Shrinkage = None,
        min_controls: int = 2,
        unseen: Unseen = "raise",
        few_controls: FewControls = "raise",
    ) -> None:
        super().__init__(
            ridge,
            recolor=recolor,
            shrinkage=shrinkage,
            min_controls=min_controls,
            unseen=unseen,
            few_controls=few_controls,
        )

    @property
    def keeps_features(self) -> bool:
        """Whether each feature that comes out is the one that went in: they are axes instead."""
        return False

    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return steps a to c."""
        scale = standard_scale(
            pooled.squares() / pooled.count, pooled.mean, pooled.count, pooled.unit
        )
        correlation = pooled.scatter() / pooled.count * np.outer(scale, scale)
        variances, axes = principal_axes(correlation)
        return Shared(pooled.mean, scale[:, None] * axes / np.sqrt(variances))

    def own(self, shared: Shared, group: Moments) -> Own:
        """Return step d."""
        scale, axes, gains = self.inverse_root(shared.moments(group))
        size = np.sqrt(1 + self.ridge) if self.recolor else 1.0
        k = shared.features
        return Own(np.zeros(k), np.full(k, scale * size), axes, gains * size)

    def alone(self, shared: Shared, group: Moments) -> Own:
        """Return nothing more: without batches the controls are white after step c."""
        return Own.nothing(shared.features)
