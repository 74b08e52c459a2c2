"""Correlation alignment (Sun et al. 2016; Ando et al. 2017): batches get one covariance."""

import numpy as np

from wellgram.align.affine import BatchAffine, shared_maps
from wellgram.align.estimator import Unseen
from wellgram.align.from_moments import MomentAlignment, Own, Shared
from wellgram.align.spectrum import (
    Shrinkage,
    Spectrum,
    check_positive,
    check_shrinkage,
    shrinkage_of,
)
from wellgram.backends.protocol import GroupMoments, Moments, Spread


class CORAL(MomentAlignment):
    """Whiten each batch by its controls, then give all the covariance of all controls.

    ``y = (x - mean_b) S_b^(-1/2) S^(1/2) + mean``, ``S_b = cov(controls of b, ddof 1) + ridge I``
    and S that of all controls: afterwards the controls of every batch have about the same mean and
    covariance, those that all controls had, in the features as they were. Without recolouring
    ``y = (x - mean_b) S_b^(-1/2)``.

    Parameters
    ----------
    ridge
        What is added to the diagonals, in squared units of the features (which are best
        standardised before); above 0.
    recolor
        Whether the covariance and mean of all controls are put back.
    shrinkage
        How far each batch's covariance is shrunk: see `TVN`.
    min_controls, unseen
        See `AffineAlignment`.
    """

    name = "coral"
    covariance = "batch"

    def __init__(
        self,
        ridge: float = 1.0,
        *,
        recolor: bool = True,
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
        """Return nothing: each batch is whitened on its own."""
        return Shared(np.zeros(len(pooled.mean)))

    def own(self, shared: Shared, group: Moments) -> Own:
        """Return the whitening of a batch."""
        spectrum = Spectrum.of(group)
        if self.shrinkage is not None:
            spectrum = spectrum.shrunk(shrinkage_of(self.shrinkage, group))
        scale, gains = spectrum.inverse_root(self.ridge)
        return Own(group.mean, np.full(len(group.mean), scale), spectrum.axes, gains)

    def finished(self, affine: BatchAffine, pooled: Moments) -> BatchAffine:
        """Return it with the covariance and mean of all controls put back."""
        if not self.recolor:
            return affine
        root = Spectrum.of(pooled).root(self.ridge)
        batches = len(affine.maps[0].offset)
        back = shared_maps(batches, np.zeros(len(root)), root, -pooled.mean)
        return BatchAffine(affine.batches, (*affine.maps, back), affine.fitted_on, affine.pooled)
