"""wellgram: perturbation maps and their benchmarks from well embeddings.

Wells in, a map out, and every benchmark of the field on it::

    import wellgram as wg

    wells = wg.read_wells("embeddings.parquet", "metadata.csv", layout="rxrx3-core")
    result = wg.score(wells, wg.TVN(), sources=wg.relationship_sources("efaar"))
"""

from wellgram import simulate
from wellgram.aggregate import build_map
from wellgram.align import (
    CORAL,
    TVN,
    BatchAffine,
    CenterScale,
    ComBat,
    InverseNormal,
    PCACenterScale,
    PCAWhiten,
    ProximityCorrection,
    RobustMAD,
    Sphering,
    Standardize,
    chain,
)
from wellgram.backends import available_backends, get_backend, set_backend
from wellgram.errors import BackendUnavailable, ControlsWarning, InputError, WellgramError
from wellgram.io import (
    map_from_wells,
    open_map,
    open_wells,
    read_gene_sets,
    read_map,
    read_relationships,
    read_wells,
    relationship_sources,
    wells_from_frame,
    write_map,
)
from wellgram.metrics import (
    AgreementResult,
    AveragePrecisionResult,
    CompoundGeneResult,
    ConsistencyResult,
    MagnitudeResult,
    MeanAveragePrecisionResult,
    ProximityBiasResult,
    RecallResult,
    average_precision,
    cluster_separation,
    compound_gene,
    consistency,
    enrichment,
    magnitude,
    mean_average_precision,
    proximity_bias,
    relationship_recall,
    replicate_agreement,
)
from wellgram.pairs import (
    cosine_matrix,
    nearest,
    pair_histogram,
    pair_quantiles,
    pair_ranks,
    scan_pairs,
)
from wellgram.score import ScoreResult, score
from wellgram.stream import WellStream
from wellgram.wells import PerturbationMap, Wells

__all__ = [
    "CORAL",
    "TVN",
    "AgreementResult",
    "AveragePrecisionResult",
    "BackendUnavailable",
    "BatchAffine",
    "CenterScale",
    "ComBat",
    "CompoundGeneResult",
    "ConsistencyResult",
    "ControlsWarning",
    "InputError",
    "InverseNormal",
    "MagnitudeResult",
    "MeanAveragePrecisionResult",
    "PCACenterScale",
    "PCAWhiten",
    "PerturbationMap",
    "ProximityBiasResult",
    "ProximityCorrection",
    "RecallResult",
    "RobustMAD",
    "ScoreResult",
    "Sphering",
    "Standardize",
    "WellStream",
    "WellgramError",
    "Wells",
    "available_backends",
    "average_precision",
    "build_map",
    "chain",
    "cluster_separation",
    "compound_gene",
    "consistency",
    "cosine_matrix",
    "enrichment",
    "get_backend",
    "magnitude",
    "map_from_wells",
    "mean_average_precision",
    "nearest",
    "open_map",
    "open_wells",
    "pair_histogram",
    "pair_quantiles",
    "pair_ranks",
    "proximity_bias",
    "read_gene_sets",
    "read_map",
    "read_relationships",
    "read_wells",
    "relationship_recall",
    "relationship_sources",
    "replicate_agreement",
    "scan_pairs",
    "score",
    "set_backend",
    "simulate",
    "wells_from_frame",
    "write_map",
]
