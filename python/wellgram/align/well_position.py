"""Well positions: wells of one address look alike on all plates; take that off."""

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wellgram.align.affine import AnySample, BatchAffine, diagonal_maps
from wellgram.align.estimator import Alignment
from wellgram.align.sample import Sample
from wellgram.align.well_columns import well_column
from wellgram.errors import InputError, LabelsWarning
from wellgram.estimators.call_sites import level_outside
from wellgram.wells import batch_codes

_USUAL = ("Metadata_Well", "well_position", "well", "address")


class WellPosition(Alignment):
    """Subtract from each well the mean of all wells of its address, over all plates.

    ``y = x - mean(x | address)``. Wells at the edge of a plate dry out and are seeded otherwise, so
    an address such as ``A01`` has an effect of its own. Follows ``subtract_well_mean`` of the
    jump-profiling-recipe (``correct/corrections.py``), with which JUMP's CRISPR and ORF profiles
    were made (MorphMap).

    The mean is over controls and treated wells alike. Where an address has the same treatment on
    every plate, that treatment's effect is taken off with it: a warning names such an address.
    An address must have two wells or more: one alone is its own mean and would become zero.

    Parameters
    ----------
    column
        The column of the wells' metadata that has the address; None: the first that is there of
        Metadata_Well, well_position, well and address.

    Attributes
    ----------
    affine_by_address_
        The mean of each address, as an affine map whose batches are addresses.
    """

    name = "well-position"
    affine_by_address_: BatchAffine

    def __init__(self, column: str | None = None) -> None:
        self.column = column

    def check_columns(self, sample: AnySample) -> None:
        """Raise unless the wells have an address."""
        self._by_address(sample)

    def fit_sample(self, sample: Sample) -> None:
        """Take the mean of each address."""
        by_address = self._by_address(sample)
        names = by_address.names
        assert names is not None
        counts = np.bincount(by_address.codes, minlength=len(names))
        alone = np.flatnonzero(counts == 1)
        if len(alone) == len(names):
            raise InputError(
                f"each of the {len(names)} addresses occurs once: this is one plate, or the column "
                "names wells instead of addresses; a well-position correction needs plates of one "
                "layout, so give more plates or another column (column=), or do without it"
            )
        if len(alone):
            raise InputError(
                f"address {names[int(alone[0])]!r} has one well only ({len(alone)} addresses "
                "have), which is its own mean and would become zero; leave such wells out, or give "
                "more plates"
            )
        self._warn_of_one_treatment(sample, by_address.codes, names)
        moments = by_address.moments(by_address.codes, "variances")
        means = moments.means * moments.unit
        maps = diagonal_maps(np.zeros(sample.width), means, np.ones_like(means))
        self.affine_by_address_ = BatchAffine(tuple(names), (maps,), counts)

    def _by_address(self, sample: AnySample) -> AnySample:
        """Return the sample with addresses in the place of batches."""
        columns = _USUAL if self.column is None else (self.column,)
        addresses = well_column(sample, columns, "well address", self.name)
        codes, names = batch_codes(addresses)
        return replace(sample, codes=codes, names=names)

    def _warn_of_one_treatment(
        self, sample: Sample, codes: NDArray[np.int64], names: list[str]
    ) -> None:
        """Warn of addresses all of whose wells have one treatment that no other address has."""
        metadata = sample.metadata
        assert metadata is not None
        treatments = metadata["perturbation"].astype("str")
        table = treatments.to_frame("treatment").assign(address=codes)[~sample.is_control]
        single = table.groupby("address")["treatment"].nunique() == 1
        places = table.groupby("treatment")["address"].nunique()
        first = table.groupby("address")["treatment"].first()[single]
        lost = first[places.reindex(first).to_numpy() == 1]
        whole = np.bincount(codes[sample.is_control], minlength=len(names))[lost.index] == 0
        lost = lost[whole]
        if len(lost):
            warnings.warn(
                f"all wells of address {names[lost.index[0]]!r} have treatment {lost.iloc[0]!r}, "
                f"which is nowhere else ({len(lost)} addresses are such): their mean is its effect "
                "and is taken off; do without a well-position correction if layouts do not differ",
                LabelsWarning,
                stacklevel=level_outside(),
            )

    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample without the means of addresses."""
        by_address = self._by_address(sample)
        unseen = sorted({*(by_address.names or ())} - {*(self.affine_by_address_.batches or ())})
        if unseen:
            raise InputError(
                f"{len(unseen)} addresses were not there when the well-position correction was "
                f"fitted (first: {unseen[0]!r}); fit it on wells that include them"
            )
        aligned = self.affine_by_address_.apply_sample(by_address)
        return replace(aligned, codes=sample.codes, names=sample.names)
