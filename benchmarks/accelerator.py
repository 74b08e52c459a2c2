"""Unmodified scripts on public tools, as they are and accelerated: times, memory, and tables.

Run ``python benchmarks/accelerator.py [--scale 1.0] [--repeats 3]``. Needs ``pip install --no-deps
efaar_benchmarking==1.0 copairs duckdb statsmodels patsy tqdm torch==2.13.0 geomloss``, scikit-learn
and joblib.

The scripts are those of ``examples/``: a whole screen of RxRx3-core's shape through
efaar_benchmarking, and 6,500 profiles through copairs. Each run is a process of its own, given the
same files and a home of its own, so that no null is at hand from a run before; tables are compared
before any time is printed. Times are wall clock of the whole process, imports and reading
included, medians over the repeats, the original once; memory is the peak of that process, without
those of the workers that efaar_benchmarking starts.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROFILES, FEATURES, REPLICATES = 6_500, 384, 12
EXAMPLES = Path(__file__).parents[1] / "examples"
SCREEN, RANKS = "evaluate_screen.py", "rank_profiles.py"


def prepare(folder: Path, scale: float) -> None:
    """Write the screen, its negatives and the profiles. In a process of its own."""
    import numpy as np
    import pandas as pd

    from peers import write_stand_ins
    from wellgram.simulate import rxrx3_core

    rxrx3_core(scale=scale, seed=0).write(folder)
    for source in (folder / "relationships").glob("*.csv"):
        source.rename(source.with_suffix(".txt"))
    (folder / "negatives.txt").write_text("\n".join(f"GENE{k:04d}" for k in range(50)))
    write_stand_ins(folder / "stand_ins")
    rng = np.random.default_rng(0)
    kind = np.arange(PROFILES) // REPLICATES
    x = 0.2 * rng.normal(size=(kind[-1] + 1, FEATURES))[kind] + rng.normal(
        size=(PROFILES, FEATURES)
    )
    table = pd.DataFrame(x.astype(np.float32), columns=[f"f{j}" for j in range(FEATURES)])
    # Numbers, which every DuckDB knows: before 1.4 it knew no texts of pandas 3.
    table.insert(0, "Metadata_perturbation", kind)
    table.to_parquet(folder / "profiles.parquet")


def run(script: str, accelerated: bool, folder: Path) -> dict[str, object]:
    """Run a script; return seconds, peak memory and where its tables are."""
    home = Path(tempfile.mkdtemp(dir=folder))
    arguments = {
        SCREEN: [folder, "--negatives", folder / "negatives.txt", "--out", home],
        RANKS: [folder / "profiles.parquet", "--out", home / "map.csv"],
    }[script]
    door = ["-m", "wellgram.accel"] if accelerated else []
    command = [sys.executable, "-W", "ignore", *door, EXAMPLES / script, *arguments]
    paths = [str(folder / "stand_ins"), os.environ.get("PYTHONPATH", "")]
    with (home / "log").open("w") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)),
            env=os.environ | {"HOME": str(home), "PYTHONPATH": os.pathsep.join(paths)},
            stdout=log,
            stderr=log,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    said = (home / "log").read_text()
    if status:
        raise SystemExit(said[-3000:])
    found = {"seconds": seconds, "bytes": usage.ru_maxrss * 1024, "home": str(home)}
    if script == RANKS:
        # "ranked in 1.00 s, tested in 2.00 s": the two calls, without imports and reading.
        words = said.splitlines()[-1].split()
        found["calls"] = float(words[2]) + float(words[6])
    return found


def compare(script: str, ours: Path, theirs: Path) -> None:
    """Stop unless the tables are the same: labels and counts exactly, recalls to 1e-4."""
    import numpy as np
    import pandas as pd

    if script == RANKS:
        a, b = (pd.read_csv(home / "map.csv").set_index("Metadata_perturbation")
                for home in (ours, theirs))  # fmt: skip
        assert a.index.equals(b.index)
        assert list(a) == list(b)
        away = {column: np.abs(a[column].astype(float) - b[column].astype(float)).max()
                for column in a}  # fmt: skip
        print("  tables differ at most by", {k: float(f"{v:.1e}") for k, v in away.items()})
        assert away["mean_average_precision"] < 1e-5
        return
    for name, within in (("recall", 1e-4), ("consistency", 1e-5)):
        a, b = (pd.read_csv(home / f"{name}.csv") for home in (ours, theirs))
        numbers = a.select_dtypes(np.floating).columns
        pd.testing.assert_frame_equal(a.drop(columns=numbers), b.drop(columns=numbers))
        away = np.nanmax(np.abs(a[numbers].to_numpy() - b[numbers].to_numpy()), axis=0)
        print(f"  {name}: {len(a):,} rows, differ at most by",
              dict(zip(numbers, away.round(9).tolist(), strict=True)))  # fmt: skip
        shares = [column == "pval" for column in numbers]  # a score beside another's in the null
        assert (away[~np.array(shares)] <= within).all()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=[SCREEN, RANKS])
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--compare", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.prepare:
        prepare(options.prepare, options.scale)
        return
    if options.compare:
        script, ours, theirs = options.compare
        compare(script, Path(ours), Path(theirs))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # This process stays small: a child's peak is at least that of who starts it.
        again = [sys.executable, __file__, "--scale", str(options.scale)]
        subprocess.run([*again, "--prepare", folder], check=True)
        for script in [options.only] if options.only else [RANKS, SCREEN]:
            print(script, flush=True)
            runs = [run(script, True, folder) for _ in range(options.repeats)]
            theirs = run(script, False, folder)
            last = runs[-1]
            subprocess.run([*again, "--compare", script, last["home"], theirs["home"]], check=True)
            report(runs, theirs)


def report(runs: list[dict], theirs: dict) -> None:
    """Print medians of ours, the one run of theirs, and their ratio."""
    for name, scale, unit in (("seconds", 1, "s"), ("calls", 1, "s"), ("bytes", 1e9, "GB")):
        if name not in theirs:
            continue
        values = [found[name] / scale for found in runs]
        middle, other = statistics.median(values), theirs[name] / scale
        print(f"  {name:8} {middle:8.2f} {unit} ({min(values):.2f} to {max(values):.2f}), as it is "
              f"{other:8.2f} {unit}: {other / middle:.1f} times")  # fmt: skip
    print(json.dumps({"ours": runs, "theirs": theirs}, default=str), file=sys.stderr)


if __name__ == "__main__":
    main()
