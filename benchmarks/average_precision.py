"""Average precision of profiles beside copairs, and of a whole screen's wells against controls.

Run ``python benchmarks/average_precision.py [--features 384] [--repeats 3] [--scale 1.0]``. Needs
``pip install --no-deps copairs==0.5 duckdb==1.3.2 statsmodels patsy tqdm``; without it only our
side is measured. Each side is a process of its own, given the same profiles; answers are compared
beside the times. Memory is what the process needed beyond what it held before the call.
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

SHAPES = (6_500, 9_216)
REPLICATES = 12
RULES = {"pos_sameby": ["perturbation"], "neg_diffby": ["perturbation"]}
CORE = {"neg_sameby": "batch", "neg_diffby": "is_control"}


def profiles(n: int, d: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Return n profiles of d features, twelve of each perturbation, alike by a little."""
    rng = np.random.default_rng(0)
    kind = np.arange(n) // REPLICATES
    x = 0.2 * rng.normal(size=(kind[-1] + 1, d))[kind] + rng.normal(size=(n, d))
    return x.astype(np.float32), pd.DataFrame({"perturbation": kind})


def ours(n: int, d: int, repeats: int) -> dict[str, object]:
    """Time average precision and its mean; the first call warms the threads."""
    import wellgram as wg

    x, meta = profiles(n, d)
    few = wg.PerturbationMap(x[:120], meta[:120])
    wg.mean_average_precision(wg.average_precision(few, **RULES))
    before, ranked, tested = reset_peak(), [], []
    for _ in range(repeats):
        began = time.perf_counter()
        ap = wg.average_precision(wg.PerturbationMap(x, meta), **RULES)
        ranked.append(time.perf_counter() - began)
        began = time.perf_counter()
        table = wg.mean_average_precision(ap, p_form="plus-one-above").table
        tested.append(time.perf_counter() - began)
    return {
        "ranks": statistics.median(ranked),
        "p-values": statistics.median(tested),
        "bytes": status("VmHWM") - before,
        "ap": ap.table["average_precision"].tolist(),
        "p": table["p_value"].tolist(),
    }


def theirs(n: int, d: int, repeats: int) -> dict[str, object]:
    """Do the same with copairs, once; the warm-up loads its modules and starts its threads."""
    from copairs import map as copairs

    x, meta = profiles(n, d)
    rules = (["perturbation"], [], [], ["perturbation"])
    copairs.average_precision(meta[:120], x[:120], *rules)
    before = reset_peak()
    began = time.perf_counter()
    ap = copairs.average_precision(meta, x, *rules)
    ranked = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        table = copairs.mean_average_precision(
            ap, ["perturbation"], 10_000, 0.05, 0, cache_dir=cache
        )
        tested = time.perf_counter() - began
    return {
        "ranks": ranked,
        "p-values": tested,
        "bytes": status("VmHWM") - before,
        "ap": ap["average_precision"].tolist(),
        "p": table.sort_index()["p_value"].tolist(),
    }


def core(scale: float) -> dict[str, object]:
    """Rank the wells of a whole screen: replicates against the controls of their experiment."""
    import wellgram as wg
    from wellgram.simulate import rxrx3_core

    wells = rxrx3_core(scale=scale, seed=0).wells()
    aligned = wg.Wells(wg.PCACenterScale().fit_transform(wells), wells.metadata, wells.origin)
    keys = ["perturbation_type", "perturbation", "dose"]
    scored = (wells.metadata["in_map"] & ~wells.metadata["is_control"]).to_numpy(bool)
    del wells
    before = reset_peak()
    began = time.perf_counter()
    ap = wg.average_precision(aligned, pos_sameby=keys, scored=scored, **CORE)
    ranked = time.perf_counter() - began
    kinds = ap.table.loc[ap.table["reason"] == "", ["n_pos_pairs", "n_total_pairs"]]
    began = time.perf_counter()
    result = wg.mean_average_precision(ap)
    return {
        "ranks": ranked,
        "p-values": time.perf_counter() - began,
        "bytes": status("VmHWM") - before,
        "wells": int(scored.sum()),
        "groups": len(result.table),
        "kinds": len(kinds.drop_duplicates()),
    }


def measured(*arguments: object) -> dict[str, object]:
    """Run one side as a process of its own."""
    command = [sys.executable, Path(__file__), *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--profiles", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side == "core":
        print(json.dumps(core(options.scale)))
        return
    if options.side:
        side = {"ours": ours, "theirs": theirs}[options.side]
        print(json.dumps(side(options.profiles, options.features, options.repeats)))
        return
    for n in SHAPES:
        print(f"{n:,} profiles x {options.features} features, {REPLICATES} replicates, all pairs")
        shape = ("--profiles", n, "--features", options.features, "--repeats", options.repeats)
        mine = measured("--side", "ours", *shape)
        report("wellgram", mine)
        if find_spec("copairs") is None:
            continue
        other = measured("--side", "theirs", *shape)
        report("copairs", other)
        differ = np.abs(np.subtract(mine["ap"], other["ap"]))
        print(f"  average precision differs by {differ.max():.1e} at most, in "
              f"{np.mean(differ > 1e-12):.2%} of profiles; p-values by "
              f"{np.abs(np.subtract(mine['p'], other['p'])).max():.4f}")  # fmt: skip
        both = [side["ranks"] + side["p-values"] for side in (mine, other)]
        print(f"  ranks {other['ranks'] / mine['ranks']:.0f} times, in all {both[1] / both[0]:.0f}")
    found = measured("--side", "core", "--scale", options.scale)
    print(
        f"{found['wells']:,} wells of RxRx3-core's shape against their experiment's controls: "
        f"{found['groups']:,} perturbations, {found['kinds']:,} kinds of ranking"
    )
    report("wellgram", found)


def report(name: str, found: dict[str, object]) -> None:
    """Print the times and the memory of one side."""
    print(
        f"  {name:10s} ranks {found['ranks']:8.2f} s   p-values {found['p-values']:8.2f} s   "
        f"{found['bytes'] / 1e6:8.0f} MB",
        flush=True,
    )


if __name__ == "__main__":
    main()
