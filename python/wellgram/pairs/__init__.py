"""All pairs of perturbations: cosines met once, never stored."""

from wellgram.backends.consumers import (
    Bracket,
    Consumer,
    CountBelow,
    Extent,
    Histogram,
    Matrix,
    Met,
    Nearest,
    Ranks,
    RowMoments,
    State,
    WithinGroups,
)
from wellgram.pairs.across import neighbors_across
from wellgram.pairs.distribution import (
    PairHistogram,
    PairQuantiles,
    PairRanks,
    pair_histogram,
    pair_quantiles,
    pair_ranks,
)
from wellgram.pairs.full_matrix import cosine_matrix
from wellgram.pairs.lookup import MapLookup, PerturbationNeighbors, neighbors_of
from wellgram.pairs.neighbor_tables import Neighbors, neighbors
from wellgram.pairs.order import order_statistics
from wellgram.pairs.outside_groups import nearest_outside
from wellgram.pairs.scan_result import Scan
from wellgram.pairs.scanning import pair_count, scan_pairs
from wellgram.pairs.tiling import tile_count
from wellgram.pairs.unit_rows import PairDtype, RowSource, UnitRows, unit_embeddings

__all__ = [
    "Bracket",
    "Consumer",
    "CountBelow",
    "Extent",
    "Histogram",
    "MapLookup",
    "Matrix",
    "Met",
    "Nearest",
    "Neighbors",
    "PairDtype",
    "PairHistogram",
    "PairQuantiles",
    "PairRanks",
    "PerturbationNeighbors",
    "Ranks",
    "RowMoments",
    "RowSource",
    "Scan",
    "State",
    "UnitRows",
    "WithinGroups",
    "cosine_matrix",
    "nearest_outside",
    "neighbors",
    "neighbors_across",
    "neighbors_of",
    "order_statistics",
    "pair_count",
    "pair_histogram",
    "pair_quantiles",
    "pair_ranks",
    "scan_pairs",
    "tile_count",
    "unit_embeddings",
]
