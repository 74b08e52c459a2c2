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


_EFAAR_10 = ("1.0",)
_COPAIRS_05 = ("0.5.0", "0.5.1", "0.5.2", "0.5.3", "0.5.4", "0.5.5")
_CYTOMINER = ("1.5.1", "1.6.0", "1.6.1", "1.7.0", "1.7.1")
_LEARN = ("1.6.0", "1.9.1")
_Row = tuple[str, str, str, float, tuple[str, ...]]


def _of(originals: str, replacements: str, *rows: _Row, also: bool = False) -> tuple[Entry, ...]:
    """Return the entries of functions in one module that are replaced from one of ours."""
    return tuple(
        Entry(originals + name, replacements + ours, domain, tolerance, versions, also)
        for name, ours, domain, tolerance, versions in rows
    )


_EFAAR = (
    *_of(
        "efaar_benchmarking.efaar:",
        "efaar.alignments:",
        ("centerscale_on_controls", "by_controls", "of_wells", 1e-5, _EFAAR_10),
        ("centerscale_by_batch", "by_batch", "of_batches", 1e-5, _EFAAR_10),
        ("pca_centerscale_on_controls", "rotated", "of_wells", 1e-5, ()),
        ("tvn_on_controls", "tvn", "of_wells", 1e-5, _EFAAR_10),
        ("embed_by_pca", "embed", "of_pca", 1e-5, _EFAAR_10),
    ),
    *_of(
        "efaar_benchmarking.efaar:",
        "efaar.gene_maps:",
        ("aggregate", "aggregate", "of_groups", 1e-5, _EFAAR_10),
    ),
    *_of(
        "efaar_benchmarking.benchmarking:",
        "efaar.",
        ("filter_relationships", "known_pairs:filter_relationships", "", 0.0, _EFAAR_10),
        ("compute_recall", "known_pairs:compute_recall", "of_cosines", 0.0, _EFAAR_10),
        ("known_relationship_benchmark", "known_pairs:recall", "", 1e-4, _EFAAR_10),
        ("cluster_benchmark", "map_clusters:clusters", "", 1e-5, _EFAAR_10),
        ("compute_top_similars", "map_neighbors:similars", "", 1e-5, _EFAAR_10),
    ),
    *_of(
        "efaar_benchmarking.benchmarking:",
        "efaar.replicate_scores:",
        ("pert_signal_consistency_benchmark", "consistency", "of_directions", 1e-5, _EFAAR_10),
        ("pert_signal_magnitude_benchmark", "magnitude", "of_distances", 1e-5, _EFAAR_10),
    ),
    *_of(
        "efaar_benchmarking.benchmarking:",
        "efaar.compound_targets:",
        # In the trunk alone, which no number of a version tells: each pattern of calls is tried.
        ("compound_gene_benchmark", "compound_gene_scores", "of_drug_targets", 1e-5, ()),
    ),
)
_COPAIRS = (
    *_of(
        "copairs.map.",
        "copairs.",
        (
            "average_precision:average_precision",
            "average_precisions:precision",
            "",
            1e-5,
            _COPAIRS_05,
        ),
        ("multilabel:average_precision", "multilabel_precisions:multilabel", "", 1e-5, _COPAIRS_05),
        ("map:mean_average_precision", "mean_precisions:mean_precision", "", 1e-5, _COPAIRS_05),
        (
            "map:mean_average_precision_hierarchical",
            "mean_precisions:hierarchical_mean_precision",
            "",
            1e-5,
            _COPAIRS_05,
        ),
        ("map:get_map_pvalue", "mean_precisions:means_and_p_values", "", 1e-5, _COPAIRS_05),
        (
            "hierarchical_fdr:apply_hierarchical_fdr_correction",
            "corrected_p_values:hierarchical_correction",
            "",
            1e-5,
            _COPAIRS_05,
        ),
        ("normalization:normalize_ap", "expected_precisions:normalized", "", 1e-5, _COPAIRS_05),
    ),
    *_of(
        "copairs.compute:",
        "copairs.null_precisions:",
        ("get_null_dists", "get_null_dists", "", 0.0, _COPAIRS_05),
        ("p_values", "p_values", "", 0.0, _COPAIRS_05),
    ),
    *_of(
        "copairs.compute:",
        "copairs.similarities:",
        ("get_similarity_fn", "get_similarity_fn", "", 0.0, _COPAIRS_05),
    ),
    *_of(
        "copairs.compute:",
        "copairs.blocks_of_rows:",
        ("pairwise_cosine", "cosine", "of_rows", 0.0, _COPAIRS_05),
        ("pairwise_abs_cosine", "abs_cosine", "of_rows", 0.0, _COPAIRS_05),
        ("pairwise_corr", "correlation", "of_rows", 0.0, _COPAIRS_05),
    ),
    *_of(
        "copairs.matching:",
        "copairs.matched_pairs:",
        ("Matcher.get_all_pairs", "all_pairs", "", 0.0, _COPAIRS_05),
    ),
)
_PYCYTOMINER = _of(
    "pycytominer.",
    "pycytominer.",
    ("aggregate:aggregate", "aggregated:aggregate", "of_profiles", 1e-5, _CYTOMINER),
    ("consensus:consensus", "replicate_consensus:consensus", "", 1e-5, _CYTOMINER),
    ("normalize:normalize", "normalized:normalize", "", 1e-5, _CYTOMINER),
    ("feature_select:feature_select", "selected_features:feature_select", "", 0.0, _CYTOMINER),
)
_SKLEARN = _of(
    "sklearn.metrics.pairwise:",
    "sklearn.cosine_matrix:",
    ("cosine_similarity", "cosine_similarity", "of_floats", 1e-5, _LEARN),
)

# Replaced only in scripts that ask for these libraries.
_SKLEARN_ALSO = _of(
    "sklearn.",
    "sklearn.",
    (
        "metrics.cluster._unsupervised:silhouette_samples",
        "cluster_silhouettes:silhouette_samples",
        "of_clusters",
        1e-5,
        _LEARN,
    ),
    (
        "neighbors._base:KNeighborsMixin.kneighbors",
        "cosine_neighbors:kneighbors",
        "of_cosine_neighbors",
        1e-5,
        _LEARN,
    ),
    also=True,
)
_PANDAS = _of(
    "pandas:DataFrame.",  # once all of pandas has been imported, which ours needs
    "pandas.column_correlations:",
    ("corr", "correlate_columns", "of_numbers", 1e-5, ("2.2.0", "2.3.3", "3.1.1")),
    also=True,
)
_SCIPY = _of(
    "scipy.spatial.distance:",
    "scipy.pairwise_distances:",
    ("pdist", "pdist", "of_one_set", 1e-5, ("1.11.1", "1.17.1")),
    ("cdist", "cdist", "of_two_sets", 1e-5, ("1.11.1", "1.17.1")),
    also=True,
)
_SCIB = _of(
    "scib_metrics.",
    "scib_metrics.",
    (
        "utils._silhouette:silhouette_samples",
        "label_silhouettes:silhouette_samples",
        "of_labelled",
        1e-5,
        ("0.5.10",),
    ),
    ("metrics._kbet:kbet", "batch_acceptance:kbet", "of_neighbors", 1e-5, ("0.5.10",)),
    also=True,
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
