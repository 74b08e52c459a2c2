"""The benchmarks of the field, each a function that returns a small result object."""

from wellgram.metrics.bootstrap import gene_bootstrap
from wellgram.metrics.recall import RecallResult, clean_pairs, known_pairs, relationship_recall

__all__ = [
    "RecallResult",
    "clean_pairs",
    "gene_bootstrap",
    "known_pairs",
    "relationship_recall",
]
