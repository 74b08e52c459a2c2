"""Alignments that are an affine map for each batch."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from wellgram.align.affine import AnySample, BatchAffine
from wellgram.align.estimator import Alignment
from wellgram.align.sample import Sample
from wellgram.backends.protocol import Codes
from wellgram.errors import InputError

Unseen = Literal["raise", "pooled"]
"""What to do with wells of a batch that was not there at fit"""

FewControls = Literal["raise", "pooled"]
"""What to do with a batch that has fewer wells to be fitted on than it needs"""


class AffineAlignment(Alignment):
    """An alignment that is an affine map for each batch; `affine_` has it once fitted.

    `min_controls` is the least number of wells that a batch may be fitted on. `few_controls` says
    whether a batch with fewer is refused (``"raise"``) or gets the pooled map (``"pooled"``): that
    which is fitted on the controls of all batches taken together, its own few among them. `unseen`
    says the same of batches that were not there at fit.
    """

    affine_: BatchAffine
    fits_on: ClassVar[Literal["controls", "all"]] = "controls"
    per_batch: ClassVar[bool] = True
    """Whether batches have maps of their own"""

    def __init__(
        self,
        *,
        min_controls: int = 2,
        unseen: Unseen = "raise",
        few_controls: FewControls = "raise",
    ) -> None:
        self.min_controls = min_controls
        self.unseen = unseen
        self.few_controls = few_controls
        self.check_params()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if self.min_controls < 1:
            raise InputError(f"min_controls must be 1 or more, not {self.min_controls}")
        if self.unseen not in ("raise", "pooled"):
            raise InputError(f"unseen must be 'raise' or 'pooled', not {self.unseen!r}")
        if self.few_controls not in ("raise", "pooled"):
            raise InputError(f"few_controls must be 'raise' or 'pooled', not {self.few_controls!r}")

    @property
    def needs_controls(self) -> bool:
        """Whether it is fitted on controls."""
        return self.fits_on == "controls"

    @property
    def least_rows(self) -> int:
        """How many rows it is fitted on at the least."""
        return self.min_controls

    @property
    def n_features_out(self) -> int:
        """How many features k come out, once it is fitted."""
        return self.affine_.features

    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample, aligned."""
        return self.affine_.apply_sample(sample)

    def fitting(self, sample: Sample) -> Codes:
        """Return the batch of each row that it is fitted on, -1 for the others.

        Raises
        ------
        InputError
            If a batch has too few of them, or all batches together where that is allowed.
        """
        codes = sample.codes
        if self.fits_on == "controls":
            codes = np.where(sample.is_control, codes, -1)
        if not self.per_batch or self.few_controls == "pooled":
            sample = replace(sample, codes=np.zeros_like(codes), names=None)
        counts = np.bincount(sample.codes[codes >= 0], minlength=sample.batches)
        few = np.flatnonzero(counts < self.min_controls)
        if len(few):
            raise InputError(self._too_few(sample, counts, few))
        return codes

    def too_few(self, counts: Codes) -> NDArray[np.bool_]:
        """Return which batches get the pooled map, for they have so few wells to be fitted on."""
        few: NDArray[np.bool_] = (counts < self.min_controls) & (self.few_controls == "pooled")
        return few

    def _too_few(self, sample: Sample, counts: Codes, few: Codes) -> str:
        g = int(few[0])
        kind = "control well" if self.fits_on == "controls" else "well"
        found = {0: f"no {kind}", 1: f"only one {kind}"}.get(
            int(counts[g]), f"only {counts[g]} {kind}s"
        )
        needs = {1: "one", 2: "two"}.get(self.min_controls, str(self.min_controls))
        if sample.names is None:
            return (
                f"there is {found} ({sample.said}); an alignment needs {needs}: name other "
                "controls, or do without an alignment (align='none')"
            )
        more = f" and in {len(few) - 1} other batches" if len(few) > 1 else ""
        size = int((sample.codes == g).sum())
        return (
            f"{found} in batch {sample.names[g]!r}{more} ({sample.said}); an alignment needs "
            f"{needs}: leave out its {size} wells, name other controls, align without batches "
            "(batch='none'), or align it as all batches together (few_controls='pooled')"
        )

    def __repr__(self) -> str:
        said = super().__repr__()
        return f"{said}, fitted: {self.affine_!r}" if self.is_fitted else said
