"""The examples on copairs and pycytominer alone: the same files as they are and accelerated."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wellgram.accel.verification import difference

EXAMPLES = Path(__file__).parents[1] / "examples"


def profiles(features, *, plates=3, wells=48, kind=np.float32, seed=0):
    """Return profiles of eleven compounds and controls, which have one or two targets each."""
    rng = np.random.default_rng(seed)
    well = np.arange(plates * wells)
    compound = np.where(well % 4 == 0, 0, 1 + well % 11)
    effect = rng.normal(size=(12, len(features)))
    effect[0] = 0
    x = effect[compound] + rng.normal(size=(len(well), len(features)))
    x[:, 1] = x[:, 0] + 0.01 * rng.normal(size=len(well))
    table = pd.DataFrame(x.astype(kind), columns=features)
    table.insert(0, "Metadata_compound", np.array(["DMSO", *"abcdefghijk"])[compound])
    table.insert(1, "Metadata_Plate", np.repeat([f"P{k}" for k in range(plates)], wells))
    table.insert(2, "Metadata_Well", [f"{'ABCDEFGH'[k % 8]}{k // 8 + 1:02d}" for k in well % wells])
    targets = np.array(["", "T1", "T1|T2", "T2", "T3|T1", "T3", "T3", *["T4"] * 3, "T2", "T4"])
    table.insert(3, "Metadata_target", targets[compound])
    return table


def files(example, arguments, folder, *, accelerated):
    """Run an example; return its tables by name and what it printed."""
    door = ["-m", "wellgram.accel"] if accelerated else []
    out = folder / ("accelerated" if accelerated else "as_it_is")
    home = folder / f"home of {out.name}"
    home.mkdir()
    run = subprocess.run(
        [sys.executable, "-W", "ignore", *door, EXAMPLES / example, *arguments, "--out", out],
        env=os.environ | {"HOME": str(home), "WELLGRAM_ACCEL_SMALL": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    return {path.name: read[path.suffix](path) for path in sorted(out.iterdir())}, run.stdout


def compared(example, arguments, folder, within):
    """Return how many files an example wrote, after comparing each both ways."""
    theirs, printed = files(example, arguments, folder, accelerated=False)
    ours, also_printed = files(example, arguments, folder, accelerated=True)
    assert printed == also_printed
    assert list(theirs) == list(ours)
    for name, table in theirs.items():
        assert difference(ours[name], table, within) is None, name
        for column in [column for column in table if "p_value" in column]:
            pd.testing.assert_series_equal(ours[name][column], table[column], check_exact=True)
    return len(theirs)


@pytest.mark.parametrize("example", ["phenotypic_activity.py", "phenotypic_consistency.py"])
def test_the_notebooks_of_copairs_write_the_same_tables(tmp_path, example):
    pytest.importorskip("copairs.map", reason="copairs is absent (pip install copairs)")
    profiles([f"f{k}" for k in range(30)], kind=float).to_parquet(tmp_path / "profiles.parquet")
    arguments = [tmp_path / "profiles.parquet", "--null-size", "500"]
    assert compared(example, arguments, tmp_path, 1e-9) == 2


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_processed_plates_are_the_same_files(tmp_path, kind):
    pytest.importorskip("pycytominer", reason="pycytominer is absent (pip install pycytominer)")
    features = [f"{part}_F{k}" for part in ("Cells", "Nuclei") for k in range(12)]
    plates = tmp_path / "plates"
    plates.mkdir()
    for name, plate in profiles(features, kind=kind).groupby("Metadata_Plate"):
        plate.drop(columns="Metadata_target").to_parquet(plates / f"{name}.parquet", index=False)
    # float32 rounds to 6e-8 of a value, and sphering by few controls magnifies that.
    within = 1e-4 if kind is np.float32 else 1e-9
    assert compared("process_plates.py", [plates], tmp_path, within) == 7
