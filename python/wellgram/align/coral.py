"""Correlation alignment (Sun et al. 2016; Ando et al. 2017): batches get one covariance."""

from dataclasses import replace

import numpy as np

from wellgram.align.affine import BatchAffine, shared_maps
from wellgram.align.affine_alignment import FewControls, Unseen
from wellgram.align.from_moments import Own, Shared
from wellgram.align.ridged import RidgedWhitening
from wellgram.align.spectrum import Shrinkage, Spectrum
from wellgram.backends.protocol import GroupMoments, Moments


class CORAL(RidgedWhitening):
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
    min_controls, unseen, few_controls
        See `AffineAlignment`.
    """

    name = "coral"

    def __init__(
        self,
        ridge: float = 1.0,
        *,
        recolor: bool = True,
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
    def keeps_units(self) -> bool:
        """Whether features come out in the units they had: where the covariance is put back."""
        return self.recolor

    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return nothing: each batch is whitened on its own."""
        return Shared(np.zeros(len(pooled.mean)))

    def own(self, shared: Shared, group: Moments) -> Own:
        """Return the whitening of a batch."""
        scale, axes, gains = self.inverse_root(group)
        return Own(group.mean, np.full(len(group.mean), scale), axes, gains)

    def finished(self, affine: BatchAffine, pooled: Moments) -> BatchAffine:
        """Return it with the covariance and mean of all controls put back."""
        if not self.recolor:
            return affine
        root = Spectrum.of(pooled).root(self.ridge_of(pooled))
        batches = len(affine.maps[0].offset)
        back = shared_maps(batches, np.zeros(len(root)), root, -pooled.mean)
        return replace(affine, maps=(*affine.maps, back))
