"""RxRx3-core end to end: files to scored map, beside the same steps of efaar_benchmarking.

Run ``python benchmarks/rxrx3_core.py [--scale 1.0] [--repeats 3]``. Needs scikit-learn and
``pip install --no-deps efaar_benchmarking==1.0``; without the latter only our side is measured.

Each side is a process of its own, in turn, reading the same parquet and writing its recall; the
answers are compared before any time is printed. Times are wall clock, medians over the repeats.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memory import status

EMBEDDINGS, METADATA = "OpenPhenom_rxrx3_core_embeddings.parquet", "metadata_rxrx3_core.csv"


def ours(folder: Path) -> dict[str, float]:
    """Read, TVN, map, recall; as `wellgram score` does it."""
    import wellgram as wg

    seconds, clock = {}, Clock()
    wells = wg.open_wells(folder / EMBEDDINGS, folder / METADATA)
    seconds["read labels"] = clock.lap()
    map_ = wg.build_map(wells, wg.TVN())
    seconds["TVN and aggregate, by stream"] = clock.lap()
    recall = wg.relationship_recall(map_, wg.relationship_sources(folder / "relationships"))
    seconds["recall"] = clock.lap()
    rows = recall.table
    answer = {f"{row.low}_{row.high}": row.recall for row in rows.itertuples()}
    return seconds | {"answer": answer, "null": int(rows["n_null_pairs"].iloc[0])}


def theirs(folder: Path) -> dict[str, float]:
    """Do the same with efaar_benchmarking; read and label with pandas, as its notebooks do."""
    import numpy as np
    import pandas as pd

    from peers import efaar as import_efaar

    benchmarking, efaar = import_efaar("benchmarking"), import_efaar("efaar")
    seconds, clock = {}, Clock()
    table = pd.read_parquet(folder / EMBEDDINGS)
    metadata = pd.read_csv(folder / METADATA)
    table = metadata.merge(table, on="well_id")
    treatment = table["treatment"].astype("str")
    control = treatment.str.contains("_control")
    table["perturbation"] = treatment.where(control, treatment.str.split("_").str[0])
    features = table[[c for c in table if c.startswith("feature_")]].to_numpy(np.float64)
    seconds["read"] = clock.lap()
    aligned = efaar.tvn_on_controls(
        features, table, "perturbation", "EMPTY_control", "experiment_name"
    )
    seconds["TVN"] = clock.lap()
    genes = (table["perturbation_type"] == "CRISPR").to_numpy()
    map_ = efaar.aggregate(aligned[genes], table[genes], "perturbation")
    seconds["aggregate (gene rows alone)"] = clock.lap()
    source = next((folder / "relationships").iterdir())
    shown = folder / f"{source.stem}.txt"
    shown.write_bytes(source.read_bytes())
    result = benchmarking.known_relationship_benchmark(
        map_, "perturbation", [source.stem], benchmark_data_dir=str(folder)
    ).iloc[0]
    seconds["recall"] = clock.lap()
    answer = {k.removeprefix("recall_"): v for k, v in result.items() if k.startswith("recall_")}
    return seconds | {"answer": answer, "null": int(result["null_distribution_size"])}


class Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.last = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the last lap."""
        now = time.perf_counter()
        elapsed, self.last = now - self.last, now
        return elapsed


def measure(side: str, folder: Path) -> dict[str, float]:
    """Run one side in a process of its own; add its wall time and peak memory."""
    clock = Clock()
    command = [sys.executable, "-W", "ignore", __file__, "--side", side, "--folder", str(folder)]
    printed = subprocess.check_output(command, text=True)
    return json.loads(printed.splitlines()[-1]) | {"whole process": clock.lap()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=["ours", "theirs"])
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.side:
        side = {"ours": ours, "theirs": theirs}[options.side]
        seconds = side(options.folder)
        print(json.dumps(seconds | {"peak GB": status("VmHWM") / 1e9}))
        return

    from peers import has_efaar
    from wellgram.backends.machine import environment
    from wellgram.simulate import rxrx3_core

    sides = ["ours", "theirs"] if has_efaar() else ["ours"]
    facts = environment()
    print(f"backend {facts['backend']}: {facts['backends'][facts['backend']]}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        screen = rxrx3_core(scale=options.scale, seed=0)
        print("{} wells x {} features, scale {}".format(*screen.embeddings.shape, options.scale))
        screen.write(folder)
        del screen
        runs = {side: [] for side in sides}
        for _ in range(options.repeats):
            for side in sides:
                runs[side].append(measure(side, folder))
    compare(runs)
    for side, of_side in runs.items():
        print(f"\n{side}, medians of {len(of_side)}")
        for name in (key for key in of_side[0] if key not in ("answer", "null")):
            values = [run[name] for run in of_side]
            low, middle, high = min(values), statistics.median(values), max(values)
            print(f"  {name:28} {middle:9.3f}   ({low:.3f} to {high:.3f})")
    if len(runs) == 2:
        for name in ("whole process", "peak GB"):
            ratios = [b[name] / a[name] for a, b in zip(runs["ours"], runs["theirs"], strict=True)]
            print(f"{name}: theirs / ours {statistics.median(ratios):.1f}")


def compare(runs: dict[str, list[dict]]) -> None:
    """Stop unless all runs found the same: nulls exactly, recalls to one pair in ten thousand."""
    everything = [run for of_side in runs.values() for run in of_side]
    first = everything[0]
    for run in everything:
        assert run["null"] == first["null"], (run["null"], first["null"])
        for tails, recall in first["answer"].items():
            assert abs(run["answer"][tails] - recall) <= 1e-4, (tails, recall, run["answer"])
    print(f"recalls agree: {first['answer']} against {first['null']:,} pairs")


if __name__ == "__main__":
    main()
