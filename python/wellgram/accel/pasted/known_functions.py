"""Functions that copies are known by; ``.ci/write_known_functions.py`` writes this."""

from typing import NamedTuple


class Known(NamedTuple):
    """A function of some releases of a library, as `function_shapes` describes it."""

    path: str
    """Module and name"""
    versions: tuple[str, ...]
    digest: str
    defaults: str
    meanings: tuple[str, ...]
    """Dotted paths of what the names that it uses stand for, in the order of their first use"""

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.rpartition(".")[2]

    @property
    def library(self) -> str:
        """The package that it is copied from."""
        return self.path.partition(".")[0]


KNOWN = (
    Known(
        "copairs.compute.average_precision",
        ("0.5.0", "0.5.1"),
        "547c2acccbe69805110d7726",
        "e3b0c44298fc1c149afbf4c8",
        ("numpy",),
    ),
    Known(
        "copairs.compute.get_null_dists",
        ("0.5.0", "0.5.1"),
        "bea2d61800b48fb8e3539d29",
        "dc937b59892604f5a86ac969",
        (
            "pathlib.Path",
            "builtins.len",
            "numpy",
            "copairs.compute.null_dist_cached",
            "copairs.compute.parallel_map",
        ),
    ),
    Known(
        "copairs.compute.null_dist_cached",
        ("0.5.0", "0.5.1"),
        "c814b67b63b842d6191bb711",
        "e3b0c44298fc1c149afbf4c8",
        ("numpy", "copairs.compute.random_ap"),
    ),
    Known(
        "copairs.compute.p_values",
        ("0.5.0", "0.5.1"),
        "5a6f91390e7f85c68ed7a3f5",
        "e3b0c44298fc1c149afbf4c8",
        (
            "numpy",
            "copairs.compute.get_null_dists",
            "builtins.len",
            "builtins.enumerate",
            "builtins.zip",
        ),
    ),
    Known(
        "copairs.compute.pairwise_abs_cosine",
        ("0.5.0", "0.5.1", "0.5.2", "0.5.3", "0.5.4", "0.5.5"),
        "da7ebf05f9b60d2d44fe5a28",
        "e3b0c44298fc1c149afbf4c8",
        ("numpy", "copairs.compute.pairwise_cosine"),
    ),
    Known(
        "copairs.compute.pairwise_corr",
        ("0.5.0", "0.5.1", "0.5.2", "0.5.3", "0.5.4", "0.5.5"),
        "da299c4cad6b51179b035d86",
        "e3b0c44298fc1c149afbf4c8",
        ("numpy",),
    ),
    Known(
        "copairs.compute.pairwise_cosine",
        ("0.5.0", "0.5.1", "0.5.2", "0.5.3", "0.5.4", "0.5.5"),
        "c7a5a2a69119a20a7791b193",
        "e3b0c44298fc1c149afbf4c8",
        ("numpy",),
    ),
    Known(
        "copairs.compute.parallel_map",
        ("0.5.0", "0.5.1"),
        "fe39da12f3f5954e5fb6e5f7",
        "e3b0c44298fc1c149afbf4c8",
        (
            "builtins.len",
            "builtins.min",
            "os",
            "multiprocessing.pool.ThreadPool",
            "tqdm.autonotebook.tqdm",
        ),
    ),
    Known(
        "copairs.compute.random_ap",
        ("0.5.0", "0.5.1"),
        "1ea7eaa96d31c2ce53d42396",
        "e3b0c44298fc1c149afbf4c8",
        ("numpy", "copairs.compute.random_binary_matrix", "copairs.compute.average_precision"),
    ),
    Known(
        "copairs.compute.random_binary_matrix",
        ("0.5.0", "0.5.1"),
        "3eff903c33e445c652d2799f",
        "e3b0c44298fc1c149afbf4c8",
        ("numpy",),
    ),
    Known(
        "copairs.map.normalization.expected_ap",
        ("0.5.3", "0.5.4", "0.5.5"),
        "eddc627504296658fb2061d0",
        "e3b0c44298fc1c149afbf4c8",
        ("builtins.ValueError", "copairs.map.normalization.harmonic_number"),
    ),
    Known(
        "copairs.map.normalization.harmonic_number",
        ("0.5.3", "0.5.4", "0.5.5"),
        "01cf0ec7d25bc4f9d5d6d8c7",
        "e3b0c44298fc1c149afbf4c8",
        ("builtins.sum", "builtins.range"),
    ),
    Known(
        "copairs.map.normalization.normalize_ap",
        ("0.5.3", "0.5.4", "0.5.5"),
        "d572f80ede54acc167b88aba",
        "dfa601f6ddf08ada8c0cedaa",
        (
            "numpy",
            "builtins.len",
            "builtins.set",
            "builtins.ValueError",
            "builtins.float",
            "builtins.range",
            "copairs.map.normalization.expected_ap",
            "builtins.int",
        ),
    ),
    Known(
        "efaar_benchmarking.benchmarking.cluster_benchmark",
        ("1.0",),
        "2b8508c01315d93f0dfc7834",
        "71e6bf4762e449de99b4be6e",
        (
            "builtins.print",
            "builtins.len",
            "efaar_benchmarking.benchmarking.get_benchmark_clusters",
            "builtins.list",
            "sklearn.metrics.pairwise.cosine_similarity",
            "numpy",
            "scipy.stats.ks_2samp",
            "pandas",
        ),
    ),
    Known(
        "efaar_benchmarking.benchmarking.compute_recall",
        ("1.0",),
        "0b71e26bfff19731d7eea08b",
        "e3b0c44298fc1c149afbf4c8",
        ("numpy", "builtins.len", "builtins.sum"),
    ),
    Known(
        "efaar_benchmarking.benchmarking.compute_top_similars",
        ("1.0",),
        "07738911b2840ba345322575",
        "f65deb4bcdb24a792c64dec6",
        (
            "builtins.ValueError",
            "pandas",
            "sklearn.metrics.pairwise.cosine_similarity",
            "builtins.print",
        ),
    ),
    Known(
        "efaar_benchmarking.benchmarking.convert_metrics_to_df",
        ("1.0",),
        "a249a48a34096e312cddf011",
        "e3b0c44298fc1c149afbf4c8",
        ("pandas",),
    ),
    Known(
        "efaar_benchmarking.benchmarking.filter_relationships",
        ("1.0",),
        "1c756535a4d4e0841093654b",
        "e3b0c44298fc1c149afbf4c8",
        ("builtins.tuple", "builtins.sorted"),
    ),
    Known(
        "efaar_benchmarking.benchmarking.get_benchmark_clusters",
        ("1.0",),
        "87a06be770079fc15998c368",
        "d44769c7d9b021521c3bf8f2",
        (
            "pathlib.Path",
            "builtins.open",
            "builtins.set",
            "builtins.ValueError",
            "builtins.len",
            "builtins.sorted",
        ),
    ),
    Known(
        "efaar_benchmarking.benchmarking.get_benchmark_relationships",
        ("1.0",),
        "0b551aec8c6f40438975bd1d",
        "3cbc87c7681f34db4617feaa",
        ("pandas", "pathlib.Path", "efaar_benchmarking.benchmarking.filter_relationships"),
    ),
    Known(
        "efaar_benchmarking.benchmarking.known_relationship_benchmark",
        ("1.0",),
        "2815f168adf637580e77dc25",
        "18c32dbda78ec0439b8be57e",
        (
            "builtins.len",
            "builtins.all",
            "builtins.ValueError",
            "builtins.set",
            "builtins.print",
            "pandas",
            "sklearn.metrics.pairwise.cosine_similarity",
            "numpy",
            "efaar_benchmarking.benchmarking.get_benchmark_relationships",
            "efaar_benchmarking.benchmarking.convert_metrics_to_df",
            "efaar_benchmarking.benchmarking.compute_recall",
        ),
    ),
    Known(
        "efaar_benchmarking.benchmarking.pert_signal_consistency_benchmark",
        ("1.0",),
        "94538912e42b84b175aeef79",
        "685b30d7cb6a4bc32b2650b9",
        (
            "pandas",
            "joblib.Parallel",
            "joblib.delayed",
            "efaar_benchmarking.benchmarking.pert_signal_consistency_metric",
            "numpy",
            "builtins.set",
        ),
    ),
    Known(
        "efaar_benchmarking.benchmarking.pert_signal_consistency_metric",
        ("1.0",),
        "84337420565d4dd012615fcb",
        "4b530b7bf1df65c530e42dfc",
        ("builtins.len", "numpy", "sklearn.metrics.pairwise.cosine_similarity"),
    ),
    Known(
        "efaar_benchmarking.benchmarking.pert_signal_magnitude_benchmark",
        ("1.0",),
        "f8d1ed8972be6c7f3105cf1e",
        "222a04bf8f06cdf0be73119e",
        (
            "builtins.ValueError",
            "pandas",
            "numpy",
            "builtins.min",
            "builtins.len",
            "joblib.Parallel",
            "joblib.delayed",
            "efaar_benchmarking.benchmarking.pert_signal_magnitude_metric",
            "builtins.set",
        ),
    ),
    Known(
        "efaar_benchmarking.benchmarking.pert_signal_magnitude_metric",
        ("1.0",),
        "c3bed7f46712a6d3a05bcda5",
        "4b530b7bf1df65c530e42dfc",
        ("builtins.len", "numpy", "geomloss.SamplesLoss", "torch.from_numpy"),
    ),
    Known(
        "efaar_benchmarking.efaar.aggregate",
        ("1.0",),
        "af359890479956cc46288b28",
        "9a956e5777c9d35100f3433c",
        ("numpy", "builtins.ValueError", "sklearn.utils.Bunch", "pandas"),
    ),
    Known(
        "efaar_benchmarking.efaar.centerscale_by_batch",
        ("1.0",),
        "cc397a6cd5816b535bee813f",
        "ddd016ef97243efed9b5f6c3",
        ("sklearn.preprocessing.StandardScaler", "builtins.ValueError"),
    ),
    Known(
        "efaar_benchmarking.efaar.centerscale_on_controls",
        ("1.0",),
        "79f8a184df0fade852938a79",
        "dc937b59892604f5a86ac969",
        ("sklearn.preprocessing.StandardScaler",),
    ),
    Known(
        "efaar_benchmarking.efaar.embed_by_pca",
        ("1.0",),
        "d32a34c14f5f9071649e7816",
        "35d575d1ac6ec9311687c0a3",
        ("efaar_benchmarking.efaar.centerscale_by_batch", "sklearn.decomposition.PCA"),
    ),
    Known(
        "efaar_benchmarking.efaar.tvn_on_controls",
        ("1.0",),
        "a89416bd1efcc52d4e2356d9",
        "dc937b59892604f5a86ac969",
        (
            "efaar_benchmarking.efaar.centerscale_on_controls",
            "sklearn.decomposition.PCA",
            "numpy",
            "scipy.linalg",
        ),
    ),
)
"""Functions that are replaced, and their helpers"""
