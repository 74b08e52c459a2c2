"""Calls of efaar_benchmarking as notebooks make them: run by ``.ci/accelerator_versions.py``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from efaar_benchmarking import benchmarking, efaar
from recording import call
from sklearn.utils import Bunch

rng = np.random.default_rng(0)
N, GENES = 600, [f"G{k:02d}" for k in range(30)]
names = np.array([*GENES, *["control"] * 10])[rng.integers(40, size=N)]
metadata = pd.DataFrame({"gene": names, "batch": np.arange(N) // 150, "well": np.arange(N)})
x = rng.normal(size=(N, 12)) @ rng.normal(size=(12, 12)) + rng.normal(size=12)

constant, missing, infinite = x.copy(), x.copy(), x.copy()
constant[:, 3], missing[3, 3], infinite[3, 3] = 1.7, np.nan, np.inf
rows = {
    "float64": x, "float32": x.astype("f4"), "columns": np.asfortranarray(x),
    "a constant": constant, "NaN": missing, "Inf": infinite, "huge": x * 1e160,
    "tiny": x * 1e-170, "far": x + 1e7,
    "integers": (x * 9).astype(int), "table": pd.DataFrame(x), "lists": x.tolist(),
}  # fmt: skip
gene, batch = metadata["gene"], metadata["batch"]
labels = {
    "plain": metadata,
    "an index": metadata.set_axis(np.arange(N)[::-1] + 5),
    "a repeated index": metadata.set_axis(np.arange(N) % 7),
    "named columns": metadata.rename_axis(columns="column"),
    "categories": metadata.astype({"gene": "category"}),
    "texts": metadata.astype({"gene": "string", "batch": "string"}),
    "missing genes": metadata.assign(gene=gene.where(metadata["well"] % 9 > 0, None)),
    "empty genes": metadata.assign(gene=gene.where(metadata["well"] % 9 > 0, "")),
    "missing batches": metadata.assign(batch=batch.where(metadata["well"] % 9 > 0)),
    "a batch without controls": metadata.assign(
        gene=gene.where((batch > 0) | (gene != "control"), "G00")
    ),
    "a control a batch": metadata.assign(
        gene=gene.where(~(gene == "control") | ~metadata.duplicated(["gene", "batch"]), "G00")
    ),
    "as many batches as wells": metadata.assign(batch=metadata["well"]),
}


def both_ways(data: np.ndarray, table: pd.DataFrame, case: str, within: float = 1e-5) -> None:
    """Make the calls of a map's building."""
    for name in ("centerscale_on_controls", "tvn_on_controls"):
        align = getattr(efaar, name)
        for column in ("batch", None):
            call(f"{name}: {case}, {column}", align, data, table, "gene", "control", column,
                 within=within)  # fmt: skip
    call(f"centerscale_by_batch: {case}", efaar.centerscale_by_batch, data, table, "batch",
         within=within)  # fmt: skip
    for count in (4, 0.9, None):
        call(f"embed_by_pca: {case}, {count}", efaar.embed_by_pca, data, table, count, "batch",
             within=within)  # fmt: skip
    for method in ("mean", "median", "mode"):
        call(f"aggregate: {case}, {method}", efaar.aggregate, data, table, "gene", ["control"],
             method, within=within)  # fmt: skip


for case, data in rows.items():
    # Both round float32 sums of hundreds of wells, each in its own order.
    both_ways(data, metadata, case, within=1e-3 if case == "float32" else 1e-5)
for case, table in labels.items():
    both_ways(x, table, case)
call("align by keywords", efaar.tvn_on_controls, embeddings=x, metadata=metadata, pert_col="gene",
     control_key="control", batch_col="batch")  # fmt: skip
call("align by nobody", efaar.tvn_on_controls, x, metadata, "gene", "nobody")
call("align by no column", efaar.centerscale_on_controls, x, metadata, "nothing", "control")
call("embed: all", efaar.embed_by_pca, x)
call("embed: few rows", efaar.embed_by_pca, x[:10], None, 4)
for removed in ((), "control", {"control"}, ["G00", "nobody"], GENES):
    call(f"aggregate without {removed}", efaar.aggregate, x, metadata, "gene", removed)

