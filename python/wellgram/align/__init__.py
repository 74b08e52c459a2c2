"""Alignment (batch correction): fitted mostly on controls; mostly one affine map per batch."""

from wellgram.align.affine import BatchAffine
from wellgram.align.affine_alignment import AffineAlignment, FewControls
from wellgram.align.applying import (
    Aligner,
    affine_of,
    aligned,
    aligned_in_memory,
    fit_if_needed,
    needs_fit,
    pooled_batches,
)
from wellgram.align.arm_correction import ArmCorrection
from wellgram.align.center_scale import (
    CenterScale,
    PCACenterScale,
    PlateMAD,
    RobustMAD,
    Standardize,
)
from wellgram.align.chains import Chain, chain
from wellgram.align.combat import ComBat
from wellgram.align.coral import CORAL
from wellgram.align.covariate_regression import CovariateRegression
from wellgram.align.estimator import Alignment
from wellgram.align.feature_select import FeatureSelect
from wellgram.align.from_moments import MomentAlignment, Own, Shared
from wellgram.align.harmony import Harmony
from wellgram.align.inverse_normal import InverseNormal
from wellgram.align.outlier_features import OutlierFeatures
from wellgram.align.pca_rotate import PCARotate
from wellgram.align.presets import PRESETS
from wellgram.align.proximity import ProximityCorrection
from wellgram.align.sphering import PCAWhiten, Sphering
from wellgram.align.tvn import TVN
from wellgram.align.variant_features import VariantFeatures
from wellgram.align.well_position import WellPosition
from wellgram.errors import InputError

ALIGNMENTS: dict[str, type[Alignment]] = {
    cls.name: cls
    for cls in (
        CenterScale,
        Standardize,
        RobustMAD,
        PCACenterScale,
        PCAWhiten,
        Sphering,
        CORAL,
        TVN,
        ComBat,
        InverseNormal,
        FeatureSelect,
        VariantFeatures,
        PlateMAD,
        OutlierFeatures,
        PCARotate,
    )
}
"""The registry: the name on the command line and the class behind it."""

OPTIONAL: dict[str, type[Alignment]] = {Harmony.name: Harmony}
"""Those that need a package which the library does not; they say so when they are fitted"""

BY_COLUMN: dict[str, type[Alignment]] = {
    cls.name: cls for cls in (WellPosition, CovariateRegression, ArmCorrection)
}
"""Those that need a column which not every screen has; they name it when they are fitted"""


def alignment_names() -> list[str]:
    """Return the names that `alignment` knows, beside ``"none"``."""
    return list(ALIGNMENTS | BY_COLUMN | OPTIONAL | PRESETS)


def alignment(name: str, *, few_controls: FewControls = "raise") -> Alignment | None:
    """Return a new alignment of that name with its defaults; None for ``"none"``.

    Names joined by ``+`` make a chain: ``"robust-mad+inverse-normal"``. So do the names of
    presets. `few_controls` is for those steps that have it: see `AffineAlignment`.

    Raises
    ------
    InputError
        If there is no such alignment.
    """
    if name == "none":
        return None
    known = ALIGNMENTS | BY_COLUMN | OPTIONAL
    steps: list[Alignment] = []
    for part in name.split("+"):
        if part in PRESETS:
            steps += PRESETS[part]()
            continue
        if part not in known:
            raise InputError(
                f"unknown alignment {part!r}; choose none, {', '.join(alignment_names())}, or "
                "several joined by +"
            )
        steps.append(known[part]())
    if few_controls != "raise":
        for step in steps:
            if "few_controls" in step.get_params():
                step.set_params(few_controls=few_controls)
    return steps[0] if len(steps) == 1 else Chain(steps)


__all__ = [
    "ALIGNMENTS",
    "BY_COLUMN",
    "CORAL",
    "OPTIONAL",
    "PRESETS",
    "TVN",
    "AffineAlignment",
    "Aligner",
    "Alignment",
    "ArmCorrection",
    "BatchAffine",
    "CenterScale",
    "Chain",
    "ComBat",
    "CovariateRegression",
    "FeatureSelect",
    "FewControls",
    "Harmony",
    "InverseNormal",
    "MomentAlignment",
    "OutlierFeatures",
    "Own",
    "PCACenterScale",
    "PCARotate",
    "PCAWhiten",
    "PlateMAD",
    "ProximityCorrection",
    "RobustMAD",
    "Shared",
    "Sphering",
    "Standardize",
    "VariantFeatures",
    "WellPosition",
    "affine_of",
    "aligned",
    "aligned_in_memory",
    "alignment",
    "alignment_names",
    "chain",
    "fit_if_needed",
    "needs_fit",
    "pooled_batches",
]
