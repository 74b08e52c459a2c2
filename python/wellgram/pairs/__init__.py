"""All pairs of perturbations: cosines met once, never stored."""

from wellgram.backends.consumers import Bracket, CountBelow, Histogram
from wellgram.pairs.order import order_statistics
from wellgram.pairs.scan import pair_count, scan_pairs, unit_embeddings

__all__ = [
    "Bracket",
    "CountBelow",
    "Histogram",
    "order_statistics",
    "pair_count",
    "scan_pairs",
    "unit_embeddings",
]
