"""Phenotypic activity with copairs alone: which compounds differ from controls, by mAP.

Nothing here knows of wellgram. Run it as it is, or accelerated, with the same tables::

    python examples/phenotypic_activity.py profiles.parquet --control DMSO --out results
    python -m wellgram.accel --profile examples/phenotypic_activity.py profiles.parquet ...

Profiles are a table of ``Metadata_*`` columns, ``Metadata_compound`` and ``Metadata_Plate`` among
them, and features. Each replicate of a compound searches for the others among the controls of its
plate.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from copairs import map as copairs
from copairs.matching import assign_reference_index

COMPOUND, REFERENCE = "Metadata_compound", "Metadata_reference_index"


def main() -> None:
    """Read, rank, test and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", type=Path)
    parser.add_argument("--control", default="DMSO")
    parser.add_argument("--null-size", type=int, default=10_000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    # A control is a positive of itself alone, so that controls are negatives of all others.
    table = assign_reference_index(
        pd.read_parquet(options.profiles),
        f"{COMPOUND} == '{options.control}'",
        reference_col=REFERENCE,
        default_value=-1,
    )
    precisions = copairs.average_precision(
        table.filter(regex="^Metadata"),
        table.filter(regex="^(?!Metadata)").values,
        pos_sameby=[COMPOUND, REFERENCE],
        pos_diffby=[],
        neg_sameby=["Metadata_Plate"],
        neg_diffby=[COMPOUND, REFERENCE],
    )
    precisions = precisions.query(f"{COMPOUND} != '{options.control}'")
    activity = copairs.mean_average_precision(
        precisions, [COMPOUND], null_size=options.null_size, threshold=0.05, seed=0
    )
    activity["-log10(p-value)"] = -activity["corrected_p_value"].apply(np.log10)
    options.out.mkdir(parents=True, exist_ok=True)
    precisions.to_csv(options.out / "average_precision.csv", index=False)
    activity.to_csv(options.out / "activity.csv")
    active = activity["below_corrected_p"]
    print(f"{active.sum():,} of {len(active):,} compounds are active")


if __name__ == "__main__":
    main()
