"""The benchmarks of the field, each a function that returns a small result object."""

from wellgram.metrics.agreement import AgreementResult, replicate_agreement
from wellgram.metrics.average_precision import AveragePrecisionResult, average_precision
from wellgram.metrics.bootstrap import gene_bootstrap
from wellgram.metrics.clusters import cluster_separation, enrichment
from wellgram.metrics.compound_gene import CompoundGeneResult, compound_gene
from wellgram.metrics.consistency import ConsistencyResult, consistency
from wellgram.metrics.magnitude import MagnitudeResult, magnitude
from wellgram.metrics.mean_average_precision import (
    MeanAveragePrecisionResult,
    mean_average_precision,
)
from wellgram.metrics.proximity_bias import ProximityBiasResult, proximity_bias
from wellgram.metrics.recall import RecallResult, clean_pairs, known_pairs, relationship_recall

__all__ = [
    "AgreementResult",
    "AveragePrecisionResult",
    "CompoundGeneResult",
    "ConsistencyResult",
    "MagnitudeResult",
    "MeanAveragePrecisionResult",
    "ProximityBiasResult",
    "RecallResult",
    "average_precision",
    "clean_pairs",
    "cluster_separation",
    "compound_gene",
    "consistency",
    "enrichment",
    "gene_bootstrap",
    "known_pairs",
    "magnitude",
    "mean_average_precision",
    "proximity_bias",
    "relationship_recall",
    "replicate_agreement",
]
