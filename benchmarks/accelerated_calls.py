"""Calls of the functions that the accelerator replaces, on inputs of a usual size.

A generator per library: each item is what a call is, and the call. `accelerated_functions.py` times
them. Sizes are multiplied by a scale.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peers import efaar as import_efaar

Calls = Iterator[tuple[str, Callable[[], Any]]]


def wells(n: int, d: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Return wells of perturbations and controls in batches of 700."""
    rng = np.random.default_rng(0)
    names = np.array(["EMPTY_control"] * 50 + [f"GENE{k:03d}" for k in range(250)])
    metadata = pd.DataFrame(
        {"label": names[rng.integers(300, size=n)], "batch": np.arange(n) // 700}
    )
    return rng.normal(size=(n, d)) * rng.uniform(0.5, 2, size=d) + rng.normal(size=d), metadata


def efaar_calls(scale: float) -> Calls:
    """Align, aggregate and score wells; score maps."""
    align, score = import_efaar("efaar"), import_efaar("benchmarking")
    n, d = int(20_000 * scale), 256
    x, metadata = wells(n, d)
    size, control = f"{n:,} wells x {d}", ("label", "EMPTY_control", "batch")
    for name in ("centerscale_on_controls", "tvn_on_controls"):
        yield f"{name}, {size}", partial(getattr(align, name), x, metadata, *control)
    yield f"centerscale_by_batch, {size}", lambda: align.centerscale_by_batch(x, metadata, "batch")
    narrow = x.astype(np.float32)
    for kind, rows in (("float64", x), ("float32", narrow)):
        yield (
            f"embed_by_pca ({kind}), {size}",
            partial(align.embed_by_pca, rows, metadata, 64, "batch"),
        )
    for method in ("mean", "median"):
        yield (
            f"aggregate ({method}), {size}",
            partial(align.aggregate, x, metadata, "label", method=method),
        )
    negatives, drop = [f"GENE{k:03d}" for k in range(20)], ["EMPTY_control"]
    consistency = score.pert_signal_consistency_benchmark
    yield (
        f"pert_signal_consistency_benchmark, {size}",
        lambda: consistency(x, metadata, "label", negatives, drop, n_jobs=1),
    )
    magnitude = score.pert_signal_magnitude_benchmark

    def seeded_magnitude(rows: np.ndarray) -> pd.DataFrame:
        np.random.seed(0)  # noqa: NPY002  # the state that it draws from
        return magnitude(rows, metadata, "label", negatives, drop[0], n_jobs=1)

    for kind, rows in (("float64", x), ("float32", narrow)):
        yield f"pert_signal_magnitude_benchmark ({kind}), {size}", partial(seeded_magnitude, rows)
    yield from efaar_maps(score, scale)


def efaar_maps(score: Any, scale: float) -> Calls:
    """Score a map of some thousand genes, and one of a whole genome."""
    from sklearn.utils import Bunch

    ends = pd.read_csv(Path(score.cst.BENCHMARK_DATA_DIR) / "HuMAP.txt")
    yield f"filter_relationships, {len(ends):,} pairs", lambda: score.filter_relationships(ends)
    known = pd.unique(ends[["entity1", "entity2"]].to_numpy().ravel())
    for genes, d in ((int(4_000 * scale), 256), (int(17_063 * scale), 128)):
        names = [*known[:genes], *(f"other {k}" for k in range(genes - len(known)))]
        rows = np.random.default_rng(1).normal(size=(genes, d))
        map_ = Bunch(features=pd.DataFrame(rows), metadata=pd.DataFrame({"gene": names}))
        size = f"{genes:,} genes x {d}"
        recall = score.known_relationship_benchmark
        yield f"known_relationship_benchmark, {size}", partial(recall, map_, "gene")
        if d == 256:
            yield f"cluster_benchmark, {size}", partial(score.cluster_benchmark, map_, "gene")
        similars = partial(score.compute_top_similars, map_, "gene", names[0], names[1])
        yield f"compute_top_similars, {size}", similars
    null = np.random.default_rng(2).normal(size=int(1e7 * scale))
    yield (
        f"compute_recall, {len(null):,} cosines",
        lambda: score.compute_recall(null, null[:100_000], [(0.05, 0.95), (0.1, 0.9)]),
    )


def copairs_calls(scale: float) -> Calls:
    """Rank profiles, test their means, and match them."""
    from copairs import map as ranks

    for n, replicates in ((int(2_000 * scale), 10), (int(6_500 * scale), 12)):
        kind = np.arange(n) // replicates
        rng = np.random.default_rng(0)
        x = 0.2 * rng.normal(size=(n, 384))[kind] + rng.normal(size=(n, 384))
        targets = [[f"a{k % 50}", f"b{k % 7}"] for k in kind]
        meta = pd.DataFrame({"kind": kind, "plate": np.arange(n) % 20, "targets": targets})
        meta["dose"] = np.arange(n) % 2
        rules, size = (["kind"], [], [], ["kind"]), f"{n:,} profiles x 384"
        yield f"average_precision, {size}", partial(ranks.average_precision, meta, x, *rules)
        narrow = x.astype(np.float32)
        yield (
            f"average_precision (float32), {size}",
            partial(ranks.average_precision, meta, narrow, *rules),
        )
        yield (
            f"average_precision (within plates), {size}",
            partial(ranks.average_precision, meta, x, ["kind"], [], ["plate"], ["kind"]),
        )
        yield from copairs_means(ranks.average_precision(meta, x, *rules), size)
    few = meta.index < 1_000
    several = ranks.multilabel.average_precision
    yield (
        "multilabel.average_precision, 1,000 profiles",
        partial(several, meta[few], x[few], ["targets"], [], [], ["targets"], "targets"),
    )
    yield from copairs_pairs(x, meta, scale)


def copairs_means(ap: pd.DataFrame, size: str) -> Calls:
    """Average precisions, and test the means. Each call draws its nulls anew."""
    from copairs import compute
    from copairs import map as ranks

    def without_files(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            home, os.environ["HOME"] = os.environ["HOME"], folder
            try:
                return function(*args, **kwargs, null_size=10_000, seed=0)
            finally:
                os.environ["HOME"] = home

    means = partial(without_files, ranks.mean_average_precision, ap, ["kind"], threshold=0.05)
    yield f"mean_average_precision (10,000 draws), {size}", means
    hierarchical = getattr(ranks, "mean_average_precision_hierarchical", None)
    if hierarchical is not None:  # from 0.5.4 on
        by = {"hierarchical_by": ["kind"], "threshold": 0.05}
        means = partial(without_files, hierarchical, ap, ["kind", "dose"], **by)
        yield f"mean_average_precision_hierarchical (10,000 draws), {size}", means
    sizes = ap[["n_pos_pairs", "n_total_pairs"]].to_numpy()
    scores = ap["average_precision"].to_numpy()
    yield (
        f"compute.p_values (10,000 draws), {size}",
        partial(without_files, compute.p_values, scores, sizes),
    )
    if find_spec("copairs.map.normalization"):  # from 0.5.3 on
        from copairs.map.normalization import normalize_ap

        negatives = sizes[:, 1] - sizes[:, 0]
        yield f"normalize_ap, {size}", partial(normalize_ap, scores, sizes[:, 0], negatives)


def copairs_pairs(x: np.ndarray, meta: pd.DataFrame, scale: float) -> Calls:
    """Compare pairs of profiles, and find those of some columns."""
    from copairs import compute, matching

    n, d = x.shape
    rng = np.random.default_rng(0)
    pairs = rng.integers(n, size=(int(500_000 * scale), 2))
    for distance in ("cosine", "abs_cosine", "correlation", "euclidean"):
        yield (
            f"get_similarity_fn({distance!r}), {len(pairs):,} pairs x {d}",
            partial(lambda name: compute.get_similarity_fn(name)(x, pairs, 20_000), distance),
        )
    table = meta.set_axis(meta.index + 1)
    matcher = matching.Matcher(table, ["kind", "plate"], seed=0)
    for same, different in ((["kind", "plate"], []), (["plate"], ["kind"]), ([], ["plate"])):
        yield (
            f"Matcher.get_all_pairs({same}, {different}), {n:,} profiles",
            partial(matcher.get_all_pairs, same, different),
        )
    samples = rng.normal(size=(2, int(40_000 * scale), 256))
    for name in ("cosine", "abs_cosine", "corr"):
        pairwise = getattr(compute, f"pairwise_{name}")
        yield f"pairwise_{name}, {samples.shape[1]:,} pairs x 256", partial(pairwise, *samples)


def pycytominer_calls(scale: float) -> Calls:
    """Normalise, put together, aggregate and select."""
    import pycytominer as cyto

    n, d = int(4_000 * scale), 256
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(n, d)), columns=[f"Cells_{j}" for j in range(d)])
    labels = pd.DataFrame({"Metadata_Plate": "a", "Metadata_Well": np.arange(n) // 5})
    for kind in ("float64", "float32"):
        profiles = pd.concat([labels, table.astype(kind)], axis="columns")
        size = f"{n:,} profiles x {d}, {kind}"
        for operation in ("median", "modz"):
            yield (
                f"consensus ({operation}), {size}",
                partial(cyto.consensus, profiles, ["Metadata_Well"], operation),
            )
        for method in ("standardize", "robustize", "mad_robustize", "inverse_normal", "spherize"):
            call = partial(cyto.normalize, profiles, method=method)
            yield f"normalize ({method}), {size}", call
        call = partial(cyto.normalize, profiles, method="spherize", spherize_method="PCA-cor")
        yield f"normalize (spherize by PCA-cor), {size}", call
        few = {"method": "mad_robustize", "samples": f"Metadata_Well < {n // 50}"}
        call = partial(cyto.normalize, profiles, **few)
        yield f"normalize (mad_robustize by a tenth), {size}", call
    cells = int(40_000 * scale)
    table = pd.DataFrame(rng.normal(size=(cells, d)), columns=[f"Cells_{j}" for j in range(d)])
    table = table.assign(Metadata_Plate="a", Metadata_Well=rng.integers(384, size=cells))
    for operation in ("median", "mean"):
        yield (
            f"aggregate ({operation}), {cells:,} cells x {d} of 384 wells",
            partial(cyto.aggregate, table, operation=operation),
        )
    yield from pycytominer_selections(scale)


def pycytominer_selections(scale: float) -> Calls:
    """Select features of batches, by each operation and by what recipes do."""
    from pycytominer import feature_select

    n, d = int(3_000 * scale), 1_200
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(n, d // 20))[:, rng.integers(d // 20, size=d)]
    names = [f"Cells_{j}" for j in range(d)]
    table = pd.DataFrame(causes + 0.3 * rng.normal(size=(n, d)), columns=names)
    wells = pd.DataFrame({"Metadata_Well": np.arange(n) // 4})
    table, size = pd.concat([wells, table], axis="columns"), f"{n:,} profiles x {d}"
    for operation in (
        "variance_threshold", "frequency_threshold", "drop_na_columns", "drop_outliers",
        "blocklist", "correlation_threshold",
    ):  # fmt: skip
        call = partial(feature_select, table, operation=operation)
        yield f"feature_select ({operation}), {size}", call
    groups = {"noise_removal_perturb_groups": "Metadata_Well", "noise_removal_stdev_cutoff": 0.8}
    call = partial(feature_select, table, operation="noise_removal", **groups)
    yield f"feature_select (noise_removal), {size}", call
    few = pd.concat([wells, table[names[:300]]], axis="columns")
    ranks = {"operation": "correlation_threshold", "corr_method": "spearman"}
    yield (
        f"feature_select (correlation_threshold of ranks), {n:,} profiles x 300",
        partial(feature_select, few, **ranks),
    )
    some = table[: n // 3]
    gaps = some.copy()
    gaps.loc[::50, names[::10]] = np.nan
    recipe = ["variance_threshold", "correlation_threshold", "drop_na_columns", "blocklist"]
    for name, profiles in (("a recipe", some), ("a recipe, with missing values", gaps)):
        yield (
            f"feature_select ({name}), {len(some):,} profiles x {d}",
            partial(feature_select, profiles, operation=recipe),
        )


def sklearn_calls(scale: float) -> Calls:
    """Compare rows; and what is replaced where scikit-learn is asked for."""
    from sklearn.metrics import silhouette_score
    from sklearn.metrics.pairwise import cosine_similarity
    from sklearn.neighbors import NearestNeighbors

    n = int(5_000 * scale)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, 384)).astype(np.float32)
    yield f"cosine_similarity, {n:,} rows x 384, float32", partial(cosine_similarity, rows)
    n = int(8_000 * scale)
    label = rng.integers(20, size=n)
    for d in (50, 256):
        x = rng.normal(size=(n, d)) + rng.normal(size=(20, d))[label]
        size = f"{n:,} rows x {d}"
        for metric in ("euclidean", "cosine"):
            call = partial(silhouette_score, x, label, metric=metric)
            yield f"silhouette_score ({metric}), {size}, 20 classes", call
        nearest = NearestNeighbors(n_neighbors=15, metric="cosine", algorithm="brute").fit(x)
        yield f"NearestNeighbors.kneighbors (15), {size}", nearest.kneighbors
        half = x[: n // 2] + 1
        yield (
            f"NearestNeighbors.kneighbors (15) of {n // 2:,} others, {size}",
            partial(nearest.kneighbors, half),
        )


def pandas_calls(scale: float) -> Calls:
    """Correlate the columns of tables."""
    n, d = int(4_000 * scale), 500
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(n, d)) + rng.normal(size=(n, 1)))
    size = f"{n:,} rows x {d}"
    for method in ("pearson", "spearman"):
        yield f"DataFrame.corr ({method}), {size}", partial(table.corr, method)
    missing = table.mask(rng.random(table.shape) < 0.01)
    yield f"DataFrame.corr (pearson), {size}, 1 % missing", missing.corr
    missing = table.mask((np.arange(d) < 10) & (np.arange(n)[:, None] % 50 == 0))
    yield (
        f"DataFrame.corr (spearman), {size}, ten columns incomplete",
        partial(missing.corr, "spearman"),
    )


def scipy_calls(scale: float) -> Calls:
    """Measure the distances of rows."""
    from scipy.spatial import distance

    n = int(4_000 * scale)
    rng = np.random.default_rng(0)
    for d in (50, 256):
        x, y = rng.normal(size=(n, d)), rng.normal(size=(n // 2, d))
        for metric in ("euclidean", "cosine", "correlation"):
            yield f"pdist ({metric}), {n:,} rows x {d}", partial(distance.pdist, x, metric)
            size = f"{n:,} and {n // 2:,} rows x {d}"
            yield f"cdist ({metric}), {size}", partial(distance.cdist, x, y, metric)


def scib_calls(scale: float) -> Calls:
    """Call the functions of scib-metrics; JAX compiles in the first call of a size."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import scib_metrics
    from scib_metrics.nearest_neighbors import NeighborsResults

    n, d = int(5_000 * scale), 50
    rng = np.random.default_rng(0)
    label, batch = rng.integers(20, size=n), rng.integers(5, size=n)
    x = rng.normal(size=(n, d)) + rng.normal(size=(20, d))[label]
    size = f"{n:,} rows x {d}"
    for metric in ("euclidean", "cosine"):
        call = partial(scib_metrics.silhouette_label, x, label, metric=metric)
        yield f"silhouette_label ({metric}), {size}", call
    yield f"silhouette_batch, {size}", partial(scib_metrics.silhouette_batch, x, label, batch)
    near = rng.integers(n, size=(n, 50))
    neighbors = NeighborsResults(indices=near, distances=np.sort(rng.random(near.shape), axis=1))
    yield f"kbet, {n:,} rows, 50 neighbors", partial(scib_metrics.kbet, neighbors, batch)


LIBRARIES: dict[str, Callable[[float], Calls]] = {
    "efaar_benchmarking": efaar_calls,
    "copairs": copairs_calls,
    "pycytominer": pycytominer_calls,
    "scikit-learn": sklearn_calls,
    "pandas": pandas_calls,
    "scipy": scipy_calls,
    "scib-metrics": scib_calls,
}
"""The calls of each library"""
ASKED = ("pandas", "scipy", "scikit-learn", "scib-metrics")
"""Libraries that are replaced, or some functions of theirs, only where they are asked for"""
