"""A small simulated screen under the names, of files and of objects, that the pages speak of."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import polars as pl

import wellgram as wg


def prepare() -> dict[str, object]:
    """Write the files into the current folder, and return the objects by name."""
    screen = wg.simulate.rxrx3_core(scale=0.03, seed=0, features=48)
    screen.write(".")
    Path("OpenPhenom_rxrx3_core_embeddings.parquet").rename("embeddings.parquet")
    rng = np.random.default_rng(0)
    metadata = pd.read_csv("metadata_rxrx3_core.csv")
    metadata["cell_count"] = rng.poisson(300, len(metadata))
    metadata.to_csv("metadata.csv", index=False)
    given = wg.read_wells(
        "embeddings.parquet", "metadata.csv", layout="rxrx3-core", columns=["cell_count"]
    )
    map_ = wg.build_map(given, wg.PCACenterScale())
    genes = map_.labels["perturbation"][map_.labels["perturbation_type"] == "CRISPR"].to_numpy()
    targets = wg.read_targets("compound_gene_interactions.csv")
    with h5py.File("embeddings.h5", "w") as file:
        file["embeddings"] = given.embeddings
        file["well_id"] = given.metadata["well_id"].tolist()
    clusters = [f"complex {k}\t{' '.join(genes[12 * k : 12 * k + 12])}\n" for k in range(3)]
    Path("CORUM_clusters.tsv").write_text("".join(clusters))
    _plate(rng)
    wg.simulate.rxrx1(scale=0.03, features=32).write("rxrx1")
    wg.simulate.block_stack(3, perturbations=12, batches=4, features=16).write("stack")
    other = wg.build_map(given, wg.CenterScale())
    return {
        "wg": wg,
        "wells": given,
        "map_": map_,
        "map_a": map_,
        "map_b": other,
        "targets_a": wg.drug_targets(map_, targets),
        "targets_b": wg.drug_targets(other, targets),
        "targets": targets,
        "sources": wg.relationship_sources("relationships/"),
        "align": wg.PCACenterScale(),
        "unexpressed_genes": genes[-20:].tolist(),
        "hits": genes[:9].tolist(),
        "arms": pd.DataFrame({"gene": genes, "chromosome_arm": np.arange(len(genes)) % 6}),
        "polars_frame": pl.from_pandas(metadata),
        "rules": {"pos_sameby": "perturbation", "neg_diffby": "is_control"},
        "compounds": _with_targets(map_),
        "x": given.embeddings,
        "plates": given.metadata["batch"].to_numpy(),
        "is_dmso": given.metadata["is_control"].to_numpy(),
        "i": np.arange(5),
        "j": np.arange(5, 10),
        "some": np.arange(7),
    }


def _with_targets(map_: wg.PerturbationMap) -> wg.PerturbationMap:
    """Return the map with a list of targets for each row."""
    targets = [[f"T{k % 5}", f"T{k % 7 + 5}"] for k in range(len(map_.labels))]
    return wg.PerturbationMap(map_.embeddings, map_.labels.assign(targets=targets))


def _plate(rng: np.random.Generator) -> None:
    """Write a plate of Cell Painting."""
    names = ["DMSO"] * 12 + [f"BRD-{k // 4}" for k in range(48)]
    plate = pd.DataFrame({"Metadata_Plate": "P1", "Metadata_broad_sample": names})
    plate["Metadata_Well"] = [f"{'ABCDE'[k // 12]}{k % 12 + 1:02d}" for k in range(60)]
    plate["Metadata_mmoles_per_liter"] = [0.0] * 12 + [1.0, 1.0, 5.0, 5.0] * 12
    plate["Metadata_moa"] = [None] * 12 + [f"mechanism {k // 16}" for k in range(48)]
    for j in range(20):
        plate[f"Cells_{j}"] = rng.normal(size=60)
    plate.to_csv("plate.csv.gz", index=False)
