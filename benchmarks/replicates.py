"""Consistency and magnitude of all perturbations beside efaar_benchmarking.

Run ``python benchmarks/replicates.py [--scale 1.0] [--repeats 3] [--limit 1200]``. Needs
``pip install --no-deps efaar_benchmarking==1.0`` and, for its magnitude, ``torch==2.13.0`` and
``geomloss``. Both sides take the same aligned wells of a simulated screen, each a process of its
own; the answers are compared before any time is printed. The other side is given up after so many
seconds, or when it runs out of memory.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from memory import reset_peak, status

NEGATIVES = 50
"""How many genes are the null"""
CONTROLS = 1000
"""How many control wells there are"""


def prepare(folder: Path, scale: float) -> None:
    """Write the aligned wells of the map and their labels, one for each perturbation and dose."""
    import wellgram as wg
    from wellgram.simulate import rxrx3_core

    wells = rxrx3_core(scale=scale, seed=0).wells()
    kept = wells.metadata["in_map"].to_numpy(bool, copy=True)
    controls = np.flatnonzero(wells.metadata["is_control"] & kept)
    kept[controls[CONTROLS:]] = False  # efaar draws as many, without a seed
    rows = wg.PCACenterScale().fit_transform(wells)[kept]
    metadata = wells.metadata[kept]
    dose = metadata["dose"].map(lambda x: "" if np.isnan(x) else f" {x:g}")
    np.save(folder / "rows.npy", rows)
    labels = (metadata["perturbation"] + dose).rename("perturbation")
    labels.reset_index(drop=True).to_frame().to_pickle(folder / "labels.pkl")


def given(folder: Path) -> tuple[np.ndarray, pd.DataFrame, list[str]]:
    """Return rows, labels, and the perturbations that are the null."""
    labels = pd.read_pickle(folder / "labels.pkl")
    names = sorted(name for name in labels["perturbation"].unique() if name.startswith("GENE"))
    return np.load(folder / "rows.npy"), labels, names[:NEGATIVES]


def ours(folder: Path, what: str, repeats: int) -> dict[str, object]:
    """Time one score, by the same null."""
    import wellgram as wg

    rows, labels, negatives = given(folder)
    wells = wg.Wells.from_arrays(
        rows, labels["perturbation"], control="EMPTY_control", controls_in_map=True
    )
    run = {
        "consistency": lambda: wg.consistency(
            wells, null="negatives", negatives=negatives, p_form="share"
        ),
        "magnitude": lambda: wg.magnitude(
            wells, null="negatives", negatives=negatives, p_form="share-above"
        ),
    }[what]
    run()
    before, seconds = reset_peak(), []
    for _ in range(repeats):
        began = time.perf_counter()
        table = run().table
        seconds.append(time.perf_counter() - began)
    score = table.set_index("perturbation").iloc[:, 1]
    return {"seconds": statistics.median(seconds), "bytes": status("VmHWM") - before,
            "score": score[score.notna()].to_dict()}  # fmt: skip


def theirs(folder: Path, what: str) -> dict[str, object]:
    """Time the same score of efaar_benchmarking, once, with one worker a processor."""
    from peers import efaar

    benchmarking = efaar("benchmarking")
    rows, labels, negatives = given(folder)
    before = reset_peak()
    began = time.perf_counter()
    if what == "consistency":
        table = benchmarking.pert_signal_consistency_benchmark(
            rows, labels, "perturbation", negatives, n_jobs=2
        )
    else:
        table = benchmarking.pert_signal_magnitude_benchmark(
            rows, labels, "perturbation", negatives, "EMPTY_control", n_jobs=2
        )
    seconds = time.perf_counter() - began
    score = table.set_index("pert").iloc[:, 0].astype(float)
    return {"seconds": seconds, "bytes": status("VmHWM") - before,
            "score": score[score.notna()].to_dict()}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1200, help="seconds for the other side")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--what", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side == "ours":
        print(json.dumps(ours(options.folder, options.what, options.repeats)))
        return
    if options.side == "theirs":
        print(json.dumps(theirs(options.folder, options.what)))
        return
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), options.scale)
        rows, labels, _ = given(Path(name))
        count = labels["perturbation"].nunique()
        print(f"{len(rows):,} wells x {rows.shape[1]} features, {count:,} perturbations")
        del rows
        for what in ("consistency", "magnitude"):
            mine = measured(name, "ours", what, options)
            report(what, "wellgram", mine)
            if find_spec("efaar_benchmarking") is None:
                continue
            if what == "magnitude" and find_spec("geomloss") is None:
                continue
            other = measured(name, "theirs", what, options)
            if other is None:
                print(f"  {what:12s} efaar      gave up")
                continue
            report(what, "efaar", other)
            both = sorted(set(mine["score"]) & set(other["score"]))
            a, b = (np.array([side["score"][key] for key in both]) for side in (mine, other))
            print(f"  {what:12s} {other['seconds'] / mine['seconds']:.0f} times as fast; "
                  f"{len(both):,} scores differ by {np.abs(a - b).max():.1e} at most")  # fmt: skip


def measured(folder: str, side: str, what: str, options: argparse.Namespace) -> dict | None:
    """Run one side as a process of its own; None if it does not come to its end."""
    command = [sys.executable, __file__, "--folder", folder, "--side", side, "--what", what,
               "--repeats", str(options.repeats)]  # fmt: skip
    limit = options.limit if side == "theirs" else None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        print(done.stderr[-300:])
        return None
    return json.loads(done.stdout.splitlines()[-1])


def report(what: str, name: str, found: dict) -> None:
    """Print the time and the memory of one side."""
    print(f"  {what:12s} {name:10s} {found['seconds']:8.2f} s {found['bytes'] / 1e6:8.0f} MB",
          flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
