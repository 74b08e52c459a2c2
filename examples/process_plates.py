"""Process plates with pycytominer alone: normalise, select features, sphere, take a consensus.

Nothing here knows of wellgram. Run it as it is, or accelerated, with the same tables::

    python examples/process_plates.py plates --control DMSO --out results
    python -m wellgram.accel --profile examples/process_plates.py plates ...

A folder of plates holds a parquet file for each, of ``Metadata_*`` columns and features of
CellProfiler, in float32 or float64. Each plate is scaled by the deviations of its controls; all
plates together are sphered by theirs.
"""

import argparse
from pathlib import Path

import pandas as pd
from pycytominer import consensus, feature_select, normalize

SELECTION = ["variance_threshold", "correlation_threshold", "drop_na_columns", "blocklist"]


def main() -> None:
    """Read plates, process them, and write what came of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plates", type=Path)
    parser.add_argument("--control", default="DMSO")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    controls = f"Metadata_compound == '{options.control}'"
    plates = []
    for path in sorted(options.plates.glob("*.parquet")):
        scaled = normalize(pd.read_parquet(path), samples=controls, method="mad_robustize")
        scaled.to_parquet(options.out / f"{path.stem}_normalized.parquet")
        plates.append(scaled)
    table = pd.concat(plates, ignore_index=True)
    selected = feature_select(table, operation=SELECTION)
    selected.to_parquet(options.out / "selected.parquet")
    sphered = normalize(selected, samples=controls, method="spherize", spherize_method="ZCA-cor")
    sphered.to_parquet(options.out / "sphered.parquet")
    for operation in ("median", "modz"):
        together = consensus(sphered, ["Metadata_compound"], operation)
        together.to_parquet(options.out / f"consensus_{operation}.parquet")
    features = [column for column in selected if not column.startswith("Metadata")]
    print(f"{len(table):,} profiles, {len(features):,} features left")


if __name__ == "__main__":
    main()
