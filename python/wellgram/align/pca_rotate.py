"""Principal components of all wells, as many as a share of the variance needs."""

import numpy as np

from wellgram.align.from_moments import MomentAlignment, Own, Shared
from wellgram.align.spectrum import principal_axes
from wellgram.backends.protocol import GroupMoments, Moments
from wellgram.errors import InputError


class PCARotate(MomentAlignment):
    """Rotate to the first principal components of all wells.

    ``y = (x - mean) V``, V the least number of axes whose variances make up more than a share of
    all: ``sklearn.decomposition.PCA(0.98)`` up to signs, as ``transform_data`` of the
    jump-profiling-recipe has it (``correct/corrections.py``).

    Parameters
    ----------
    variance
        The share of the variance that is kept, above 0 and below 1; 0.98 as published.
    """

    name = "pca-rotate"
    fits_on = "all"
    per_batch = False

    def __init__(self, variance: float = 0.98) -> None:
        self.variance = variance
        super().__init__()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        super().check_params()
        if not 0 < self.variance < 1:
            raise InputError(f"variance must be between 0 and 1, not {self.variance}")

    @property
    def keeps_features(self) -> bool:
        """Whether each feature that comes out is the one that went in: they are axes instead."""
        return False

    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return the whole map."""
        variances, axes = principal_axes(pooled.scatter() / max(pooled.count - 1, 1))
        shares = np.cumsum(variances) / variances.sum()
        kept = int(np.searchsorted(shares, self.variance, side="right")) + 1
        return Shared(pooled.mean, axes[:, :kept])

    def own(self, shared: Shared, group: Moments) -> Own:
        """Return nothing more."""
        return Own.nothing(shared.features)
