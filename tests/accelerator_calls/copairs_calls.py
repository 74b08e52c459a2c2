"""Calls of copairs as notebooks make them: run by ``.ci/accelerator_versions.py``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from copairs import compute, map, matching  # noqa: A004  # as scripts name it
from recording import call

rng = np.random.default_rng(0)
DISTANCES = ["cosine", "abs_cosine", "correlation", "euclidean", "manhattan", "chebyshev"]


def screen() -> tuple[pd.DataFrame, np.ndarray]:
    """Return metadata and features of 20 compounds and controls on four plates."""
    names = [f"compound {k:02d}" for k in range(20)] + ["DMSO"] * 10
    compound = np.tile(names, 12)
    well = np.arange(len(compound))
    kind = pd.factorize(compound)[0]
    meta = pd.DataFrame({"Metadata_compound": compound})
    meta["Metadata_Plate"] = pd.Series(well // 90).map("P{}".format)
    meta["Metadata_Well"] = [f"{'ABCDEFGH'[k % 8]}{k % 12 + 1:02d}" for k in well]
    meta["Metadata_dose"] = np.tile([0.1, 1.0, 10.0], len(meta) // 3)
    meta["Metadata_replicate"] = well % 5
    meta["Metadata_control"] = compound == "DMSO"
    meta["Metadata_target"] = [f"T{k % 6}" for k in kind]
    meta.index = 1000 - well
    return meta, rng.normal(size=(21, 60))[kind] + 2 * rng.normal(size=(len(meta), 60))


meta, x = screen()
replicates = {
    "pos_sameby": ["Metadata_compound"],
    "pos_diffby": [],
    "neg_sameby": [],
    "neg_diffby": ["Metadata_compound", "Metadata_control"],
}
ranks = map.average_precision


def changed(column: str, change: Callable[[pd.Series], object]) -> pd.DataFrame:
    """Return the metadata with another column in the place of one."""
    return meta.assign(**{column: change(meta[column])})


def some_missing(column: "pd.Series") -> "pd.Series":
    """Return labels, some of which are missing."""
    return column.where(np.arange(len(column)) % 60 > 2, None)


# average_precision: how it is called
precisions = call("by keywords", ranks, meta, x, **replicates)
same = ["Metadata_compound"]
call("by place", ranks, meta, x, same, [], ["Metadata_Plate"], same)
call("all by place", ranks, meta, x, same, ["Metadata_Plate"], [], same, 1000, "cosine")
call("other wells", ranks, meta, x, same, ["Metadata_Well"], ["Metadata_Plate"], same)
call("two columns", ranks, meta, x, [*same, "Metadata_dose"], [], ["Metadata_Plate"], same)
call("numbers", ranks, meta, x, ["Metadata_replicate"], ["Metadata_dose"], [], ["Metadata_control"])
call("query", ranks, meta, x, [*same, "Metadata_compound != 'DMSO'"], [], [], same)
call("text", ranks, meta, x, "Metadata_compound", [], [], same)
call("tuples", ranks, meta, x, tuple(same), (), (), tuple(same))
call("no such column", ranks, meta, x, ["nothing"], [], [], same)
call("no rules", ranks, meta, x, [], [], [], [])
call("too few rows", ranks, meta, x[:-1], **replicates)
no_pairs = ["Metadata_Plate", "Metadata_Well", *same, "Metadata_dose", "Metadata_replicate"]
call("no positives", ranks, meta, x, no_pairs, ["Metadata_target"], [], same)
call("twice the same", ranks, meta, x, same, same, [], same)
for distance in DISTANCES:
    call(distance, ranks, meta, x, **replicates, distance=distance)
    call(f"{distance}, float32", ranks, meta, x.astype("f4"), **replicates, distance=distance)

# average_precision: labels as tables have them
for kind in ("category", "string", object):
    call(f"labels: {kind}", ranks, changed(same[0], lambda c, k=kind: c.astype(k)), x, **replicates)
call("labels missing", ranks, changed(same[0], some_missing), x, **replicates)
call("doses missing", ranks, changed("Metadata_dose", some_missing), x,
     [*same, "Metadata_dose"], [], [], ["Metadata_dose"])  # fmt: skip
call("empty labels", ranks, changed(same[0], lambda c: c.replace("DMSO", "")), x, **replicates)
call("dates beside", ranks, meta.assign(date=pd.Timestamp("2020-01-01")), x, **replicates)
call("a column ix", ranks, meta.assign(ix=1), x, **replicates)
call("repeated index", ranks, meta.set_axis(np.arange(len(meta)) % 7), x, **replicates)
call("named columns", ranks, meta.rename_axis(columns="column"), x, **replicates)
call("no rows", ranks, meta.iloc[:0], x[:0], **replicates)

# average_precision: features as tables have them
binary = (x > 0).astype(float)
doubled = x.copy()
doubled[100:200] = x[:100]
constant, missing, infinite = x.copy(), x.copy(), x.copy()
constant[3] = 0
missing[3, 3], infinite[3, 3] = np.nan, np.inf
tables = {
    "lists": x.tolist(), "table": pd.DataFrame(x), "columns": np.asfortranarray(x),
    "integers": (x * 3).astype(int), "two values": binary, "rows twice": doubled,
    "a row of zeros": constant, "NaN": missing, "Inf": infinite, "far from 0": x + 1e4,
    "two features": x[:, :2], "a feature": x[:, :1], "huge": x * 1e160, "tiny": x * 1e-170,
}  # fmt: skip
for name, features in tables.items():
    call(f"features: {name}", ranks, meta, features, **replicates)
for name in ("two values", "rows twice"):
    for distance in ("cosine", "abs_cosine", "euclidean"):
        call(f"features: {name}, float32, {distance}", ranks, meta,
             tables[name].astype("f4"), **replicates, distance=distance)  # fmt: skip
huge = x.astype("f4")
huge[:, 3] *= np.float32(1e20)
call("features: huge float32", ranks, meta, huge, **replicates)

# activity, as the notebook has it: compounds against controls
reference = matching.assign_reference_index(
    meta.copy(), "Metadata_compound == 'DMSO'", reference_col="Metadata_reference", default_value=-1
)
by = [*same, "Metadata_reference"]
active = call("activity", ranks, reference, x, by, [], [], by)
active = active[active["Metadata_compound"] != "DMSO"]

# mean_average_precision
means = map.mean_average_precision
call("means by keywords", means, active, same, null_size=1000, threshold=0.05, seed=0)
call("means by place", means, active, same, 1000, 0.05, 0)
call("means of two columns", means, active, [*same, "Metadata_dose"], 500, 0.05, 12)
call("means by text", means, active, "Metadata_compound", 500, 0.05, 0)
call("means by tuple", means, precisions, ("Metadata_target",), 100, 0.05, 0)
for _ in range(2):  # drawn, and then read
    call("means with a folder", means, precisions, sameby=["Metadata_target"], null_size=777,
         threshold=0.01, seed=7, max_workers=2, cache_dir="cache")  # fmt: skip
call("means of some", means, precisions.query("Metadata_target != 'T0'"), ["Metadata_target"], 100,
     0.05, 0)  # fmt: skip
call("means at 1", means, precisions, ["Metadata_target"], 20, 1, 0)
call("means of nothing", means, precisions.iloc[:0], ["Metadata_target"], 100, 0.05, 0)
target = precisions["Metadata_target"]
scores = precisions["average_precision"]
counts = precisions[["n_pos_pairs", "n_total_pairs"]].astype(float)
normalized = [column for column in precisions if column.startswith("normalized")]
for name, table in {
    "categories": precisions.assign(Metadata_target=target.astype("category")),
    "missing labels": precisions.assign(Metadata_target=some_missing(target)),
    "no labels": precisions.assign(Metadata_target=None),
    "no scores": precisions.assign(average_precision=np.nan),
    "some scores": precisions.assign(average_precision=scores.where(scores.index % 9 > 0)),
    "counts as read": precisions.assign(**counts),
    "no normalized": precisions.drop(columns=normalized),
    "no counts": precisions.drop(columns="n_pos_pairs"),
    "repeated index": precisions.set_axis(np.arange(len(precisions)) % 7),
    "named columns": precisions.rename_axis(columns="column"),
}.items():
    call(f"means: {name}", means, table, ["Metadata_target"], 100, 0.05, 3)

# p-values and normalized precisions of their own
sizes = precisions[["n_pos_pairs", "n_total_pairs"]].to_numpy()
call("p-values of scores", compute.p_values, scores.to_numpy(), sizes, 100, 0)
if normalized:
    from copairs.map.normalization import normalize_ap

    positives, negatives = sizes[:, 0], sizes[:, 1] - sizes[:, 0]
    call("normalized", normalize_ap, scores.to_numpy(), positives, negatives)
    call("normalized: lists", normalize_ap, list(scores), list(positives), list(negatives))

# nulls and the files that keep them
kinds = np.array([[3, 20], [4, 30], [5, 40]])
for folder, content in (("damaged", b"\x93NUMPY"), ("empty", b"")):
    (kept := Path(folder) / "seed0" / "ns30").mkdir(parents=True)
    (kept / "n20_k3.npy").write_bytes(content)
    call(f"nulls: a file that is {folder}", compute.get_null_dists, kinds, 30, 0, folder)
call("nulls", compute.get_null_dists, kinds, 100, seed=3, cache_dir="nulls")
call("nulls at home", compute.get_null_dists, kinds, null_size=64, seed=3)
call("nulls: narrow", compute.get_null_dists, kinds.astype(np.uint32), 64, 5)
call("nulls: floats", compute.get_null_dists, kinds.astype(float), 64, 5)
call("nulls: all positive", compute.get_null_dists, np.array([[4, 4], [1, 2], [1, 1]]), 64, 5)
call("nulls: none", compute.get_null_dists, kinds[:0], 64, 5)
homes = [Path.home() / ".copairs", Path("cache"), Path("nulls")]
call("files of nulls", lambda: {
    str(path.relative_to(home)): path.read_bytes()
    for home in homes for path in sorted(home.rglob("*.npy"))
})  # fmt: skip

# similarities
pairs = rng.integers(len(x), size=(20_000, 2)).astype(np.uint32)
itself = np.repeat(np.arange(100, dtype=np.uint32)[:, None], 2, axis=1)
for distance in DISTANCES:
    for name, rows in (("float64", x), ("float32", x.astype("f4"))):
        for kind, some in (("pairs", pairs), ("itself", itself)):
            call(f"{distance} of {kind}, {name}",
                 lambda rows=rows, some=some, d=distance: compute.get_similarity_fn(d)(
                     rows, some, 5000))  # fmt: skip
call(
    "own similarity", lambda: compute.get_similarity_fn(lambda a, b: (a * b).sum(1))(x, pairs, 500)
)
call("no such distance", lambda: compute.get_similarity_fn("nothing"))
a, b = rng.normal(size=(2, 600, 60))
for name in ("cosine", "abs_cosine", "corr", "euclidean", "manhattan", "chebyshev"):
    pairwise = getattr(compute, f"pairwise_{name}", None)
    if pairwise is None:
        continue
    for kind, (left, right) in {
        "float64": (a, b), "float32": (a.astype("f4"), b.astype("f4")), "few": (a[:50], b[:50]),
        "mixed": (a, b.astype("f4")), "itself": (a, a), "zeros": (a * (a[:, :1] > 0), b),
    }.items():  # fmt: skip
        call(f"pairwise {name}, {kind}", pairwise, left, right)
    call(f"pairwise {name}, keywords", pairwise, x_sample=a, y_sample=b)

# pairs
for name, rules in {
    "replicates": (same, ["Metadata_Plate"]), "plates": (["Metadata_Plate"], same),
    "two": ([*same, "Metadata_dose"], ["Metadata_Well"]), "none": (["Metadata_nothing"], []),
}.items():  # fmt: skip
    call(f"pairs: {name}", lambda r=rules: pd.DataFrame(
        matching.find_pairs(meta.reset_index(drop=True), *r)))  # fmt: skip
    columns = sorted({column for some in rules for column in some})
    call(f"all pairs: {name}", lambda c=columns, r=rules: matching.Matcher(
        meta.reset_index(drop=True), c, seed=0).get_all_pairs(*r))  # fmt: skip

# several labels a profile
several = meta.iloc[:90].reset_index(drop=True)
kind = pd.factorize(several["Metadata_compound"])[0]
targets = "Metadata_targets"
several[targets] = [sorted({f"T{k * 3 % 7}", f"T{k * 5 % 7}"}) for k in kind]
ranked = map.multilabel.average_precision
of_targets = ([targets], [], [], [targets])
scored = call("labels", ranked, several, x[:90], *of_targets, targets)
call("labels by keywords", ranked, meta=several, feats=x[:90], pos_sameby=[targets],
     pos_diffby=["Metadata_Plate"], neg_sameby=[], neg_diffby=[targets],
     multilabel_col=targets, batch_size=500, distance="cosine")  # fmt: skip
call("labels, abs_cosine", ranked, several, x[:90], *of_targets, targets, distance="abs_cosine")
call("labels, compounds", ranked, several, x[:90], [targets], same, [], [targets, *same], targets)
call("labels, float32", ranked, several, x[:90].astype("f4"), *of_targets, targets)
call("labels by text", ranked, several, x[:90], targets, [], [], targets, multilabel_col=targets)
call("labels, index", ranked, several.set_axis(range(99, 9, -1)), x[:90], *of_targets, targets)
for name, change in {"tuples": tuple, "arrays": np.array, "sets": set}.items():
    other = several.assign(**{targets: several[targets].map(change)})
    call(f"labels: {name}", ranked, other, x[:90], *of_targets, targets)
empty = several.assign(**{targets: [[], *several[targets][1:]]})
call("labels: an empty list", ranked, empty, x[:90], *of_targets, targets)
if isinstance(scored, pd.DataFrame):
    call(
        "means of labels", means, scored, same if targets not in scored else [targets], 100, 0.05, 0
    )

# of newer releases
if hasattr(map, "mean_average_precision_hierarchical"):
    call("hierarchical", map.mean_average_precision_hierarchical, active,
         [*same, "Metadata_dose"], null_size=500, threshold=0.05, seed=0,
         hierarchical_by=same)  # fmt: skip
    call("p-values", map.get_map_pvalue, active, same, null_size=500, seed=0)
