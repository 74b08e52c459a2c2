"""Build maps in several ways and compare them, as the notebooks of efaar_benchmarking do.

Nothing here knows of wellgram. Run it as it is, or accelerated, with the same tables::

    python examples/compare_maps.py screen --negatives negatives.txt --out results
    python -m wellgram.accel --profile examples/compare_maps.py screen ...

The screen is as for ``evaluate_screen.py``, with ``CORUM_clusters.tsv`` beside its relationships.
Wells are embedded by principal components of each experiment's standardised features, then aligned
on controls in two ways, and aggregated. Of each map: consistency and magnitude of perturbations,
recall of known pairs, clusters, and what is most like the strongest perturbation.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from efaar_benchmarking.benchmarking import (
    cluster_benchmark,
    compute_top_similars,
    known_relationship_benchmark,
    pert_signal_consistency_benchmark,
    pert_signal_magnitude_benchmark,
)
from efaar_benchmarking.efaar import (
    aggregate,
    centerscale_on_controls,
    embed_by_pca,
    tvn_on_controls,
)
from evaluate_screen import CONTROL, read_screen

BATCH, PERTURBATION = "experiment_name", "perturbation"


def scores_of_wells(
    embedding: np.ndarray,
    metadata: pd.DataFrame,
    negatives: list[str],
    options: argparse.Namespace,
) -> pd.DataFrame:
    """Return consistency, and magnitude if asked, of each perturbation that is no negative."""
    scores = pert_signal_consistency_benchmark(
        embedding,
        metadata,
        pert_col=PERTURBATION,
        neg_ctrl_perts=negatives,
        keys_to_drop=[CONTROL],
        n_jobs=options.jobs,
    )
    if not options.magnitude:
        return scores
    np.random.seed(0)  # noqa: NPY002  # what the controls are drawn from
    distances = pert_signal_magnitude_benchmark(
        embedding,
        metadata,
        pert_col=PERTURBATION,
        neg_ctrl_perts=negatives,
        control_key=CONTROL,
        n_jobs=options.jobs,
    )
    return scores.merge(distances, on="pert", suffixes=("_consistency", "_magnitude"))


def main() -> None:
    """Read, embed, align, aggregate, score and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("screen", type=Path)
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--negatives", type=Path, required=True)
    parser.add_argument("--magnitude", action="store_true", help="needs geomloss and torch")
    parser.add_argument("--jobs", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    negatives = options.negatives.read_text().split()
    features, metadata = read_screen(options.screen)
    # The notebooks' screens are of genes alone.
    genes = (metadata["perturbation_type"] == "CRISPR").to_numpy()
    features, metadata = features[genes], metadata[genes]

    embeddings = {"PCA": embed_by_pca(features, metadata, options.components, batch_col=BATCH)}
    for name, align in (("CS", centerscale_on_controls), ("TVN", tvn_on_controls)):
        embeddings[f"PCA-{name}"] = align(
            embeddings["PCA"], metadata, PERTURBATION, control_key=CONTROL, batch_col=BATCH
        )

    folder = str(options.screen / "relationships")
    sources = sorted(path.stem for path in options.screen.glob("relationships/*.txt"))
    options.out.mkdir(parents=True, exist_ok=True)
    for name, embedding in embeddings.items():
        print(name)
        scores = scores_of_wells(embedding, metadata, negatives, options)
        map_ = aggregate(embedding, metadata, PERTURBATION, keys_to_remove=[CONTROL])
        strongest = scores.sort_values("avgcossim")["pert"].iloc[-1]
        tables = {
            "scores": scores,
            "recall": known_relationship_benchmark(
                map_,
                PERTURBATION,
                sources,
                recall_thr_pairs=[(0.05, 0.95)],
                benchmark_data_dir=folder,
                log_stats=True,
            ),
            "clusters": cluster_benchmark(map_, PERTURBATION, benchmark_data_dir=folder),
            "similars": compute_top_similars(map_, PERTURBATION, strongest, topx=25),
            "map": pd.concat([map_.metadata, map_.features], axis=1),
        }
        for kind, table in tables.items():
            table.to_csv(options.out / f"{name}_{kind}.csv", index=False)


if __name__ == "__main__":
    main()
