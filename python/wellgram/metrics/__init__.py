"""The benchmarks of the field, each a function that returns a small result object."""

from wellgram.metrics.agreement import AgreementResult, replicate_agreement
from wellgram.metrics.average_precision import AveragePrecisionResult, average_precision
from wellgram.metrics.batch_panel import BatchEffects, batch_effects
from wellgram.metrics.batch_study import BatchStudyResult, batch_study
from wellgram.metrics.bootstrap import gene_bootstrap
from wellgram.metrics.clusters import cluster_separation, enrichment
from wellgram.metrics.comparison import ComparisonResult, compare_compound_gene, compare_recall
from wellgram.metrics.complexes import (
    ComplexSimilarity,
    complex_similarity,
    complexes_of_pairs,
)
from wellgram.metrics.compound_gene import CompoundGeneResult, compound_gene
from wellgram.metrics.confounders import associations, mean_number, number_baseline
from wellgram.metrics.consistency import ConsistencyResult, consistency
from wellgram.metrics.guides import guide_agreement
from wellgram.metrics.magnitude import MagnitudeResult, magnitude
from wellgram.metrics.matching import match_wells, matched_recall
from wellgram.metrics.mean_average_precision import (
    MeanAveragePrecisionResult,
    mean_average_precision,
)
from wellgram.metrics.probe_result import ProbeResult
from wellgram.metrics.probes import linear_probe, neighbor_accuracy
from wellgram.metrics.projection import Projection, project
from wellgram.metrics.proximity_bias import ProximityBiasResult, proximity_bias, split_by_arm
from wellgram.metrics.recall import RecallResult, clean_pairs, known_pairs, relationship_recall

__all__ = [
    "AgreementResult",
    "AveragePrecisionResult",
    "BatchEffects",
    "BatchStudyResult",
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
    "batch_study",
    "clean_pairs",
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
