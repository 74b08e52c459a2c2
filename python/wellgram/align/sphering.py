"""One whitening for all wells, learnt from the controls of all batches together."""

from typing import Any, Literal, get_args

import numpy as np

from wellgram.align.from_moments import MomentAlignment, Own, Shared
from wellgram.align.spectrum import check_not_negative, principal_axes, standard_scale
from wellgram.backends.protocol import Floats, GroupMoments, Moments
from wellgram.errors import InputError

Method = Literal["PCA", "ZCA", "PCA-cor", "ZCA-cor"]


class _Whitening(MomentAlignment):
    """Has one map for all batches, those not there at fit included."""

    per_batch = False
    covariance = "pooled"

    def own(self, shared: Shared, group: Moments) -> Own:
        """Return nothing more."""
        return Own.nothing(shared.features)


class PCAWhiten(_Whitening):
    """Rotate to the principal axes of the controls and give each a variance of 1.

    ``y = (x - mean) V / sqrt(variances)``, with ddof 1: ``sklearn.decomposition.PCA(whiten=True)``
    fitted on the controls, up to signs. Axes along which the controls do not vary are left out
    (see `principal_axes`).

    Parameters
    ----------
    components
        How many axes are kept, those of most variance; None for all.
    min_controls
        The least number of controls, in all batches together.
    """

    name = "pca-whiten"

    def __init__(self, components: int | None = None, *, min_controls: int = 2) -> None:
        self.components = components
        super().__init__(min_controls=min_controls)

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        super().check_params()
        if self.components is not None and self.components < 1:
            raise InputError(f"components must be 1 or more, or None, not {self.components}")

    @property
    def keeps_features(self) -> bool:
        """Whether each feature that comes out is the one that went in: they are axes instead."""
        return False

    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return the whole map."""
        variances, axes = principal_axes(pooled.scatter() / max(pooled.count - 1, 1))
        if self.components is not None and self.components > len(variances):
            raise InputError(
                f"{self.components} components were asked for, but {pooled.count} controls of "
                f"{len(pooled.mean)} features vary along {len(variances)} axes only"
            )
        kept = slice(self.components)
        return Shared(pooled.mean, axes[:, kept] / np.sqrt(variances[kept]))


class Sphering(_Whitening):
    """Make the controls white by a choice of rotations (Kessy et al. 2018).

    With the singular values s and right singular vectors V of the n centred controls,
    ``W = V diag(sqrt(n - 1) / (s + epsilon))``, and for ZCA ``W V'``, which stays closest to the
    features as they were; ``-cor`` standardises the controls first (ddof 0). The output is white,
    and equal to that of ``pycytominer``'s ``Spherize`` from release 1.7 on (earlier ones took apart
    the raw instead of the centred matrix).

    Where controls are fewer than features, PCA leaves axes along which they do not vary out; ZCA
    scales those as the axis of least variance, as pycytominer does.

    Parameters
    ----------
    method
        "ZCA", "PCA", "ZCA-cor" or "PCA-cor".
    epsilon
        Added to the singular values.
    center
        Whether the controls' mean is subtracted. Without it "-cor" is not possible.
    min_controls
        The least number of controls, in all batches together.
    """

    name = "sphering"

    def __init__(
        self,
        method: Method = "ZCA",
        epsilon: float = 1e-6,
        *,
        center: bool = True,
        min_controls: int = 2,
    ) -> None:
        self.method = method
        self.epsilon = epsilon
        self.center = center
        super().__init__(min_controls=min_controls)

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        super().check_params()
        if self.method not in get_args(Method):
            raise InputError(f"method must be one of {get_args(Method)}, not {self.method!r}")
        check_not_negative("epsilon", self.epsilon)
        if self.method.endswith("-cor") and not self.center:
            raise InputError(f"{self.method} needs center=True: correlations are about the mean")

    @property
    def keeps_features(self) -> bool:
        """Whether each feature that comes out is the one that went in, at its place: by ZCA."""
        return self.method.startswith("ZCA")

    @property
    def mixes_units(self) -> bool:  # type: ignore[override]
        """Whether features are mixed before each is standardised."""
        return not self.method.endswith("-cor")

    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return the whole map."""
        scatter, mean, d = pooled.scatter(), pooled.mean, len(pooled.mean)
        scale: Floats = np.ones(d)
        epsilon: Any = self.epsilon
        if self.mixes_units:
            epsilon = epsilon / pooled.unit
        else:
            scale = standard_scale(pooled.squares() / pooled.count, mean, pooled.count, pooled.unit)
            scatter = scatter * np.outer(scale, scale)
        if not self.center:
            scatter = scatter + pooled.count * np.outer(mean, mean)
            mean = np.zeros(d)
        variances, axes = principal_axes(scatter)
        size = np.sqrt(max(pooled.count - 1, 1)) / (np.sqrt(variances) + epsilon)
        if self.method.startswith("PCA"):
            return Shared(mean, scale[:, None] * axes * size)
        # size[-1] I + axes diag(size - size[-1]) axes': the axes left out have the last one's.
        root = size[-1] * np.eye(d) + (axes * (size - size[-1])) @ axes.T
        return Shared(mean, scale[:, None] * root)
