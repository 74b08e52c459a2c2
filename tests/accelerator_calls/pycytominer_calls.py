"""Calls of pycytominer as notebooks make them: run by ``.ci/accelerator_versions.py``."""

from pathlib import Path

import numpy as np
import pandas as pd
from pycytominer import aggregate, consensus, feature_select, normalize
from recording import call

rng = np.random.default_rng(0)
N, FEATURES = 96, [f"{part}_F{k}" for part in ("Cells", "Nuclei", "Cytoplasm") for k in range(5)]
CONTROLS = "Metadata_compound == 'DMSO'"


def profiles(n: int = N, kind: type = float) -> pd.DataFrame:
    """Return profiles of two plates, a quarter of them controls."""
    values = rng.normal(size=(n, len(FEATURES))) + rng.normal(size=len(FEATURES))
    values[:, 1] = values[:, 0] + 0.01 * rng.normal(size=n)
    table = pd.DataFrame(values.astype(kind), columns=FEATURES)
    labels = {
        "Metadata_Plate": np.repeat(["P1", "P2"], n // 2),
        "Metadata_Well": [f"{'ABCDEFGH'[k % 8]}{k // 8 % 12 + 1:02d}" for k in range(n)],
        "Metadata_compound": np.tile(["DMSO", "a", "b", "c"], n // 4),
        "Metadata_dose": np.tile([0.1, 1.0, 1.0, 10.0], n // 4),
    }
    return pd.concat([pd.DataFrame(labels), table], axis=1)


table = profiles()
one, other = FEATURES[2], FEATURES[7]
which = np.arange(N)
tables = {
    "plain": table,
    "float32": table.astype(dict.fromkeys(FEATURES, "float32")),
    "mixed": table.astype(dict.fromkeys(FEATURES[:4], "float32")),
    "integers": table.assign(**{one: which % 7}),
    "booleans": table.assign(**{one: which % 2 == 0}),
    "objects": table.astype({one: object}),
    "nullable": table.astype({one: "Float64"}),
    "NaN": table.assign(**{one: table[one].where(which % 9 > 0)}),
    "Inf": table.assign(**{one: table[one].where(which != 5, np.inf)}),
    "a constant": table.assign(**{one: 3.0}),
    "no deviation": table.assign(**{one: np.where(which % 5 == 0, 2.0, 1.0)}),
    "huge": table.assign(**{one: table[one] * 1e200}),
    "huge float32": table.astype(dict.fromkeys(FEATURES, "float32")).assign(
        **{one: (table[one] * 1e20).astype("float32")}
    ),
    "far from 0": table.assign(**{one: table[one] + 1e9}),
    "repeated index": table.set_axis(which % 4),
    "named columns": table.rename_axis(columns="feature"),
    "attributes": table.copy(),
    "categories": table.astype({"Metadata_compound": "category", "Metadata_Plate": "category"}),
    "missing labels": table.assign(
        Metadata_compound=table["Metadata_compound"].where(which % 11 > 0, None)
    ),
    "missing numbers": table.assign(Metadata_dose=table["Metadata_dose"].where(which % 11 > 0)),
    "columns turned": table[table.columns[::-1]],
    "rows twice": pd.concat([table, table]),
    "one row": table.iloc[:1],
    "no rows": table.iloc[:0],
    "ties": table.round(dict.fromkeys(FEATURES, 0)),
}
tables["attributes"].attrs["plate map"] = "first"

for name, some in tables.items():
    for method in ("standardize", "robustize", "mad_robustize", "spherize", "inverse_normal"):
        for samples in ("all", CONTROLS):
            # Sphering multiplies what float32 rounds by thousands, and both round otherwise.
            narrow = "float32" in name and method == "spherize"
            call(f"normalize: {name}, {method}, {samples}", normalize, some, samples=samples,
                 method=method, within=1e-3 if narrow else 1e-5)  # fmt: skip
    call(f"aggregate: {name}", aggregate, some, ["Metadata_Plate", "Metadata_compound"])
    call(f"aggregate: {name}, mean", aggregate, some, ["Metadata_compound"], operation="mean")
    for operation in ("median", "mean", "modz"):
        call(f"consensus: {name}, {operation}", consensus, some,
             ["Metadata_compound", "Metadata_dose"], operation)  # fmt: skip
    for operation in (
        "variance_threshold", "frequency_threshold", "correlation_threshold", "drop_na_columns",
        "drop_outliers", "blocklist",
    ):  # fmt: skip
        call(f"select: {name}, {operation}", feature_select, some, operation=operation)

# normalize: its options
for samples in ("Metadata_compound == 'nobody'", "nonsense ===", "Metadata_dose > 1", f"{one} > 0"):
    call(f"normalize: {samples}", normalize, table, samples=samples, method="mad_robustize")
call("normalize by place", normalize, table, FEATURES, False, ["Metadata_Well"], "all", "robustize")
call("normalize: no such feature", normalize, table, features=[*FEATURES, "absent"])
call("normalize: no such method", normalize, table, method="nothing")
call(
    "normalize: turned", normalize, table, features=FEATURES[::-1], meta_features=["Metadata_Well"]
)
call("normalize: epsilon 0", normalize, table, method="mad_robustize", mad_robustize_epsilon=0)
call("normalize: images", normalize, table.assign(Image_A=1.0), image_features=True)
for sphering in ("PCA", "ZCA", "PCA-cor", "ZCA-cor"):
    for centred in (True, False):
        call(f"normalize: {sphering}, {centred}", normalize, table, method="spherize",
             spherize_method=sphering, spherize_center=centred, spherize_epsilon=0.1)  # fmt: skip
few = [*FEATURES, *(f"Cells_G{k}" for k in range(100))]
wide = pd.concat([table, pd.DataFrame(rng.normal(size=(N, 100)), columns=few[15:])], axis=1)
call("normalize: more features than rows", normalize, wide, method="spherize")
call("normalize: float32, more features", normalize, wide.astype(dict.fromkeys(few, "float32")),
     method="spherize", within=1e-3)  # fmt: skip
for kind, read in {"csv": pd.read_csv, "parquet": pd.read_parquet}.items():
    path = f"normalized.{kind}"
    call(f"normalize: to {kind}", normalize, table, output_file=path, output_type=kind)
    call(f"normalize: what {kind} holds", read, path)
table.to_csv("profiles.csv", index=False)
call("normalize: from a file", normalize, "profiles.csv")

# aggregate and consensus: their options
call("aggregate: defaults", aggregate, table)
call("aggregate: some features", aggregate, table, ["Metadata_Plate"], features=FEATURES[:2])
call("aggregate: counts", aggregate, table.assign(Metadata_ObjectNumber=1), ["Metadata_Plate"],
     compute_object_count=True)  # fmt: skip
call("aggregate: no such stratum", aggregate, table, ["nothing"])
call("aggregate: no such operation", aggregate, table, operation="nothing")
for options in ({"method": "pearson"}, {"min_weight": 0}, {"precision": 8}, {"method": "nothing"}):
    call(
        f"consensus: {options}", consensus, table, ["Metadata_compound"], "modz", modz_args=options
    )
call("consensus: a text", consensus, table, "Metadata_compound")

# feature_select: its options
together = ["variance_threshold", "correlation_threshold", "drop_na_columns", "blocklist"]
call("select: several", feature_select, tables["NaN"], operation=together)
call("select: some samples", feature_select, table, samples=CONTROLS, operation=together)
call("select: by place", feature_select, table, FEATURES, False, "all", together, 0.1)
for threshold in (0.5, 0.9, 0.999):
    for method in ("pearson", "spearman", "kendall"):
        call(f"select: {method} above {threshold}", feature_select, tables["ties"],
             operation="correlation_threshold", corr_threshold=threshold,
             corr_method=method)  # fmt: skip
call("select: frequencies", feature_select, tables["ties"], operation="variance_threshold",
     freq_cut=0.5, unique_cut=0.1)  # fmt: skip
call("select: outliers", feature_select, table, operation="drop_outliers", outlier_cutoff=2)
call("select: missing", feature_select, tables["NaN"], operation="drop_na_columns", na_cutoff=0.2)
call("select: noise", feature_select, table, operation="noise_removal",
     noise_removal_perturb_groups="Metadata_compound", noise_removal_stdev_cutoff=0.9)  # fmt: skip
call("select: no such operation", feature_select, table, operation="nothing")
call("select: to a file", feature_select, table, operation=together, output_file="selected.csv")
call("select: what it holds", Path("selected.csv").read_bytes)  # nothing is computed
