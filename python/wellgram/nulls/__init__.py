"""What a score is compared with: random sets, p-values, false discovery rates."""

from wellgram.nulls.angles import mean_angle_null, mean_angles
from wellgram.nulls.hierarchical_rates import (
    FDR,
    FamilyP,
    HierarchicalRates,
    hierarchical_fdr,
)
from wellgram.nulls.precisions import every_precision, random_precisions
from wellgram.nulls.pvalues import PForm, benjamini_hochberg, empirical_p
from wellgram.nulls.sets import mean_cosine_nulls, stratified_null, stratum_stream
from wellgram.nulls.subsets import random_subsets, stream_of

__all__ = [
    "FDR",
    "FamilyP",
    "HierarchicalRates",
    "PForm",
    "benjamini_hochberg",
    "empirical_p",
    "every_precision",
    "hierarchical_fdr",
    "mean_angle_null",
    "mean_angles",
    "mean_cosine_nulls",
    "random_precisions",
    "random_subsets",
    "stratified_null",
    "stratum_stream",
    "stream_of",
]
