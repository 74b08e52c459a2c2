"""The benchmarks of the field, each a function that returns a small result object."""

from wellgram.metrics.agreement import AgreementResult, replicate_agreement
from wellgram.metrics.arm_bias import ProximityBiasResult, proximity_bias, split_by_arm
from wellgram.metrics.batch_effects_panel import BatchEffects, batch_effects
from wellgram.metrics.bootstrap import gene_bootstrap
from wellgram.metrics.class_f1 import MacroF1Result
from wellgram.metrics.comparison import ComparisonResult, compare_drug_targets, compare_recall
from wellgram.metrics.confounders import associations, covariate_means, covariate_wells
from wellgram.metrics.discrimination import RetrievalResult, retrieval
from wellgram.metrics.energy_distance import MagnitudeResult, magnitude
from wellgram.metrics.energy_pairs import EnergyDistances, energy_distances
from wellgram.metrics.gene_set_tests import enrichment, gene_set_separation
from wellgram.metrics.graph_measures import (
    NeighborMixing,
    TransferredLabels,
    neighbor_mixing,
    transfer_labels,
)
from wellgram.metrics.guides import guide_agreement
from wellgram.metrics.matching import match_wells, matched_recall
from wellgram.metrics.mechanism_scores import MechanismResult, mechanism_accuracy
from wellgram.metrics.precision_by_group import (
    MeanAveragePrecisionResult,
    mean_average_precision,
)
from wellgram.metrics.precision_by_profile import AveragePrecisionResult, average_precision
from wellgram.metrics.probe_results import ProbeResult
from wellgram.metrics.probe_scores import linear_probe, neighbor_accuracy
from wellgram.metrics.projection import PCAProjection, pca_projection
from wellgram.metrics.recall import RecallResult, known_pairs, relationship_recall
from wellgram.metrics.replicate_consistency import ConsistencyResult, consistency
from wellgram.metrics.set_similarity import (
    GeneSetSimilarity,
    gene_set_similarity,
    gene_sets_of_pairs,
)
from wellgram.metrics.target_ranking import DrugTargetsResult, drug_targets

__all__ = [
    "AgreementResult",
    "AveragePrecisionResult",
    "BatchEffects",
    "ComparisonResult",
    "ConsistencyResult",
    "DrugTargetsResult",
    "EnergyDistances",
    "GeneSetSimilarity",
    "MacroF1Result",
    "MagnitudeResult",
    "MeanAveragePrecisionResult",
    "MechanismResult",
    "NeighborMixing",
    "PCAProjection",
    "ProbeResult",
    "ProximityBiasResult",
    "RecallResult",
    "RetrievalResult",
    "TransferredLabels",
    "associations",
    "average_precision",
    "batch_effects",
    "compare_drug_targets",
    "compare_recall",
    "consistency",
    "covariate_means",
    "covariate_wells",
    "drug_targets",
    "energy_distances",
    "enrichment",
    "gene_bootstrap",
    "gene_set_separation",
    "gene_set_similarity",
    "gene_sets_of_pairs",
    "guide_agreement",
    "known_pairs",
    "linear_probe",
    "magnitude",
    "match_wells",
    "matched_recall",
    "mean_average_precision",
    "mechanism_accuracy",
    "neighbor_accuracy",
    "neighbor_mixing",
    "pca_projection",
    "proximity_bias",
    "relationship_recall",
    "replicate_agreement",
    "retrieval",
    "split_by_arm",
    "transfer_labels",
]
