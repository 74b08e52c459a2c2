"""Measures of cytominer-eval, which reviewers and old pipelines ask for: each from one pass."""

from wellgram.metrics.legacy.first_partners import precision_recall
from wellgram.metrics.legacy.grit_scores import GritResult, grit
from wellgram.metrics.legacy.hit_lists import HitResult, hit_at_k
from wellgram.metrics.legacy.mp_values import MpValueResult, mp_value
from wellgram.metrics.legacy.percentile_enrichment import enrichment_above
from wellgram.metrics.legacy.replicate_groups import LegacySimilarity
from wellgram.metrics.legacy.reproducibility import (
    ReproducibilityResult,
    replicate_reproducibility,
)

__all__ = [
    "GritResult",
    "HitResult",
    "LegacySimilarity",
    "MpValueResult",
    "ReproducibilityResult",
    "enrichment_above",
    "grit",
    "hit_at_k",
    "mp_value",
    "precision_recall",
    "replicate_reproducibility",
]
