"""Two workers of one thread beside one process of two threads, at RxRx3-core's shape.

Run ``python benchmarks/cluster.py [--repeats 5]``. The simulated screen (222,601 wells x 384,
180 experiments) goes from parquet to a map with TVN; then the map's quantiles and neighbours, and
the consistency of the wells with 10,000 random sets of each size, as by default. Each stage is done
both ways in turn, after one round that does not count; the figures are medians over rounds, of the
wall clock and of the processor's time of all processes. On a machine that others use too, only the
latter, and the ratio of the former within a round, say much.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from distributed import Client, LocalCluster

import wellgram as wg
from wellgram.simulate import rxrx3_core


def processor() -> float:
    """Return the seconds of processors that this process and its workers have taken."""
    this = psutil.Process(os.getpid())
    spent = 0.0
    for process in [this, *this.children(recursive=True)]:
        times = process.cpu_times()
        spent += times.user + times.system
    return spent


def timed(run: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return the seconds by both clocks, and what a run returned."""
    began, busy = time.perf_counter(), processor()
    found = run()
    return time.perf_counter() - began, processor() - busy, found


def check(name: str, one: Any, other: Any) -> None:
    """Raise unless both ways found the same."""
    if name == "map":
        size = np.linalg.norm(one.embeddings, axis=1).max()
        assert np.abs(one.embeddings - other.embeddings).max() < 1e-9 * size
    elif name == "quantiles":
        assert (one.cosines == other.cosines).all()
    else:
        assert one.table.equals(other.table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--draws", type=int, default=10_000)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster, direct_to_workers=True) as client,
    ):
        rxrx3_core(options.scale, seed=0).write(folder)
        files = [next(Path(folder).glob(f"*.{kind}")) for kind in ("parquet", "csv")]
        files[1] = Path(folder) / "metadata_rxrx3_core.csv"
        wells = wg.open_wells(*files)
        map_ = wg.build_map(wells, wg.TVN())
        aligned = wg.Wells(wg.TVN().fit_transform(wells.read()), wells.metadata, wells.origin)
        print(repr(map_))
        stages: dict[str, Callable[[Client | None], Any]] = {
            "map": lambda c: wg.build_map(wells, wg.TVN(), dtype="float64", client=c),
            "quantiles": lambda c: wg.pair_quantiles(map_, [0.05, 0.95], client=c),
            "neighbours": lambda c: wg.neighbors(map_, 25, client=c),
            "p-values": lambda c: wg.consistency(aligned, draws=options.draws, client=c),
        }
        rounds: dict[str, list[tuple[float, ...]]] = {name: [] for name in [*stages, "whole"]}
        for turn in range(options.repeats + 1):
            whole = np.zeros(4)
            for name, run in stages.items():
                *alone, one = timed(lambda run=run: run(None))
                *there, other = timed(lambda run=run: run(client))
                check(name, one, other)
                whole += (*alone, *there)
                if turn:
                    rounds[name].append((*alone, *there))
            if turn:
                rounds["whole"].append(tuple(whole))
        print(f"{'':12s} one process (s, processor)  two workers (s, processor)  ratios")
        for name, found in rounds.items():
            a, b, c, d = (statistics.median(column) for column in zip(*found, strict=True))
            wall = statistics.median(there / alone for alone, _, there, _ in found)
            busy = statistics.median(there / alone for _, alone, _, there in found)
            print(f"{name:12s} {a:8.2f} {b:8.2f} {c:17.2f} {d:8.2f} {wall:14.2f} {busy:8.2f}")


if __name__ == "__main__":
    main()
