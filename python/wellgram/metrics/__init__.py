"""The benchmarks of the field, each a function that returns a small result object."""

from wellgram.metrics.agreement import AgreementResult, replicate_agreement
from wellgram.metrics.arm_bias import ProximityBiasResult, proximity_bias, split_by_arm
from wellgram.metrics.batch_effects_panel import BatchEffects, batch_effects
from wellgram.metrics.bootstrap import gene_bootstrap
from wellgram.metrics.comparison import ComparisonResult, compare_compound_gene, compare_recall
from wellgram.metrics.confounders import associations, mean_number, number_baseline
from wellgram.metrics.energy_distance import MagnitudeResult, magnitude
from wellgram.metrics.gene_set_tests import cluster_separation, enrichment
from wellgram.metrics.guides import guide_agreement
from wellgram.metrics.matching import match_wells, matched_recall
from wellgram.metrics.precision_by_group import (
    MeanAveragePrecisionResult,
    mean_average_precision,
)
from wellgram.metrics.precision_by_profile import AveragePrecisionResult, average_precision
from wellgram.metrics.probe_results import ProbeResult
from wellgram.metrics.probe_scores import linear_probe, neighbor_accuracy
from wellgram.metrics.projection import Projection, project
from wellgram.metrics.recall import RecallResult, known_pairs, relationship_recall
from wellgram.metrics.replicate_consistency import ConsistencyResult, consistency
from wellgram.metrics.set_similarity import (
    ComplexSimilarity,
    complex_similarity,
    complexes_of_pairs,
)
from wellgram.metrics.target_ranking import CompoundGeneResult, compound_gene

__all__ = [
    "AgreementResult",
    "AveragePrecisionResult",
    "BatchEffects",
    "ComparisonResult",
    "ComplexSimilarity",
    "CompoundGeneResult",
    "ConsistencyResult",
    "MagnitudeResult",
    "MeanAveragePrecisionResult",
    "ProbeResult",
    "Projection",
    "ProximityBiasResult",
    "RecallResult",
    "associations",
    "average_precision",
    "batch_effects",
    "cluster_separation",
    "compare_compound_gene",
    "compare_recall",
    "complex_similarity",
    "complexes_of_pairs",
    "compound_gene",
    "consistency",
    "enrichment",
    "gene_bootstrap",
    "guide_agreement",
    "known_pairs",
    "linear_probe",
    "magnitude",
    "match_wells",
    "matched_recall",
    "mean_average_precision",
    "mean_number",
    "neighbor_accuracy",
    "number_baseline",
    "project",
    "proximity_bias",
    "relationship_recall",
    "replicate_agreement",
    "split_by_arm",
]
