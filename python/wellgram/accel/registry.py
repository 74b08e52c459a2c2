"""What is replaced: one entry per function. To add one is to add an entry.

This module imports nothing of the library or of those it accelerates, so that it costs nothing
until one of those is imported.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """A function of another library, and what stands in for it."""

    target: str
    """``module:function`` of the original"""
    replacement: str
    """The same of ours, in this package, with the parameters of the original"""
    domain: str
    """A function beside it that takes the arguments and raises `Declined` for those that it has
    not been verified for; empty where the replacement sees for itself"""
    tolerance: float
    """How far numbers may be from those of the original in float64: absolute for what is below 1,
    relative above; or as far as the original in float32 is from that"""
    versions: tuple[str, ...]
    """How the versions of the library begin that it was tested with. With another the first call
    runs both, and the original serves from then on if they differ."""

    @property
    def module(self) -> str:
        """The module of the original."""
        return self.target.partition(":")[0]

    @property
    def function(self) -> str:
        """The name of the original in its module."""
        return self.target.partition(":")[2]

    @property
    def library(self) -> str:
        """The package of the original."""
        return self.target.partition(":")[0].partition(".")[0]

    @property
    def name(self) -> str:
        """The original as it is written in a script."""
        return self.target.replace(":", ".")


_EFAAR, _BENCHMARKS = "efaar_benchmarking.efaar:", "efaar_benchmarking.benchmarking:"
_MAP, _COMPUTE = "copairs.map.", "copairs.compute:"
_CYTO = "pycytominer."
_10, _05, _17, _19 = ("1.0",), ("0.5",), ("1.7",), ("1.9",)
_SKLEARN = "sklearn.metrics.pairwise:cosine_similarity"

ENTRIES = (
    Entry(_EFAAR + "centerscale_on_controls", "efaar_align:by_controls", "of_wells", 1e-5, _10),
    Entry(_EFAAR + "centerscale_by_batch", "efaar_align:by_batch", "of_batches", 1e-5, _10),
    Entry(_EFAAR + "pca_centerscale_on_controls", "efaar_align:rotated", "of_wells", 1e-5, ()),
    Entry(_EFAAR + "tvn_on_controls", "efaar_align:tvn", "of_wells", 1e-5, _10),
    Entry(_EFAAR + "embed_by_pca", "efaar_align:embed", "of_pca", 1e-5, _10),
    Entry(_EFAAR + "aggregate", "efaar_map:aggregate", "of_groups", 1e-5, _10),
    Entry(_BENCHMARKS + "filter_relationships", "efaar_map:filter_relationships", "", 0.0, _10),
    Entry(_BENCHMARKS + "compute_recall", "efaar_map:compute_recall", "of_cosines", 0.0, _10),
    Entry(_BENCHMARKS + "known_relationship_benchmark", "efaar_map:recall", "of_map", 1e-4, _10),
    Entry(_BENCHMARKS + "cluster_benchmark", "efaar_map:clusters", "of_map", 1e-5, _10),
    Entry(_BENCHMARKS + "compute_top_similars", "efaar_map:similars", "of_map", 1e-5, _10),
    Entry(
        _BENCHMARKS + "pert_signal_consistency_benchmark",
        *("efaar_replicates:consistency", "of_replicates", 1e-5, _10),
    ),
    Entry(
        _BENCHMARKS + "pert_signal_magnitude_benchmark",
        *("efaar_replicates:magnitude", "of_replicates", 1e-5, _10),
    ),
    Entry(_MAP + "average_precision:average_precision", "copairs_map:precision", "", 1e-5, _05),
    Entry(_MAP + "multilabel:average_precision", "copairs_map:multilabel", "", 1e-5, _05),
    Entry(_MAP + "map:mean_average_precision", "copairs_null:mean_precision", "", 1e-5, _05),
    Entry(_COMPUTE + "get_null_dists", "copairs_null:get_null_dists", "", 0.0, _05),
    Entry(_COMPUTE + "get_similarity_fn", "copairs_pairs:get_similarity_fn", "", 1e-5, _05),
    Entry(_COMPUTE + "pairwise_cosine", "copairs_pairs:cosine", "of_rows", 1e-5, _05),
    Entry(_COMPUTE + "pairwise_abs_cosine", "copairs_pairs:abs_cosine", "of_rows", 1e-5, _05),
    Entry(_COMPUTE + "pairwise_corr", "copairs_pairs:correlation", "of_rows", 1e-5, _05),
    Entry(_COMPUTE + "pairwise_euclidean", "copairs_pairs:euclidean", "of_rows", 1e-5, _05),
    Entry(_CYTO + "aggregate:aggregate", "cytominer:aggregate", "of_profiles", 1e-5, _17),
    Entry(_CYTO + "consensus:consensus", "cytominer:consensus", "", 1e-5, _17),
    Entry(_CYTO + "normalize:normalize", "cytominer:normalize", "", 1e-5, _17),
    Entry(_SKLEARN, "scikit:cosine_similarity", "of_floats", 1e-5, _19),
)
"""Everything that is replaced"""
