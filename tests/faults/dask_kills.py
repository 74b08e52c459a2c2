"""Kill the workers and the scheduler of a Dask cluster at random moments; compare the bits.

    python tests/faults/dask_kills.py --kills 20 --seed 1

Each stage (a map, magnitude, neighbours, quantiles, consistency) meets each kind of kill so many
times. A stage ends with the bits that it has when nothing is killed, or with one `WellgramError`;
the kinds that say so below must end with the bits. A stage that takes longer than the limits of the
documentation add up to is a hang. The exit status is 1 if anything else was seen.
"""

import argparse
import json
import logging
import os
import random
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import wellgram as wg
import wellgram.stream
from faults.killable_cluster import KillableCluster

HANG_SECONDS = 180
"""The waits of the documentation, one after another, with room for a slow machine"""


def wells() -> wg.Wells:
    """Return wells of 120 perturbations and controls in two batches."""
    rng = np.random.default_rng(0)
    n = 4_000
    names = np.array([f"g{i % 120}" for i in range(n)], object)
    names[::8] = "NTC"
    rows = rng.standard_normal((n, 32)).astype(np.float32)
    batches = [f"b{i // 2000}" for i in range(n)]
    return wg.Wells.from_arrays(rows, names, control="NTC", batch=batches)


def file_of(screen: wg.Wells, folder: Path) -> Path:
    """Write the wells as parquet in eight row groups."""
    frame = pd.DataFrame(screen.embeddings).add_prefix("f_")
    frame = frame.assign(
        gene=screen.metadata["perturbation"].to_numpy(),
        batch=screen.metadata["batch"].to_numpy(),
        well=np.arange(len(frame)),
    )
    frame.to_parquet(folder / "wells.parquet", row_group_size=500, index=False)
    return folder / "wells.parquet"


def stages(folder: Path) -> dict[str, Callable[[object], bytes]]:
    """Return what is run on a client, each giving its result as bytes; files go to the folder."""
    screen = wells()
    stream = wg.open_wells(
        file_of(screen, folder),
        layout="columns", perturbation="gene", batch="batch", well_id="well", control="NTC",
        features="f_*",
    )  # fmt: skip
    wellgram.stream._PART_BYTES = 1 << 16  # so that a small file is many parts
    rows = np.random.default_rng(1).standard_normal((12_000, 48)).astype(np.float32)

    def build_map(client: object) -> bytes:
        return wg.build_map(stream, wg.TVN(), dtype="float64", client=client).embeddings.tobytes()

    def magnitude(client: object) -> bytes:
        return wg.magnitude(screen, draws=200, client=client).table.to_csv().encode()

    def neighbors(client: object) -> bytes:
        return wg.neighbors(rows, 10, client=client).table.to_csv().encode()

    def quantiles(client: object) -> bytes:
        return wg.pair_quantiles(rows, [0.1, 0.9], client=client).cosines.tobytes()

    def consistency(client: object) -> bytes:
        return wg.consistency(screen, draws=2_000, client=client).table.to_csv().encode()

    return dict(zip(STAGES, (build_map, magnitude, neighbors, quantiles, consistency), strict=True))


STAGES = ("map", "magnitude", "neighbors", "quantiles", "consistency")
MUST_BE_SAME = frozenset({"one worker", "all workers"})
"""Kinds after which a cluster comes back by itself, so that an error would be a fault"""


def run(stage: str, kinds: list[str], kills: int, seed: int) -> Counter[str]:
    """Kill so often while a stage runs; return how often it ended how."""
    rng = random.Random(f"{seed} {stage}")
    ended: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        work = stages(Path(folder))[stage]
        for kind in kinds:
            ended += _killed(stage, work, kind, kills, rng)
    return ended


def _killed(
    stage: str, work: Callable[[object], bytes], kind: str, kills: int, rng: random.Random
) -> Counter[str]:
    ended: Counter[str] = Counter()
    with KillableCluster(scheduler_apart=kind == "scheduler") as cluster:
        work(cluster.client)  # what is imported and compiled for the first time
        began = time.monotonic()
        undisturbed = work(cluster.client)
        seconds = time.monotonic() - began
        for _ in range(kills):
            cluster.whole()
            delay = rng.uniform(0, seconds)
            timer = threading.Timer(delay, cluster.kill, [kind, rng.randrange(2)])
            ended[f"{stage}, {kind}: {_end(work, cluster, timer, undisturbed, kind)}"] += 1
    return ended


def _end(
    work: Callable[[object], bytes],
    cluster: KillableCluster,
    timer: threading.Timer,
    undisturbed: bytes,
    kind: str,
) -> str:
    hang = threading.Timer(HANG_SECONDS, _hang, [kind])
    hang.daemon = True
    hang.start()
    timer.start()
    try:
        result = work(cluster.client)
    except wg.WellgramError as problem:
        # Where the kill came before the job began, the job says so and does not begin.
        began = "has no workers; start some" not in str(problem)
        fault = "FAULT " if began and kind in MUST_BE_SAME else ""
        return f"{fault}{type(problem).__name__}: {str(problem)[:60]}"
    except Exception as problem:
        return f"FAULT {type(problem).__name__}: {str(problem)[:160]}"
    finally:
        timer.join()
        hang.cancel()
    return "same bits" if result == undisturbed else "FAULT other bits"


def _hang(kind: str) -> None:
    import faulthandler

    faulthandler.dump_traceback()
    print(f"FAULT: a hang of {HANG_SECONDS} s after the kill of: {kind}", flush=True)
    os._exit(1)


def main() -> None:
    """Run what the arguments ask for, and print how often each stage ended how."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of each kind, in each stage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=KillableCluster.KINDS)
    parser.add_argument("--stages", nargs="+", choices=STAGES)
    asked = parser.parse_args()
    logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore")
    ended: Counter[str] = Counter()
    for stage in asked.stages or STAGES:
        ended += run(stage, asked.kinds or list(KillableCluster.KINDS), asked.kills, asked.seed)
        print(json.dumps(ended, indent=1), flush=True)
    sys.exit(any("FAULT" in end for end in ended))


if __name__ == "__main__":
    main()
