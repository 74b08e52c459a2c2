"""What is replaced: one entry per function. To add one is to add an entry.

This module imports nothing of the library or of those it accelerates, so that it costs nothing
until one of those is imported.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """A function of another library, and what stands in for it."""

    target: str
    """``module:function`` of the original, or ``module:Class.method``"""
    replacement: str
    """The same of ours, in this package. It has all parameters that any version of the original
    has; those that a version lacks have defaults."""
    domain: str
    """A function beside it that takes the arguments and raises `Declined` for those that it has
    not been verified for; empty where the replacement sees for itself"""
    tolerance: float
    """How far numbers may be from those of the original in float64: absolute for what is below 1,
    relative above; or as far as the original in float32 is from that"""
    versions: tuple[str, ...]
    """The versions of the library that it was tested with. With another the first call with each
    pattern of arguments runs both, and the original serves from then on if they differ."""
    also: bool = False
    """Whether it is replaced only where a script asks for its library"""

    @property
    def module(self) -> str:
        """The module of the original."""
        return self.target.partition(":")[0]

    @property
    def function(self) -> str:
        """The name of the original in its module, with the class of a method."""
        return self.target.partition(":")[2]

    @property
    def library(self) -> str:
        """The package of the original."""
        return self.target.partition(":")[0].partition(".")[0]

    @property
    def name(self) -> str:
        """The original as it is written in a script."""
        return self.target.replace(":", ".")


_Row = tuple[str, str, str, float]


def _of(
    originals: str,
    replacements: str,
    versions: tuple[str, ...],
    *rows: _Row,
    also: bool = False,
) -> tuple[Entry, ...]:
    """Return entries of functions whose originals and replacements begin alike."""
    return tuple(
        Entry(originals + name, replacements + ours, domain, tolerance, versions, also)
        for name, ours, domain, tolerance in rows
    )


_1_0 = ("1.0",)
_EFAAR = (
    *_of(
        "efaar_benchmarking.efaar:",
        "efaar.alignments:",
        _1_0,
        ("centerscale_on_controls", "by_controls", "of_wells", 1e-5),
        ("centerscale_by_batch", "by_batch", "of_batches", 1e-5),
        ("tvn_on_controls", "tvn", "of_wells", 1e-5),
        ("embed_by_pca", "embed", "of_pca", 1e-5),
    ),
    *_of(
        "efaar_benchmarking.",
        "efaar.",
        _1_0,
        ("efaar:aggregate", "gene_maps:aggregate", "of_groups", 1e-5),
        ("benchmarking:filter_relationships", "known_pairs:filter_relationships", "", 0.0),
        ("benchmarking:compute_recall", "known_pairs:compute_recall", "of_cosines", 0.0),
        ("benchmarking:known_relationship_benchmark", "known_pairs:recall", "", 1e-4),
        ("benchmarking:cluster_benchmark", "map_clusters:clusters", "", 1e-5),
        ("benchmarking:compute_top_similars", "map_neighbors:similars", "", 1e-5),
    ),
    *_of(
        "efaar_benchmarking.benchmarking:",
        "efaar.replicate_scores:",
        _1_0,
        ("pert_signal_consistency_benchmark", "consistency", "of_directions", 1e-5),
        ("pert_signal_magnitude_benchmark", "magnitude", "of_distances", 1e-5),
    ),
    *_of(
        "efaar_benchmarking.",
        "efaar.",
        (),  # in the trunk alone, which no number of a version tells: they are always on trial
        ("efaar:pca_centerscale_on_controls", "alignments:rotated", "of_wells", 1e-5),
        (
            "benchmarking:compound_gene_benchmark",
            *("compound_targets:compound_gene_scores", "of_drug_targets", 1e-5),
        ),
    ),
)
_0_5 = ("0.5.0", "0.5.1", "0.5.2", "0.5.3", "0.5.4", "0.5.5")
_COPAIRS = (
    *_of(
        "copairs.map.",
        "copairs.",
        _0_5,
        ("average_precision:average_precision", "average_precisions:precision", "", 1e-5),
        ("multilabel:average_precision", "multilabel_precisions:multilabel", "", 1e-5),
        ("normalization:normalize_ap", "expected_precisions:normalized", "", 1e-5),
    ),
    *_of(
        "copairs.map.map:",
        "copairs.mean_precisions:",
        _0_5,
        ("mean_average_precision", "mean_precision", "", 1e-5),
        ("mean_average_precision_hierarchical", "hierarchical_mean_precision", "", 1e-5),
        ("get_map_pvalue", "means_and_p_values", "", 1e-5),
    ),
    *_of(
        "copairs.map.hierarchical_fdr:",
        "copairs.corrected_p_values:",
        _0_5,
        ("apply_hierarchical_fdr_correction", "hierarchical_correction", "", 1e-5),
    ),
    *_of(
        "copairs.",
        "copairs.",
        _0_5,
        ("compute:get_null_dists", "null_precisions:get_null_dists", "", 0.0),
        ("compute:p_values", "null_precisions:p_values", "", 0.0),
        ("compute:get_similarity_fn", "similarities:get_similarity_fn", "", 0.0),
        ("compute:pairwise_cosine", "blocks_of_rows:cosine", "of_rows", 0.0),
        ("compute:pairwise_abs_cosine", "blocks_of_rows:abs_cosine", "of_rows", 0.0),
        ("compute:pairwise_corr", "blocks_of_rows:correlation", "of_rows", 0.0),
        ("matching:Matcher.get_all_pairs", "matched_pairs:all_pairs", "", 0.0),
    ),
)
_PYCYTOMINER = _of(
    "pycytominer.",
    "pycytominer.",
    ("1.5.1", "1.6.0", "1.6.1", "1.7.0", "1.7.1"),
    ("aggregate:aggregate", "aggregated:aggregate", "of_profiles", 1e-5),
    ("consensus:consensus", "replicate_consensus:consensus", "", 1e-5),
    ("normalize:normalize", "normalized:normalize", "", 1e-5),
    ("feature_select:feature_select", "selected_features:feature_select", "", 0.0),
)
_LEARN = ("1.6.0", "1.9.1")
_SKLEARN = _of(
    "sklearn.metrics.pairwise:",
    "sklearn.cosine_matrix:",
    _LEARN,
    ("cosine_similarity", "cosine_similarity", "of_floats", 1e-5),
)

# Replaced only in scripts that ask for these libraries.
_SKLEARN_ALSO = (
    *_of(
        "sklearn.metrics.cluster._unsupervised:",
        "sklearn.cluster_silhouettes:",
        _LEARN,
        ("silhouette_samples", "silhouette_samples", "of_clusters", 1e-5),
        also=True,
    ),
    *_of(
        "sklearn.neighbors._base:KNeighborsMixin.",
        "sklearn.cosine_neighbors:",
        _LEARN,
        ("kneighbors", "kneighbors", "of_cosine_neighbors", 1e-5),
        also=True,
    ),
)
_PANDAS = _of(
    "pandas:DataFrame.",  # once all of pandas has been imported, which ours needs
    "pandas.column_correlations:",
    ("2.2.0", "2.3.3", "3.1.1"),
    ("corr", "correlate_columns", "of_numbers", 1e-5),
    also=True,
)
_SCIPY = _of(
    "scipy.spatial.distance:",
    "scipy.pairwise_distances:",
    ("1.11.1", "1.17.1"),
    ("pdist", "pdist", "of_one_set", 1e-5),
    ("cdist", "cdist", "of_two_sets", 1e-5),
    also=True,
)
_SCIB = (
    *_of(
        "scib_metrics.utils._silhouette:",
        "scib_metrics.label_silhouettes:",
        ("0.5.10",),
        ("silhouette_samples", "silhouette_samples", "of_labelled", 1e-5),
        also=True,
    ),
    *_of(
        "scib_metrics.metrics._kbet:",
        "scib_metrics.batch_acceptance:",
        ("0.5.10",),
        ("kbet", "kbet", "of_neighbors", 1e-5),
        also=True,
    ),
)

ENTRIES = (
    *_EFAAR,
    *_COPAIRS,
    *_PYCYTOMINER,
    *_SKLEARN,
    *_SKLEARN_ALSO,
    *_PANDAS,
    *_SCIPY,
    *_SCIB,
)
"""Everything that is replaced"""
