"""Features that vary on every plate."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wellgram.align.chosen_features import ChosenFeatures
from wellgram.align.median_deviations import medians_and_deviations
from wellgram.align.sample import Sample
from wellgram.errors import InputError

FitsOn = Literal["all", "controls"]


class VariantFeatures(ChosenFeatures):
    """Keep the features that vary among the wells of each batch, beside their size.

    A feature is kept if in every batch its median absolute deviation is not zero and is more than
    `min_variation` of its median's size. A feature with a median of zero in a batch is left out, as
    there is nothing to compare with. Follows ``select_variant_features`` of the
    jump-profiling-recipe (``preprocessing/stats.py``), which its pipelines call ``var``. Its
    numbers are float32; so are those compared here.

    Use it before features are centred: afterwards medians are zero, or nearly so.

    Parameters
    ----------
    min_variation
        The least share of the median; 1e-3 as published.
    fits_on
        Whether deviations are those of all wells of a batch, or of its controls. Those of controls
        can be had of a stream.
    """

    name = "variant-features"

    def __init__(self, min_variation: float = 1e-3, *, fits_on: FitsOn = "all") -> None:
        self.min_variation = min_variation
        self.fits_on = fits_on
        self.check_params()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if not self.min_variation >= 0:
            raise InputError(f"min_variation must be 0 or more, not {self.min_variation}")
        if self.fits_on not in ("all", "controls"):
            raise InputError(f"fits_on must be 'all' or 'controls', not {self.fits_on!r}")

    @property
    def needs_controls(self) -> bool:
        """Whether it is fitted on controls."""
        return self.fits_on == "controls"

    @property
    def streams(self) -> bool:
        """Whether it can be fitted to wells that are read in chunks: if controls are enough."""
        return self.fits_on == "controls"

    @property
    def remedy(self) -> str:
        """What to do where no feature is left."""
        return "take it before features are centred, lower min_variation"

    def chosen(self, sample: Sample) -> NDArray[np.bool_]:
        """Return which features are kept, a mask (d,)."""
        taken = sample.is_control if self.needs_controls else np.ones(len(sample.codes), bool)
        codes = sample.codes[taken]
        counts = np.bincount(codes, minlength=sample.batches)
        if not counts.all():
            names = sample.names or ["all wells"]
            raise InputError(
                f"there is no control well in batch {names[int(counts.argmin())]!r} "
                f"({sample.said}), of which variant-features takes deviations; name other "
                "controls, or take all wells (fits_on='all')"
            )
        medians, deviations = medians_and_deviations(
            sample.chosen(taken).rows, codes, sample.batches
        )
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            shares = np.abs(deviations / medians).astype(np.float32)
        shares[~np.isfinite(shares)] = 0
        varies = (deviations.astype(np.float32) != 0) & (shares > self.min_variation)
        return np.asarray(varies.all(axis=0))
