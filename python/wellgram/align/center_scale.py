"""Standardise each batch: by its controls or all its wells, as they are or after a rotation."""

from itertools import compress
from typing import ClassVar

import numpy as np

from wellgram.align.affine import BatchAffine, diagonal_maps
from wellgram.align.affine_alignment import AffineAlignment, FewControls, Unseen
from wellgram.align.from_moments import MomentAlignment, Own, Shared
from wellgram.align.median_deviations import medians_and_deviations
from wellgram.align.sample import Sample
from wellgram.align.spectrum import check_not_negative, principal_axes, standard_scale
from wellgram.backends.protocol import GroupMoments, Moments
from wellgram.errors import InputError


class CenterScale(MomentAlignment):
    """Standardise each batch with the mean and standard deviation of its controls.

    ``y_j = (x_j - mean(x_j | controls of b)) / sd(x_j | controls of b)``, sd with ddof 0; a
    constant feature is only centred. Follows ``efaar_benchmarking.efaar.centerscale_on_controls``.
    """

    name = "center-scale"
    spread = "variances"
    mixes_units = False

    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return nothing: each batch has all of its own."""
        return Shared(np.zeros(len(pooled.mean)))

    def own(self, shared: Shared, group: Moments) -> Own:
        """Return the standardisation of a batch."""
        variance = group.squares() / group.count
        scale = standard_scale(variance, group.mean, group.count, group.unit)
        return Own.diagonal(group.mean, scale)


class Standardize(CenterScale):
    """Standardise each batch with the mean and standard deviation of all its wells.

    Follows ``efaar_benchmarking.efaar.centerscale_by_batch`` and, for one plate,
    ``pycytominer.normalize(samples="all", method="standardize")``.
    """

    name = "standardize"
    fits_on = "all"


class PCACenterScale(MomentAlignment):
    """Rotate by the principal axes of all controls, then standardise each batch by its controls.

    ``z = (x - mean of all controls) V``, V all principal axes; then `CenterScale` of z. This is the
    alignment of RxRx3-core's own benchmark (``pca_centerscale_on_controls``). Axes along which the
    controls do not vary are left out (see `principal_axes`).
    """

    name = "pca-center-scale"
    covariance = "pooled"

    @property
    def keeps_features(self) -> bool:
        """Whether each feature that comes out is the one that went in: they are axes instead."""
        return False

    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return the rotation."""
        _, axes = principal_axes(pooled.scatter() / pooled.count)
        return Shared(pooled.mean, axes)

    def own(self, shared: Shared, group: Moments) -> Own:
        """Return the standardisation of a batch."""
        assert shared.basis is not None
        offset = (group.mean - shared.shift) @ shared.basis
        # The diagonal of V' S V alone, by rows where they were kept.
        squares = (
            np.square(group.spread @ shared.basis).sum(axis=0)
            if group.is_rows
            else np.einsum("dk,dk->k", shared.basis, group.spread @ shared.basis)
        )
        variance = squares / group.count
        return Own.diagonal(offset, standard_scale(variance, offset, group.count, group.unit))


class RobustMAD(AffineAlignment):
    """Standardise each batch with the median and the median absolute deviation of its controls.

    ``y_j = (x_j - median_j) / (1.4826 mad_j + epsilon)``, so that a normal feature gets a standard
    deviation of 1. Follows ``pycytominer``'s ``RobustMAD``; a feature whose deviation is zero is
    only centred, where that tool divides by epsilon.

    Parameters
    ----------
    epsilon
        Added to the deviation; pycytominer's default is 1e-18.
    min_controls, unseen, few_controls
        See `AffineAlignment`.
    """

    name = "robust-mad"
    factor: ClassVar[float] = 1.4826
    """The standard deviation of a normal distribution over its median absolute deviation, rounded
    as pycytominer has it"""

    def __init__(
        self,
        epsilon: float = 1e-18,
        *,
        min_controls: int = 2,
        unseen: Unseen = "raise",
        few_controls: FewControls = "raise",
    ) -> None:
        self.epsilon = epsilon
        super().__init__(min_controls=min_controls, unseen=unseen, few_controls=few_controls)

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        super().check_params()
        check_not_negative("epsilon", self.epsilon)

    def fit_sample(self, sample: Sample) -> None:
        """Fit to a sample."""
        codes = self.fitting(sample)
        rows, codes = sample.chosen(codes >= 0).rows, codes[codes >= 0]
        medians, deviations = medians_and_deviations(rows, codes, sample.batches)
        names = None if sample.names is None else tuple(sample.names)
        counts = np.bincount(codes, minlength=sample.batches)
        few = self.too_few(counts) & (names is not None)
        pooled = names is not None and self.unseen == "pooled"
        if pooled or few.any():
            of_all = medians_and_deviations(rows, np.zeros_like(codes), 1)
            medians[few], deviations[few] = of_all
            if pooled:
                both = zip((medians, deviations), of_all, strict=True)
                medians, deviations = map(np.concatenate, both)
        with np.errstate(over="ignore"):
            size = deviations * self.factor + self.epsilon
        if np.isinf(size).any():
            raise InputError(
                f"the deviation of feature {np.isinf(size).any(axis=0).argmax()} is beyond the "
                "range of float64; divide that feature by a constant"
            )
        scale = 1 / np.where(deviations > 0, size, 1.0)
        maps = diagonal_maps(np.zeros(rows.shape[1]), medians, scale)
        pooled_for = tuple(compress(names or (), few))
        self.affine_ = BatchAffine(names, (maps,), counts, pooled, pooled_for)


class PlateMAD(RobustMAD):
    """Standardise each batch with the median and the median absolute deviation of all its wells.

    ``y_j = (x_j - median_j) / mad_j``, without the factor that makes a normal feature's deviation
    1. Follows ``mad`` of the jump-profiling-recipe (``preprocessing/normalize.py``) as its CRISPR
    and ORF profiles have it. A feature whose deviation is zero is only centred. It takes wells that
    are in memory.

    Parameters
    ----------
    epsilon, min_controls, unseen, few_controls
        See `RobustMAD`.
    """

    name = "plate-mad"
    fits_on = "all"
    factor = 1.0

    @property
    def streams(self) -> bool:
        """Whether it can be fitted to wells that are read in chunks: no."""
        return False
