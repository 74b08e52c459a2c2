"""Standardise each batch by its own controls, as they are or after a rotation."""

import numpy as np

from wellgram.align.affine import Alignment, principal_axes, standard_scale
from wellgram.backends.protocol import AffineMaps, GroupMoments


class CenterScale(Alignment):
    """Standardise each batch with the mean and standard deviation of its controls.

    ``y_j = (x_j - mean(x_j | controls of b)) / sd(x_j | controls of b)``, sd with ddof 0; a
    constant feature is only centred. Follows ``efaar_benchmarking.efaar.centerscale_on_controls``.
    """

    name = "center-scale"

    def _maps(self, moments: GroupMoments, *, by_batch: bool) -> AffineMaps:
        batches, d = moments.means.shape
        variance = np.array([moments.squares(b) for b in range(batches)]) / moments.counts[:, None]
        scale = standard_scale(variance, moments.means, moments.counts[:, None])
        none = (np.empty((d, 0)),) * batches
        return AffineMaps(np.zeros(d), None, moments.means, scale, none, (np.empty(0),) * batches)


class PCACenterScale(Alignment):
    """Rotate by the principal axes of all controls, then standardise each batch by its controls.

    ``z = (x - mean of all controls) V``, V all principal axes; then `CenterScale` of z. This is the
    alignment of RxRx3-core's own benchmark (``pca_centerscale_on_controls``). Axes along which the
    controls do not vary are left out (see `principal_axes`).
    """

    name = "pca-center-scale"

    def _maps(self, moments: GroupMoments, *, by_batch: bool) -> AffineMaps:
        count, mean, scatter = moments.pooled()
        _, axes = principal_axes(scatter / count)
        batches, k = len(moments.counts), axes.shape[1]
        offset = (moments.means - mean) @ axes
        variance = np.empty((batches, k))
        for b in range(batches):
            rows = moments.rows(b)
            # diag(V' S V), by rows where they were kept: n d k flops instead of d^2 k.
            variance[b] = (
                np.square(rows @ axes).sum(axis=0)
                if rows is not None
                else np.einsum("dk,dk->k", axes, moments.spreads[b] @ axes)
            )
        variance /= moments.counts[:, None]
        scale = standard_scale(variance, offset, moments.counts[:, None])
        none = (np.empty((k, 0)),) * batches
        return AffineMaps(mean, axes, offset, scale, none, (np.empty(0),) * batches)
