"""Evaluate a screen with efaar_benchmarking alone: align, aggregate, recall and consistency.

Nothing here knows of wellgram. Run it as it is, or accelerated, with the same tables::

    python examples/evaluate_screen.py screen --negatives negatives.txt --out results
    python -m wellgram.accel --profile examples/evaluate_screen.py screen ...

A screen is a folder in the form of RxRx3-core: embeddings (parquet), metadata (csv), and known
relationships, a table ``SOURCE.txt`` of ``entity1,entity2`` per source. Negatives are perturbations
that do nothing, such as genes that are not expressed, one per line.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from efaar_benchmarking.benchmarking import (
    known_relationship_benchmark,
    pert_signal_consistency_benchmark,
)
from efaar_benchmarking.efaar import aggregate, centerscale_on_controls, tvn_on_controls

CONTROL = "EMPTY_control"


def read_screen(folder: Path) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the embeddings of all wells and their metadata, each perturbation with its dose."""
    embeddings = pd.read_parquet(next(folder.glob("*embeddings.parquet")))
    if embeddings["well_id"].duplicated().any():
        embeddings = embeddings.groupby("well_id", as_index=False).mean()
    every = pd.read_csv(next(folder.glob("metadata*.csv")), low_memory=False)
    metadata = every.set_index("well_id").loc[embeddings["well_id"]].reset_index()
    treatment = metadata["treatment"]
    is_control = treatment.str.contains("_control")
    metadata["perturbation"] = treatment.where(is_control, treatment.str.split("_").str[0])
    dose = metadata["concentration"].map(lambda dose: "" if np.isnan(dose) else f"@{dose:g}")
    metadata["label"] = metadata["perturbation"] + dose.where(~is_control, "")
    return embeddings.drop(columns="well_id").to_numpy(), metadata


def main() -> None:
    """Read, align, score and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("screen", type=Path)
    parser.add_argument("--align", choices=["tvn", "centerscale"], default="tvn")
    parser.add_argument("--negatives", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    negatives = options.negatives.read_text().split()
    features, metadata = read_screen(options.screen)
    align = {"tvn": tvn_on_controls, "centerscale": centerscale_on_controls}[options.align]
    aligned = align(features, metadata, "perturbation", CONTROL, "experiment_name")
    del features

    genes = (metadata["perturbation_type"] == "CRISPR").to_numpy()
    map_data = aggregate(aligned[genes], metadata[genes], "perturbation", [CONTROL])
    sources = sorted(path.stem for path in options.screen.glob("relationships/*.txt"))
    recall = known_relationship_benchmark(
        map_data,
        "perturbation",
        sources,
        benchmark_data_dir=str(options.screen / "relationships"),
        log_stats=True,
    )

    controls = [name for name in metadata["label"].unique() if name.endswith("_control")]
    consistency = pert_signal_consistency_benchmark(
        aligned, metadata, "label", negatives, keys_to_drop=controls
    )

    options.out.mkdir(parents=True, exist_ok=True)
    map_ = pd.concat([map_data.metadata, map_data.features], axis=1)
    map_.columns = map_.columns.astype(str)
    map_.to_parquet(options.out / "map.parquet")
    recall.to_csv(options.out / "recall.csv", index=False)
    consistency.to_csv(options.out / "consistency.csv", index=False)
    print(recall.to_string(index=False))


if __name__ == "__main__":
    main()
