"""Alignments whose maps follow from the moments of batches: shared parts and own."""

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from wellgram.align.affine import BatchAffine
from wellgram.align.affine_alignment import AffineAlignment
from wellgram.align.parallel import in_parallel
from wellgram.align.sample import Sample
from wellgram.backends.long_calls import interruptible
from wellgram.backends.protocol import AffineMaps, Codes, Floats, GroupMoments, Moments, Spread
from wellgram.errors import ControlsWarning
from wellgram.estimators.call_sites import level_outside


@dataclass(frozen=True)
class Own:
    """What a batch's own map does to shared features z (k,): a part of `AffineMaps`."""

    offset: Floats
    scale: Floats
    factor: Floats
    gain: Floats

    @classmethod
    def diagonal(cls, offset: Floats, scale: Floats) -> "Own":
        """Return (z - offset) * scale."""
        return cls(offset, scale, np.empty((len(offset), 0)), np.empty(0))

    @classmethod
    def nothing(cls, k: int) -> "Own":
        """Return z as it is."""
        return cls.diagonal(np.zeros(k), np.ones(k))


@dataclass(frozen=True)
class Shared:
    """What is the same for all batches: z = (x - shift) basis."""

    shift: Floats
    basis: Floats | None = None

    @property
    def features(self) -> int:
        """The number of features of z."""
        return len(self.shift) if self.basis is None else self.basis.shape[1]

    def moments(self, group: Moments) -> Moments:
        """Return the moments of z, of those of x."""
        basis = self.basis
        if basis is None:
            return replace(group, mean=group.mean - self.shift)
        return group.mapped((group.mean - self.shift) @ basis, lambda rows: rows @ basis)


class MomentAlignment(AffineAlignment):
    """An affine alignment whose maps follow from count, mean and spread of each batch."""

    spread: ClassVar[Spread] = "smaller"
    covariance: ClassVar[Literal["batch", "pooled", "none"]] = "none"
    """Whose covariance it takes, so that their wells should not be few beside the features"""
    mixes_units: ClassVar[bool] = True
    """Whether features are mixed as they are, so that all of them need one unit"""

    @property
    def keeps_units(self) -> bool:
        """Whether features come out in the units they had."""
        return False

    def fit_sample(self, sample: Sample) -> None:
        """Fit to a sample."""
        codes = self.fitting(sample)
        moments = sample.moments(codes, self.wanted_spread())
        self.fit_moments(moments, sample.names, spend=True)

    def wanted_spread(self) -> Spread:
        """Return what must be kept of the spread of a batch."""
        return self.spread

    def fit_moments(
        self, moments: GroupMoments, names: Iterable[str] | None, *, spend: bool = False
    ) -> None:
        """Fit to the moments of each batch; names is None where there are no batches.

        To `spend` them is to let go of each batch's as its map is made: both can be gigabytes.
        """
        if self.mixes_units:
            moments = moments.in_one_unit()
        pooled = moments.pooled()
        counts = moments.counts
        if not self.per_batch:
            names, counts = None, np.array([pooled.count])
        batches = None if names is None else tuple(names)
        few = self.too_few(counts)
        size = len(pooled.mean)
        self._warn_of_few(counts, few, size, batches)
        self.affine_ = interruptible(
            size, self._fitted, moments, pooled, batches, counts, few, spend
        )

    def _fitted(
        self,
        moments: GroupMoments,
        pooled: Moments,
        batches: tuple[str, ...] | None,
        counts: Codes,
        few: NDArray[np.bool_],
        spend: bool,
    ) -> BatchAffine:
        shared = self.shared(moments, pooled)
        if batches is None:
            owns = [self.alone(shared, pooled)]
        else:
            groups = moments.spent() if spend else (moments[g] for g in range(len(moments.counts)))
            pooled_own = self.of_unseen(shared, pooled) if few.any() else None
            owns = in_parallel(
                lambda batch: (
                    pooled_own if pooled_own and few[batch[0]] else self.own(shared, batch[1])
                ),
                enumerate(groups),
            )
            if self.unseen == "pooled":
                owns.append(pooled_own or self.of_unseen(shared, pooled))
        maps = AffineMaps(
            shared.shift,
            shared.basis,
            np.array([own.offset for own in owns]),
            np.array([own.scale for own in owns]),
            tuple(own.factor for own in owns),
            tuple(own.gain for own in owns),
        )
        has_pooled = batches is not None and self.unseen == "pooled"
        pooled_for = () if batches is None else tuple(compress(batches, few))
        affine = BatchAffine(batches, (maps,), counts, has_pooled, pooled_for)
        affine = self.finished(affine, pooled)
        return affine.of_units(moments.unit, self.keeps_units) if moments.is_scaled else affine

    @abstractmethod
    def shared(self, moments: GroupMoments, pooled: Moments) -> Shared:
        """Return what is the same for all batches."""

    @abstractmethod
    def own(self, shared: Shared, group: Moments) -> Own:
        """Return the map of a batch, given its moments before the shared part."""

    def alone(self, shared: Shared, group: Moments) -> Own:
        """Return the map of all rows where there are no batches."""
        return self.own(shared, group)

    def of_unseen(self, shared: Shared, pooled: Moments) -> Own:
        """Return the pooled map: of wells whose batch was not there at fit, or had few controls."""
        return self.own(shared, pooled)

    def finished(self, affine: BatchAffine, pooled: Moments) -> BatchAffine:
        """Return the whole map, given the part that moments of batches decide."""
        return affine

    def _warn_of_few(
        self, counts: Codes, few: NDArray[np.bool_], d: int, names: Sequence[str] | None
    ) -> None:
        """Warn of a covariance of few controls; batches that are `few` do without their own."""
        fewest, where = int(counts.sum()), ""
        if self.covariance == "batch" and names is not None and not few.all():
            g = int(np.flatnonzero(~few)[counts[~few].argmin()])
            fewest, where = int(counts[g]), f" in batch {names[g]!r}"
        if self.covariance == "none" or fewest >= d / 4:
            return
        shrink = ", or shrink it (shrinkage=)" if "shrinkage" in self.get_params() else ""
        warnings.warn(
            f"{fewest} controls{where} for {d} features: their covariance says little of most "
            f"directions; take more wells as controls{shrink}",
            ControlsWarning,
            stacklevel=level_outside(),
        )
