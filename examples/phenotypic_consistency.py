"""Phenotypic consistency with copairs alone: which targets' compounds look alike, by mAP.

Nothing here knows of wellgram. Run it as it is, or accelerated, with the same tables::

    python examples/phenotypic_consistency.py profiles.parquet --out results
    python -m wellgram.accel --profile examples/phenotypic_consistency.py profiles.parquet ...

Profiles are a table of ``Metadata_*`` columns and features. ``Metadata_target`` names the targets
of a compound, with ``|`` between. Replicates are put together by medians first; each compound then
searches for those that share a target.
"""

import argparse
from pathlib import Path

import pandas as pd
from copairs import map as copairs

COMPOUND, TARGET = "Metadata_compound", "Metadata_target"


def main() -> None:
    """Read, put replicates together, rank, test and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", type=Path)
    parser.add_argument("--control", default="DMSO")
    parser.add_argument("--null-size", type=int, default=10_000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    table = pd.read_parquet(options.profiles)
    table = table[table[COMPOUND] != options.control].dropna(subset=[TARGET])
    features = [column for column in table if not column.startswith("Metadata")]
    compounds = table.groupby([COMPOUND, TARGET])[features].median().reset_index()
    compounds[TARGET] = compounds[TARGET].str.split("|")
    precisions = copairs.multilabel.average_precision(
        compounds.filter(regex="^Metadata"),
        compounds[features].values,
        pos_sameby=[TARGET],
        pos_diffby=[],
        neg_sameby=[],
        neg_diffby=[TARGET],
        multilabel_col=TARGET,
    )
    consistency = copairs.mean_average_precision(
        precisions, [TARGET], null_size=options.null_size, threshold=0.05, seed=0
    )
    options.out.mkdir(parents=True, exist_ok=True)
    precisions.to_csv(options.out / "average_precision.csv", index=False)
    consistency.to_csv(options.out / "consistency.csv")
    consistent = consistency["below_corrected_p"]
    print(f"{consistent.sum():,} of {len(consistent):,} targets are consistent")


if __name__ == "__main__":
    main()
