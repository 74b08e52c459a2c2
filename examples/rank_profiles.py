"""Rank profiles with copairs alone: whether each finds its replicates before all others.

Nothing here knows of wellgram. Run it as it is, or accelerated, with the same table::

    python examples/rank_profiles.py profiles.parquet --out map.csv
    python -m wellgram.accel --profile examples/rank_profiles.py profiles.parquet --out map.csv

Profiles are a table of ``Metadata_*`` columns and features; replicates share a perturbation.
"""

import argparse
import time
from pathlib import Path

import pandas as pd
from copairs import map as copairs

PERTURBATION = "Metadata_perturbation"


def main() -> None:
    """Read, rank, test and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", type=Path)
    parser.add_argument("--null-size", type=int, default=10_000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    table = pd.read_parquet(options.profiles)
    labels = [column for column in table if column.startswith("Metadata_")]
    meta, features = table[labels], table.drop(columns=labels).to_numpy()

    began = time.perf_counter()
    ap = copairs.average_precision(
        meta,
        features,
        pos_sameby=[PERTURBATION],
        pos_diffby=[],
        neg_sameby=[],
        neg_diffby=[PERTURBATION],
    )
    ranked = time.perf_counter()
    result = copairs.mean_average_precision(
        ap, [PERTURBATION], null_size=options.null_size, threshold=0.05, seed=0
    )
    tested = time.perf_counter()
    result.drop(columns="indices").to_csv(options.out)
    active = result["below_corrected_p"].mean()
    print(f"{active:.1%} of {len(result):,} perturbations find their replicates")
    print(f"ranked in {ranked - began:.2f} s, tested in {tested - ranked:.2f} s")


if __name__ == "__main__":
    main()