# what a map shows
sources = Path("sources")
sources.mkdir(exist_ok=True)
for source in ("first", "second"):
    ends = np.random.default_rng(len(source)).choice([*GENES, "stranger"], size=(90, 2))
    pd.DataFrame(ends, columns=["entity1", "entity2"]).to_csv(
        sources / f"{source}.txt", index=False
    )
clusters = pd.DataFrame({"gene": GENES[:24], "cluster": np.repeat(["a", "b", "c"], 8)})
made = efaar.aggregate(x, metadata, "gene", ["control"])
features = made.features
maps = {
    "plain": made,
    "float32": Bunch(features=features.astype("f4"), metadata=made.metadata),
    "repeated": Bunch(
        features=pd.concat([features, features[:3]], ignore_index=True),
        metadata=pd.concat([made.metadata, made.metadata[:3]], ignore_index=True),
    ),
    "missing": Bunch(features=features, metadata=made.metadata.replace("G03", None)),
    "zeros": Bunch(
        features=features * (features.index.to_numpy() != 3)[:, None], metadata=made.metadata
    ),
    "index": Bunch(features=features.set_axis(range(99, 69, -1)), metadata=made.metadata),
    "named": Bunch(features=features.rename_axis(columns="f"), metadata=made.metadata),
    "integers": Bunch(features=(features * 100).astype(int), metadata=made.metadata),
}
known = benchmarking.known_relationship_benchmark
for case, map_data in maps.items():
    for told in (False, True):
        call(f"recall: {case}, {told}", known, map_data, "gene", ["first", "second"],
             [(0.05, 0.95), (0.1, 0.9)], 20, str(sources), told, within=1e-4)  # fmt: skip
    call(f"similars: {case}", benchmarking.compute_top_similars, map_data, "gene", "G01")
    call(
        f"similars of two: {case}",
        benchmarking.compute_top_similars,
        map_data,
        "gene",
        "G01",
        "G07",
        5,
    )
call("similars of nobody", benchmarking.compute_top_similars, made, "gene", "nobody")
call("recall of no source", known, made, "gene", ["absent"], [(0.05, 0.95)], 20, str(sources))
call("relationships", benchmarking.filter_relationships, pd.read_csv(sources / "first.txt"))
null, query = rng.normal(size=1001), rng.normal(size=90)
for kind in ("f8", "f4"):
    call(f"recall of cosines, {kind}", benchmarking.compute_recall, null.astype(kind),
         query.astype(kind), [(0.05, 0.95), (0.1, 0.9), (0.5, 0.5)])  # fmt: skip
call(
    "recall of equal cosines",
    benchmarking.compute_recall,
    null.round(1),
    query.round(1),
    [(0.05, 0.95)],
)


def seeded(function: Callable[..., pd.DataFrame], *args: object) -> pd.DataFrame:
    """Call what draws from NumPy's state as a script that seeds it."""
    np.random.seed(0)  # noqa: NPY002  # the state that it draws from
    return function(*args)


# replicates
magnitude = benchmarking.pert_signal_magnitude_benchmark
for case in ("float64", "float32", "NaN", "huge", "far"):
    # geomloss loses half of float32's digits where it subtracts products for distances.
    call(f"magnitude: {case}", seeded, magnitude, rows[case], metadata, "gene", GENES[:8],
         "control", 40, (), 1, within=1e-3 if case == "float32" else 1e-5)  # fmt: skip
negatives = GENES[:8]
for case, table in labels.items():
    call(f"consistency: {case}", benchmarking.pert_signal_consistency_benchmark, x, table, "gene",
         negatives, ["control"], 1)  # fmt: skip
for case in ("float32", "NaN", "huge"):
    call(f"consistency: {case}", benchmarking.pert_signal_consistency_benchmark, rows[case],
         metadata, "gene", negatives, ["control"], 1)  # fmt: skip
call(
    "consistency: no negatives",
    benchmarking.pert_signal_consistency_benchmark,
    x,
    metadata,
    "gene",
    [],
    (),
    1,
)
