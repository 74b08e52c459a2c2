"""Published chains of corrections, by name."""

from collections.abc import Callable

from wellgram.align.arm_correction import ArmCorrection
from wellgram.align.center_scale import PlateMAD, RobustMAD
from wellgram.align.covariate_regression import CovariateRegression
from wellgram.align.estimator import Alignment
from wellgram.align.feature_select import FeatureSelect
from wellgram.align.harmony import Harmony
from wellgram.align.inverse_normal import InverseNormal
from wellgram.align.outlier_features import OutlierFeatures
from wellgram.align.pca_rotate import PCARotate
from wellgram.align.sphering import Sphering
from wellgram.align.variant_features import VariantFeatures
from wellgram.align.well_position import WellPosition


def _selection() -> FeatureSelect:
    """Return the selection of the recipe, by the shares of values, as pycytominer had it then."""
    return FeatureSelect(("frequency_threshold", "correlation_threshold", "blocklist"))


def _harmony() -> Harmony:
    return Harmony(None, column="Metadata_Batch", n_clusters=300, iterations=20)


def _jump_orf() -> list[Alignment]:
    return [
        WellPosition(),
        CovariateRegression(min_distinct=100),
        VariantFeatures(),
        PlateMAD(),
        OutlierFeatures(),
        _selection(),
        Sphering("ZCA-cor"),
        _harmony(),
    ]


def _jump_crispr() -> list[Alignment]:
    return [*_jump_orf(), PCARotate(), ArmCorrection()]


def _jump_compound() -> list[Alignment]:
    return [
        VariantFeatures(fits_on="controls"),
        RobustMAD(),
        InverseNormal(),
        _selection(),
        _harmony(),
    ]


PRESETS: dict[str, Callable[[], list[Alignment]]] = {
    "jump-crispr": _jump_crispr,
    "jump-orf": _jump_orf,
    "jump-compound": _jump_compound,
}
"""The steps of JUMP's published profiles, by data set, in the order of the jump-profiling-recipe
(``inputs/config``). The batches of the wells are plates; Harmony mixes those of Metadata_Batch."""
