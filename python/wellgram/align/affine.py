"""The algebra that every alignment shares: fit moments of the controls, apply one map per batch.

A fitted alignment is d x d algebra on the moments of control wells. Since the mean of wells
commutes with an affine map, a map of perturbations needs the aligned means only: see
`wellgram.aggregate`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.protocol import AffineMaps, Codes, Floats, GroupMoments, Rows
from wellgram.errors import InputError
from wellgram.wells import Wells


@dataclass(frozen=True, repr=False)
class BatchAffine:
    """A fitted alignment: an affine map for each named batch."""

    batches: tuple[str, ...]
    maps: AffineMaps
    controls: Codes
    """The number of control wells it was fitted on, per batch"""

    def codes(self, wells: Wells) -> Codes:
        """Return the batch of each well as an index into `batches`.

        Raises
        ------
        InputError
            If a batch was not there at fit.
        """
        codes, names = wells.batches()
        place = {name: b for b, name in enumerate(self.batches)}
        unseen = [name for name in names if name not in place]
        if unseen:
            raise InputError(
                f"{len(unseen)} batches were not there when the alignment was fitted "
                f"(first: {unseen[0]!r}); fit it on wells that include them"
            )
        return np.array([place[name] for name in names], np.int64)[codes]

    def apply(self, x: Rows, codes: Codes, *, backend: str | None = None) -> Rows:
        """Return rows x (n, d) of batches `codes` (n,), aligned: (n, k) in the type of x."""
        return get_backend(backend).apply_affine(x, codes, self.maps)

    def __repr__(self) -> str:
        d, k = len(self.maps.shift), self.maps.features
        least = int(self.controls.min())
        return (
            f"BatchAffine({len(self.batches)} batches, {d} -> {k} features, "
            f"{least} controls in the smallest batch, {least / d:.2g} per feature)"
        )


class Alignment(ABC):
    """An alignment that is fitted on control wells, by scikit-learn's conventions.

    Subclasses give `name` and the maps; after `fit`, `affine_` holds the `BatchAffine`.
    """

    name: ClassVar[str]
    affine_: BatchAffine

    @abstractmethod
    def _maps(self, moments: GroupMoments, *, by_batch: bool) -> AffineMaps:
        """Return the maps, given the moments of the controls of each batch.

        Where the wells have no batches there is one group, and `by_batch` is False.
        """

    def fit(self, wells: Wells, *, backend: str | None = None) -> Self:
        """Fit the maps on the control wells of each batch.

        Raises
        ------
        InputError
            If a batch has fewer than two control wells.
        """
        codes, names = wells.batches()
        is_control = wells.metadata["is_control"].to_numpy(bool)
        counts = wells.controls_per_batch()
        if (counts < 2).any():
            raise InputError(_too_few_controls(wells, codes, names, counts))
        moments = get_backend(backend).group_moments(
            wells.embeddings[is_control], codes[is_control], len(names)
        )
        maps = self._maps(moments, by_batch="batch" in wells.metadata)
        self.affine_ = BatchAffine(tuple(names), maps, counts)
        return self

    def transform(self, wells: Wells, *, backend: str | None = None) -> Rows:
        """Return the aligned embeddings (n, k) in the type of the wells' embeddings."""
        return self.affine_.apply(wells.embeddings, self.affine_.codes(wells), backend=backend)

    def fit_transform(self, wells: Wells, *, backend: str | None = None) -> Rows:
        """Fit, then transform the same wells."""
        return self.fit(wells, backend=backend).transform(wells, backend=backend)


def _too_few_controls(wells: Wells, codes: Codes, names: list[str], counts: Codes) -> str:
    few = np.flatnonzero(counts < 2)
    found = "no control well" if counts[few[0]] == 0 else "only one control well"
    control = wells.origin.get("control", "column 'is_control'")
    if "batch" not in wells.metadata:
        return (
            f"there is {found} (controls: {control}); an alignment needs two: name other controls, "
            "or do without an alignment (align='none')"
        )
    more = f" and in {len(few) - 1} other batches" if len(few) > 1 else ""
    size = int((codes == few[0]).sum())
    return (
        f"{found} in batch {names[few[0]]!r}{more} (column {wells.origin.get('batch', 'batch')!r}; "
        f"controls: {control}); an alignment needs two: leave out its {size} wells, name other "
        "controls, or align without batches (batch='none')"
    )


def standard_scale(variance: Floats, mean: Floats, count: Codes | int) -> Floats:
    """Return 1 / sd, and 1 where a feature is constant, by scikit-learn's rule for constant.

    A variance counts as zero up to the rounding error of computing it,
    ``n eps var + (n eps mean)^2``, as in ``sklearn.preprocessing.StandardScaler``.
    """
    eps = np.finfo(np.float64).eps
    constant = variance <= count * eps * variance + (count * eps * mean) ** 2
    return 1 / np.sqrt(np.where(constant, 1.0, variance))


def principal_axes(covariance: Floats) -> tuple[Floats, Floats]:
    """Return the variances (k,), descending, and the axes (d, k) of a covariance matrix (d, d).

    Null axes are left out: those whose variance is under ``d eps`` of the largest, the size that
    rounding gives a variance that is zero (the rule of ``numpy.linalg.matrix_rank``). There are
    such where controls are fewer than features; dividing by them would blow rounding errors up.
    """
    variances, axes = np.linalg.eigh(covariance)
    kept = variances > len(covariance) * np.finfo(np.float64).eps * max(variances[-1], 0)
    if not kept.any():
        raise InputError(
            "all control wells have the same embedding; an alignment needs controls that vary"
        )
    return variances[kept][::-1], axes[:, kept][:, ::-1]
