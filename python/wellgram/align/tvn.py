"""Typical variation normalisation (Ando et al. 2017), in the form of efaar_benchmarking."""

import numpy as np

from wellgram.align.affine import Alignment, principal_axes, standard_scale
from wellgram.backends.protocol import AffineMaps, Floats, GroupMoments
from wellgram.errors import InputError


class TVN(Alignment):
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
    """

    name = "tvn"

    def __init__(self, ridge: float = 0.5) -> None:
        if not ridge > 0:
            raise InputError(f"ridge must be above 0, not {ridge}")
        self.ridge = ridge

    def _maps(self, moments: GroupMoments, *, by_batch: bool) -> AffineMaps:
        count, mean, scatter = moments.pooled()
        variance = np.diag(scatter) / count
        scale = standard_scale(variance, mean, count)
        variances, axes = principal_axes(scatter / count * np.outer(scale, scale))
        basis = scale[:, None] * axes / np.sqrt(variances)
        batches, k = len(moments.counts), basis.shape[1]
        if by_batch:
            parts = [self._correction(moments, b, basis) for b in range(batches)]
        else:
            parts = [(np.empty((k, 0)), np.empty(0))]
        return AffineMaps(
            shift=mean,
            basis=basis,
            offset=np.zeros((batches, k)),
            scale=np.full((batches, k), 1 / np.sqrt(self.ridge) if by_batch else 1.0),
            factors=tuple(factor for factor, _ in parts),
            gains=tuple(gain for _, gain in parts),
        )

    def _correction(self, moments: GroupMoments, b: int, basis: Floats) -> tuple[Floats, Floats]:
        rows = moments.rows(b)
        degrees = moments.counts[b] - 1
        if rows is None or len(rows) >= basis.shape[1]:
            axes, variances = _dense_axes(basis.T @ moments.scatter(b) @ basis / degrees)
        else:
            axes, variances = _thin_axes(rows @ basis / np.sqrt(degrees))
        return axes, 1 / np.sqrt(variances + self.ridge) - 1 / np.sqrt(self.ridge)


def _dense_axes(covariance: Floats) -> tuple[Floats, Floats]:
    variances, axes = np.linalg.eigh(covariance)
    return axes, np.maximum(variances, 0)


def _thin_axes(rows: Floats) -> tuple[Floats, Floats]:
    """Return the axes and variances of ``rows' rows``, from the small Gram matrix of the rows."""
    variances, left = np.linalg.eigh(rows @ rows.T)
    # Centred rows have one null direction at least; the ridge makes dropping it exact.
    kept = variances > len(rows) * np.finfo(np.float64).eps * max(variances[-1], 0)
    return rows.T @ (left[:, kept] / np.sqrt(variances[kept])), variances[kept]
