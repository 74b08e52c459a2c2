"""What a score is compared with: random sets, p-values, false discovery rates."""

from wellgram.nulls.pvalues import PForm, benjamini_hochberg, empirical_p
from wellgram.nulls.sets import mean_cosine_nulls, stratified_null
from wellgram.nulls.subsets import random_subsets, stream_of

__all__ = [
    "PForm",
    "benjamini_hochberg",
    "empirical_p",
    "mean_cosine_nulls",
    "random_subsets",
    "stratified_null",
    "stream_of",
]
