"""How much faster each function is that the accelerator replaces, on inputs of a usual size.

Run ``python benchmarks/accelerated_functions.py [--scale 1.0]``; needs what
``benchmarks/accelerator.py`` needs, and pycytominer with what it imports. Every call is made with
``WELLGRAM_ACCEL_VERIFY=1``, so that both run and their results are compared.
"""

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from peers import efaar as import_efaar


def wells(n: int, d: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Return wells of perturbations and controls in batches of 700."""
    rng = np.random.default_rng(0)
    names = np.array(["EMPTY_control"] * 50 + [f"GENE{k:03d}" for k in range(250)])
    metadata = pd.DataFrame(
        {"label": names[rng.integers(300, size=n)], "batch": np.arange(n) // 700}
    )
    return rng.normal(size=(n, d)) * rng.uniform(0.5, 2, size=d) + rng.normal(size=d), metadata


def efaar(scale: float) -> Iterator[str]:
    """Call the functions of efaar_benchmarking."""
    from sklearn.utils import Bunch

    align, score = import_efaar("efaar"), import_efaar("benchmarking")
    n, d = int(20_000 * scale), 256
    x, metadata = wells(n, d)
    control = ("label", "EMPTY_control", "batch")
    yield f"{n:,} wells x {d}"
    align.centerscale_on_controls(x, metadata, *control)
    align.centerscale_by_batch(x, metadata, "batch")
    align.tvn_on_controls(x, metadata, *control)
    align.embed_by_pca(x, metadata, 64, "batch")
    for method in ("mean", "median"):
        align.aggregate(x, metadata, "label", method=method)
    negatives, keys = [f"GENE{k:03d}" for k in range(20)], ["EMPTY_control"]
    score.pert_signal_consistency_benchmark(x, metadata, "label", negatives, keys, n_jobs=1)
    score.pert_signal_magnitude_benchmark(x, metadata, "label", negatives, keys[0], n_jobs=1)
    sources = Path(score.cst.BENCHMARK_DATA_DIR)
    ends = pd.read_csv(sources / "HuMAP.txt")
    genes = pd.unique(ends[["entity1", "entity2"]].to_numpy().ravel())[: int(4_000 * scale)]
    rows = np.random.default_rng(1).normal(size=(len(genes), d))
    map_ = Bunch(features=pd.DataFrame(rows), metadata=pd.DataFrame({"gene": genes}))
    yield f"{len(genes):,} genes x {d}"
    score.filter_relationships(ends)
    score.known_relationship_benchmark(map_, "gene")
    score.cluster_benchmark(map_, "gene")
    score.compute_top_similars(map_, "gene", genes[0], genes[1])
    null = np.random.default_rng(2).normal(size=int(1e7 * scale))
    score.compute_recall(null, null[:100_000], [(0.05, 0.95), (0.1, 0.9)])


def copairs(scale: float) -> Iterator[str]:
    """Call the functions of copairs."""
    from copairs import compute, matching
    from copairs import map as ranks

    n, d = int(2_000 * scale), 256
    kind = np.arange(n) // 10
    rng = np.random.default_rng(0)
    x = 0.2 * rng.normal(size=(n, d))[kind] + rng.normal(size=(n, d))
    targets = [[f"a{k % 50}", f"b{k % 7}"] for k in kind]
    meta = pd.DataFrame({"kind": kind, "plate": np.arange(n) % 20, "targets": targets})
    meta["dose"] = np.arange(n) % 2
    rules, labels = (["kind"], [], [], ["kind"]), (["targets"], [], [], ["targets"])
    yield f"{n:,} profiles x {d}"
    ap = ranks.average_precision(meta, x, *rules)
    ranks.average_precision(meta, x.astype(np.float32), *rules)
    ranks.average_precision(meta, x, ["kind"], [], ["plate"], ["kind"])
    few = meta.index < 1_000
    ranks.multilabel.average_precision(meta[few], x[few], *labels, "targets")
    null = {"null_size": 10_000, "seed": 0}
    with tempfile.TemporaryDirectory() as cache:
        home = os.environ["HOME"]
        os.environ["HOME"] = cache  # where nulls are kept that have no other place
        test = {"threshold": 0.05, "cache_dir": cache, **null}
        ranks.mean_average_precision(ap, ["kind"], **test)
        if hasattr(ranks, "mean_average_precision_hierarchical"):  # from 0.5.4 on
            by = ["kind", "dose"]
            ranks.mean_average_precision_hierarchical(ap, by, hierarchical_by=["kind"], **test)
        sizes = ap[["n_pos_pairs", "n_total_pairs"]].to_numpy()
        compute.p_values(ap["average_precision"].to_numpy(), sizes, **null)
        os.environ["HOME"] = home
    if find_spec("copairs.map.normalization"):  # from 0.5.3 on
        from copairs.map.normalization import normalize_ap

        normalize_ap(ap["average_precision"].to_numpy(), sizes[:, 0], sizes[:, 1] - sizes[:, 0])
    pairs = rng.integers(n, size=(int(500_000 * scale), 2))
    for distance in ("cosine", "abs_cosine", "correlation", "euclidean"):
        compute.get_similarity_fn(distance)(x, pairs, 20_000)
    matcher = matching.Matcher(meta.set_axis(meta.index + 1), ["kind", "plate"], seed=0)
    for same, different in ((["kind", "plate"], []), (["plate"], ["kind"]), ([], ["plate"])):
        matcher.get_all_pairs(same, different)
    samples = rng.normal(size=(2, int(40_000 * scale), d))
    for function in ("cosine", "abs_cosine", "corr"):
        getattr(compute, f"pairwise_{function}")(*samples)


def pycytominer(scale: float) -> Iterator[str]:
    """Call the functions of pycytominer, on float64 and then on float32."""
    import pycytominer as cyto

    n, d = int(4_000 * scale), 256
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(n, d)), columns=[f"Cells_{j}" for j in range(d)])
    labels = pd.DataFrame({"Metadata_Plate": "a", "Metadata_Well": np.arange(n) // 5})
    for kind in ("float64", "float32"):
        profiles = pd.concat([labels, table.astype(kind)], axis="columns")
        yield f"{n:,} profiles x {d}, {kind}: consensus (median, modz)"
        for operation in ("median", "modz"):
            cyto.consensus(profiles, ["Metadata_Well"], operation)
        methods = ("standardize", "robustize", "mad_robustize", "inverse_normal", "spherize")
        yield f"normalize ({', '.join(methods)})"
        for method in methods:
            cyto.normalize(profiles, method=method)
        yield "normalize (spherize by PCA-cor; mad_robustize by a tenth of the profiles)"
        cyto.normalize(profiles, method="spherize", spherize_method="PCA-cor")
        samples = f"Metadata_Well < {n // 50}"
        cyto.normalize(profiles, method="mad_robustize", samples=samples)
    cells = int(40_000 * scale)
    table = pd.DataFrame(rng.normal(size=(cells, d)), columns=[f"Cells_{j}" for j in range(d)])
    table = table.assign(Metadata_Plate="a", Metadata_Well=rng.integers(384, size=cells))
    yield f"{cells:,} cells x {d} of 384 wells: aggregate"
    cyto.aggregate(table)
    yield from selections(scale)


def selections(scale: float) -> Iterator[str]:
    """Select features of batches, by each operation and by what recipes do."""
    import pycytominer as cyto

    n, d = int(3_000 * scale), 1_200
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(n, d // 20))[:, rng.integers(d // 20, size=d)]
    names = [f"Cells_{j}" for j in range(d)]
    table = pd.DataFrame(causes + 0.3 * rng.normal(size=(n, d)), columns=names)
    wells = pd.DataFrame({"Metadata_Well": np.arange(n) // 4})
    table = pd.concat([wells, table], axis="columns")
    single = (
        "variance_threshold", "frequency_threshold", "drop_na_columns", "drop_outliers",
        "blocklist", "correlation_threshold",
    )  # fmt: skip
    yield f"{n:,} profiles x {d}: feature_select ({', '.join(single)})"
    for operation in single:
        cyto.feature_select(table, operation=operation)
    yield "feature_select (noise_removal)"
    groups = {"noise_removal_perturb_groups": "Metadata_Well", "noise_removal_stdev_cutoff": 0.8}
    cyto.feature_select(table, operation="noise_removal", **groups)
    few = pd.concat([wells, table[names[:300]]], axis="columns")
    yield "300 of them: feature_select (correlation_threshold of ranks)"
    cyto.feature_select(few, operation="correlation_threshold", corr_method="spearman")
    gaps = table[: n // 3].copy()
    gaps.loc[::50, names[::10]] = np.nan
    recipe = ["variance_threshold", "correlation_threshold", "drop_na_columns", "blocklist"]
    yield f"{n // 3:,} of them: feature_select ({', '.join(recipe)}), then with missing values"
    cyto.feature_select(table[: n // 3], operation=recipe)
    cyto.feature_select(gaps, operation=recipe)


def scikit(scale: float) -> Iterator[str]:
    """Call the function of scikit-learn."""
    from sklearn.metrics.pairwise import cosine_similarity

    n = int(5_000 * scale)
    yield f"{n:,} rows x 384"
    cosine_similarity(np.random.default_rng(0).normal(size=(n, 384)).astype(np.float32))


def pandas_tables(scale: float) -> Iterator[str]:
    """Correlate the columns of tables."""
    n, d = int(4_000 * scale), 500
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(n, d)) + rng.normal(size=(n, 1)))
    yield f"{n:,} rows x {d}; with one in 100 missing; with rows missing from ten columns"
    table.corr()
    table.corr("spearman")
    table.mask(rng.random(table.shape) < 0.01).corr()
    table.mask((np.arange(d) < 10) & (np.arange(n)[:, None] % 50 == 0)).corr("spearman")


def scipy_distances(scale: float) -> Iterator[str]:
    """Measure the distances of rows."""
    from scipy.spatial import distance

    n = int(4_000 * scale)
    rng = np.random.default_rng(0)
    for d in (50, 256):
        x, y = rng.normal(size=(n, d)), rng.normal(size=(n // 2, d))
        yield f"{n:,} rows x {d}"
        for metric in ("euclidean", "cosine", "correlation"):
            distance.pdist(x, metric)
            distance.cdist(x, y, metric)


def scikit_asked(scale: float) -> Iterator[str]:
    """Call what is replaced of scikit-learn in scripts that ask for it."""
    from sklearn.metrics import silhouette_score
    from sklearn.neighbors import NearestNeighbors

    n = int(8_000 * scale)
    rng = np.random.default_rng(0)
    label = rng.integers(20, size=n)
    for d in (50, 256):
        x = rng.normal(size=(n, d)) + rng.normal(size=(20, d))[label]
        yield f"{n:,} rows x {d}, in 20 classes; 15 neighbors"
        for metric in ("euclidean", "cosine"):
            silhouette_score(x, label, metric=metric)
        nearest = NearestNeighbors(n_neighbors=15, metric="cosine", algorithm="brute").fit(x)
        nearest.kneighbors()
        nearest.kneighbors(x[: n // 2] + 1)


def scib(scale: float) -> Iterator[str]:
    """Call the functions of scib-metrics, twice: JAX compiles in the first call of a size."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        import scib_metrics
        from scib_metrics.nearest_neighbors import NeighborsResults
    except ImportError as error:
        yield f"not measured, because scib-metrics cannot be imported: {error}"
        return
    n, d = int(5_000 * scale), 50
    rng = np.random.default_rng(0)
    label, batch = rng.integers(20, size=n), rng.integers(5, size=n)
    x = rng.normal(size=(n, d)) + rng.normal(size=(20, d))[label]
    near = rng.integers(n, size=(n, 50))
    neighbors = NeighborsResults(indices=near, distances=np.sort(rng.random(near.shape), axis=1))
    yield f"{n:,} rows x {d}, in 20 classes and 5 batches; 50 neighbors"
    for _ in range(2):
        for metric in ("euclidean", "cosine"):
            scib_metrics.silhouette_label(x, label, metric=metric)
        scib_metrics.kbet(neighbors, batch)
    scib_metrics.silhouette_batch(x, label, batch)


ASKED = {
    "pandas": pandas_tables,
    "scipy": scipy_distances,
    "scikit-learn": scikit_asked,
    "scib-metrics": scib,
}
"""Libraries that are replaced only where they are asked for, and what calls them"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    os.environ["WELLGRAM_ACCEL_VERIFY"] = "1"
    warnings.simplefilter("ignore")
    import wellgram.accel
    from wellgram.accel.profiling import Call, profile

    wellgram.accel.install(also=ASKED)
    calls: list[Call] = []
    with open(os.devnull, "w") as nowhere:
        terminal, sys.stderr = sys.stderr, nowhere  # progress bars
        for library in (efaar, copairs, pycytominer, scikit, *ASKED.values()):
            with profile() as found:
                for size in library(options.scale):
                    print(f"{library.__name__}: {size}", flush=True)
            calls += found.calls
        sys.stderr = terminal
    for call in calls:
        if call.saved is None:
            print(f"{call.name}: the original, because {call.declined}")
        else:
            print(f"{call.name:66} {call.seconds:8.3f} s, {1 + call.saved / call.seconds:6.1f} x")


if __name__ == "__main__":
    main()
