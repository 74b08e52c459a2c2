"""What the planner says, and what is then measured: a screen larger than memory, streamed to a map.

Run ``python benchmarks/plan.py --gigabytes 20`` (24 GB of disk under ``--folder``): rates of this
machine are measured on a screen of 1 GB, the planner predicts the large one from them, and a
process of its own makes the map of it, with TVN, and its recall. ``--rates`` only measures rates;
``--scheduler tcp://...`` lets the workers of a cluster do it. Screens are made by
`wellgram.simulate.genome` and deleted again, unless ``--keep``. Because others may be at work on a
machine, predicted and measured are compared by the processor's time as well as by the wall's.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import wellgram as wg
from memory import status
from wellgram.backends import get_backend
from wellgram.backends.thread_count import threads
from wellgram.simulate import genome
from wellgram.studies import Rates, plan

EXPERIMENTS, FEATURES, GENES, CONTROLS = 176, 1024, 17_063, 1 / 8


def clocks() -> NDArray[np.float64]:
    """Return the time by the wall's clock, and that of processors, as if all threads were busy."""
    return np.array([time.perf_counter(), time.process_time() / threads()])


def seconds(run: Callable[[], object], repeats: int = 3) -> NDArray[np.float64]:
    """Return the median seconds of some runs, after one that pays for fresh memory."""
    spent = []
    for _ in range(repeats + 1):
        began = clocks()
        run()
        spent.append(clocks() - began)
    return np.median(spent[1:], axis=0)


def measured(folder: Path) -> tuple[Rates, Rates]:
    """Return the rates of one thread of this machine, on a small screen, by both clocks."""
    t, d = threads(), FEATURES
    files = folder / "embeddings", folder / "metadata.csv"
    wells = wg.open_wells(*files)
    n = len(wells)
    codes, names = wells.batches()
    controls = np.flatnonzero(wells.metadata["is_control"])
    rows, own = wells.take(controls), codes[controls]
    group_moments = get_backend().group_moments
    moments = group_moments(rows, own, len(names))
    read = seconds(lambda: wg.build_map(wells))
    scatter = seconds(lambda: group_moments(rows, own, len(names)))
    decompose = seconds(lambda: wg.TVN().fit_moments(moments, names))
    x = np.random.default_rng(0).standard_normal((GENES, d), dtype=np.float32)
    rates = {
        "labels": n / seconds(lambda: wg.open_wells(*files)),
        "read": n * d * 4 / read / t,
        "scatter": 2 * len(rows) * d**2 / scatter / t,
        "decompose": (len(names) + 1) * d**3 / decompose / t,
        "products": GENES**2 * d / seconds(lambda: wg.pair_quantiles(x, [0.05, 0.95])) / t,
    }
    wall, processor = (Rates(**{name: float(v[k]) for name, v in rates.items()}) for k in (0, 1))
    return wall, processor


def made(folder: Path, scheduler: str | None) -> dict[str, float]:
    """Make the map of a screen and its recall; return seconds, the peak memory and the recall."""
    spent = {}
    client = None
    if scheduler:
        from distributed import Client

        client = Client(scheduler)
    began = time.perf_counter()
    wells = wg.open_wells(folder / "embeddings", folder / "metadata.csv")
    spent["labels"] = time.perf_counter() - began
    map_ = wg.build_map(wells, wg.TVN(), client=client)
    spent["map"] = time.perf_counter() - began - spent["labels"]
    known = wg.relationship_sources(str(folder / "complexes.csv"))
    recall = wg.relationship_recall(map_, known, client=client)
    spent["whole"] = time.perf_counter() - began
    return {
        **spent,
        "processor": time.process_time(),
        "peak": status("VmHWM"),
        "recall": float(recall.table["recall"].iloc[0]),
        "wells": len(wells),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=20)
    parser.add_argument("--folder", type=Path, default=Path("plan-screens"))
    parser.add_argument("--rates", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--scheduler")
    parser.add_argument("--made", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.made:
        print(json.dumps(made(options.made, options.scheduler)))
        return
    small, large = options.folder / "small", options.folder / "large"
    if not small.exists():
        genome(small, genes=1939, experiments=20, features=FEATURES)
    both = dict(zip(("wall", "processor"), measured(small), strict=True))
    for clock, rates in both.items():
        print(f"rates of one thread, {clock}:", *(f"{k} {v:.3g}" for k, v in asdict(rates).items()))
    if options.rates:
        return
    wells = round(options.gigabytes * 1e9 / (4 * FEATURES * EXPERIMENTS))
    if not large.exists():
        genome(large, wells=wells, features=FEATURES)
    sizes = {"batches": EXPERIMENTS, "controls": CONTROLS, "threads": threads(), "neighbors": 0}
    wall, processor = (
        plan(wells * EXPERIMENTS, FEATURES, GENES, rates=rates, **sizes) for rates in both.values()
    )
    print(wall)
    more = ["--scheduler", options.scheduler] if options.scheduler else []
    command = [sys.executable, __file__, "--made", str(large), *more]
    found = json.loads(subprocess.check_output(command, text=True).splitlines()[-1])
    busy = found["processor"] / threads()
    print(
        f"{found['wells']:,} wells, labels {found['labels']:.0f} s, map {found['map']:.0f} s, "
        f"whole {found['whole']:.0f} s; recall {found['recall']:.4f}\n"
        f"predicted over measured: wall {wall.seconds:.0f} / {found['whole']:.0f} s = "
        f"{wall.seconds / found['whole']:.2f}, processor {processor.seconds:.0f} / {busy:.0f} s a "
        f"thread = {processor.seconds / busy:.2f}, peak memory {wall.memory / 1e9:.2f} / "
        f"{found['peak'] / 1e9:.2f} GB = {wall.memory / found['peak']:.2f}"
    )
    if not options.keep:
        shutil.rmtree(options.folder)


if __name__ == "__main__":
    main()
