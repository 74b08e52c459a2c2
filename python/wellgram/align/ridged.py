"""What TVN and CORAL share: the inverse root of each batch's covariance plus a ridge."""

import numpy as np

from wellgram.align.affine_alignment import FewControls, Unseen
from wellgram.align.from_moments import MomentAlignment
from wellgram.align.spectrum import (
    Shrinkage,
    Spectrum,
    check_positive,
    check_shrinkage,
    shrinkage_of,
)
from wellgram.backends.protocol import Floats, Moments, Spread
from wellgram.errors import InputError

_MOST_OVER_RIDGE = 2.0**60
"""How many times a ridge a variance may be: the inverse root then keeps half the bits of float64"""

_LARGEST = float(np.finfo(np.float64).max)


class RidgedWhitening(MomentAlignment):
    """Multiplies each batch by ``(S_b + ridge I)^(-1/2)``, and may give a covariance back."""

    covariance = "batch"

    def __init__(
        self,
        ridge: float,
        *,
        recolor: bool,
        shrinkage: Shrinkage,
        min_controls: int,
        unseen: Unseen,
        few_controls: FewControls,
    ) -> None:
        self.ridge = ridge
        self.recolor = recolor
        self.shrinkage = shrinkage
        super().__init__(min_controls=min_controls, unseen=unseen, few_controls=few_controls)

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        super().check_params()
        check_positive("ridge", self.ridge)
        check_shrinkage(self.shrinkage)

    def wanted_spread(self) -> Spread:
        """Return what must be kept of the spread of a batch."""
        return "rows" if self.shrinkage == "ledoit-wolf" else "smaller"

    def inverse_root(self, group: Moments) -> tuple[float, Floats, Floats]:
        """Return scale, axes and gains: the inverse root is scale I + axes diag(gains) axes'."""
        spectrum = Spectrum.of(group)
        if self.shrinkage is not None:
            spectrum = spectrum.shrunk(shrinkage_of(self.shrinkage, group))
        ridge = self.ridge_of(group)
        largest = spectrum.variances.max(initial=0.0)
        if largest > _MOST_OVER_RIDGE * (spectrum.rest + ridge):
            most = int(np.abs(spectrum.axes[:, spectrum.variances.argmax()]).argmax())
            where = f" of feature {most}" if self.keeps_features else ""
            raise InputError(
                f"ridge={self.ridge:g} is lost beside the variance{where} in the controls; take a "
                "larger one, or standardise the features before (CenterScale)"
            )
        scale, gains = spectrum.inverse_root(ridge)
        return scale, spectrum.axes, gains

    def ridge_of(self, group: Moments) -> float:
        """Return the ridge for the covariance of features that are divided by their unit."""
        with np.errstate(over="ignore", under="ignore"):
            return float(min(np.divide(self.ridge, group.unit) / group.unit, _LARGEST))
