"""The pass over all pairs: share of the processor's peak, beside NumPy, scikit-learn and EFAAR.

Run ``python benchmarks/pairs.py [--peers] [--scaling] [--repeats 5]``. Needs a C compiler for the
peak (``benchmarks/peak.c``); ``--peers`` also scikit-learn and
``pip install --no-deps efaar_benchmarking==1.0``, whose five annotation sources are then used.

Everything is measured in one run: medians of the repeats, wall clock, the peak before and after
each side. Useful flops are n (n - 1) d: one multiply-add per pair and feature. Answers are asserted
before any time is printed. Peers and memory are measured in processes of their own, in turn.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

import wellgram as wg
from memory import reset_peak, status
from wellgram.backends import cpu
from wellgram.metrics import RecallResult
from wellgram.pairs import (
    Bracket,
    CountBelow,
    Extent,
    Histogram,
    Nearest,
    Ranks,
    UnitRows,
    tile_count,
)
from wellgram.pairs.scanning import scan

N, D = 17_063, 1_024  # RxRx3's genes, and a usual width
SCALING = [(n, 1_024) for n in (2_048, 4_096, 8_192, 17_063, 32_768, 65_536)]
WIDTHS = [(17_063, d) for d in (128, 384, 1_024, 1_664, 3_600)]
LARGEST = (116_000, 3_600)  # JUMP's compounds: by a range of tiles
TAILS = (0.05, 0.1, 0.9, 0.95)


@contextmanager
def peak_of(isa: str, threads: int) -> Iterator[Callable[[], list[float]]]:
    """Yield what measures the flops and the copied bytes per second, at best, of an ISA."""
    width, flags = {"avx512": ("64", ["-mavx512f"]), "avx2": ("32", ["-mavx2", "-mfma"])}.get(
        isa[:6] if isa.startswith("avx512") else isa, ("16", [])
    )
    with tempfile.TemporaryDirectory() as folder:
        binary = f"{folder}/peak"
        source = Path(__file__).with_name("peak.c")
        subprocess.run(
            ["cc", "-O2", f"-DWIDTH={width}", *flags, "-pthread", str(source), "-o", binary],
            check=True,
        )

        def measure() -> list[float]:
            return [float(f) for f in subprocess.check_output([binary, str(threads)]).split()]

        yield measure


def made(n: int, d: int) -> np.ndarray:
    """Return Gaussian rows around a few common directions, as the genes of a map have them."""
    rng = np.random.default_rng(0)
    common = rng.standard_normal((8, d), np.float32)
    x = rng.standard_normal((n, d), dtype=np.float32)
    for first in range(0, n, 4096):  # in place: what is measured is memory, too
        part = x[first : first + 4096]
        part += rng.standard_normal((len(part), 8), dtype=np.float32) @ common
    return x


def gene_map(n: int, d: int) -> tuple[wg.PerturbationMap, dict[str, pd.DataFrame]]:
    """Return a map whose rows are named as the genes of the public sources, and the sources."""
    sources = wg.relationship_sources("efaar")
    names = {*pd.concat(sources.values())[["entity1", "entity2"]].to_numpy().ravel()}
    labels = (sorted(names) + [f"GENE{k}" for k in range(n)])[:n]
    return wg.PerturbationMap(made(n, d), pd.DataFrame({"perturbation": labels})), sources


def one_by_one(
    sides: dict[str, Callable[[], object]], peak: Callable[[], list[float]], repeats: int
) -> dict[str, tuple[float, float]]:
    """Return the median seconds of each side, and the peak flops measured before and after it.

    Each side runs once unreported, then `repeats` times: a virtual machine gives memory that lies
    idle back to its host, and the first use after that takes 40 times as long (3.3 ms a megabyte
    here), so that sides in turn pay for what the others leave behind.
    """
    measured, flops = {}, peak()[0]
    for name, side in sides.items():
        side()
        seconds = []
        for _ in range(repeats):
            began = time.perf_counter()
            side()
            seconds.append(time.perf_counter() - began)
        before, flops = flops, peak()[0]
        measured[name] = statistics.median(seconds), (before + flops) / 2
    return measured


def quantile_consumers(rows: UnitRows, values: np.ndarray | None) -> list[object]:
    """Return what thresholds (and ranks) ask of one pass: brackets as a sample guesses them."""
    rng = np.random.default_rng(1)
    i = rng.integers(rows.n, size=1 << 17)
    j = (i + rng.integers(1, rows.n, size=1 << 17)) % rows.n
    sample = np.sort(rows.cosines(i, j).astype(np.float64))
    brackets = []
    for share in TAILS:
        spread = 4 * np.sqrt(len(sample) * share * (1 - share))
        low, high = (int(len(sample) * share + side * spread) for side in (-1, 1))
        brackets.append((sample[low], sample[high]))
    if values is None:
        return [Bracket(low, high, 1 << 22) for low, high in brackets]
    return [Ranks(values, tuple(brackets), 1 << 24)]


def consumers_table(repeats: int, threads: int) -> None:
    """Print what consumers cost at 17,063 x 1,024, per instruction set, and against NumPy."""
    map_, sources = gene_map(N, D)
    rows = UnitRows(map_)
    known = wg.relationship_recall(map_, sources).known
    cosines = np.unique(np.concatenate([pairs["cosine"] for pairs in known.values()]))
    unit = rows.span(0, N)
    print(f"{N:,} x {D:,} float32, {threads} threads; known pairs' cosines: {len(cosines):,}")
    best = cpu.instruction_set()
    for isa in cpu.instruction_sets():
        if isa in ("baseline", "avx512bf16") and isa != best:
            continue
        cpu.use_instruction_set(isa)
        asked = {
            "no consumer": [],
            "2 counts": [CountBelow((-0.05, 0.05))],
            "thresholds": quantile_consumers(rows, None),
            "thresholds and ranks": quantile_consumers(rows, cosines),
            "histogram, 400 bins": [Histogram()],
            "top and bottom 25": [Nearest(25, 25)],
        }
        sides: dict[str, Callable[[], object]] = {
            name: (lambda c=c: scan(rows, None, c)[:]) for name, c in asked.items()
        }
        sides["bfloat16, 2 counts"] = lambda: wg.scan_pairs(
            map_, [CountBelow((-0.05, 0.05))], dtype="bfloat16"
        )
        sides["NumPy X @ X.T"] = lambda: unit @ unit.T
        with peak_of(isa, threads) as peak:
            flops, copied = peak()
            measured = one_by_one(sides, peak, repeats)
        print(f"\n{isa}: peak {flops / 1e9:.0f} GFLOP/s, copy {copied / 1e9:.0f} GB/s (1 thread)")
        for name, (value, flops) in measured.items():
            rate = Extent(N).pairs * 2 * D / value
            share = "" if "bfloat" in name else f"{rate / flops:6.1%} of peak"
            print(
                f"  {name:22s} {value:6.3f} s {rate / 1e9:6.0f} GFLOP/s useful {share:15s}"
                f" {measured['NumPy X @ X.T'][0] / value:5.2f} x NumPy"
                f" {value / measured['2 counts'][0] - 1:+6.1%} on counting"
            )
    cpu.use_instruction_set(best)


def scaling_table(threads: int) -> None:
    """Print time against n^2 d, and extra memory against n d, each size in a process of its own."""
    print(f"\nthresholds of all pairs, {threads} threads: seconds, useful GFLOP/s, extra memory")
    for n, d in dict.fromkeys(SCALING + WIDTHS):
        got = json.loads(in_process("one_size", n, d))
        report_size(n, d, got)
    n, d = LARGEST
    got = json.loads(in_process("one_range", n, d))
    report_size(n, d, got)
    print("  (the last by one range of tiles, extrapolated to all of them)")


def report_size(n: int, d: int, got: dict[str, float]) -> None:
    """Print one line of the scaling table."""
    rate = Extent(n).pairs * 2 * d / got["seconds"]
    extra = got["extra"] / (n * d * 4)
    print(
        f"  n {n:7,} d {d:5,}: {got['seconds']:8.2f} s {rate / 1e9:5.0f} GFLOP/s"
        f" {got['extra'] / 1e6:7.0f} MB extra = {extra:.1f} x the map"
    )


def one_size(n: int, d: int) -> dict[str, float]:
    """Measure the thresholds of a map of this size."""
    return measured(lambda x: wg.pair_quantiles(x, TAILS), made(n, d))


def one_range(n: int, d: int) -> dict[str, float]:
    """Measure a range of tiles of a large map, as a share of all."""
    total = tile_count(Extent(n))
    begin, end = total // 2, total // 2 + total // 40

    def call(x: np.ndarray) -> None:
        wg.scan_pairs(x, [CountBelow(TAILS)], tiles=(begin, end) if len(x) == n else None)

    got = measured(call, made(n, d))
    return got | {"seconds": got["seconds"] * total / (end - begin)}


def measured(call: Callable[[np.ndarray], object], x: np.ndarray) -> dict[str, float]:
    """Return the seconds of a call, and how much the peak memory rose above what was there."""
    call(x[:3000])  # imports, threads
    before = reset_peak()
    began = time.perf_counter()
    call(x)
    return {"seconds": time.perf_counter() - began, "extra": status("VmHWM") - before}


def peers_table(repeats: int) -> None:
    """Print recall end to end beside EFAAR, and the matrix beside scikit-learn."""
    print(f"\nrecall of five sources, {N:,} x {D:,}, each in a process of its own, in turn")
    runs: dict[str, list[dict[str, float]]] = {"our_recall": [], "efaar_recall": []}
    for _ in range(repeats):
        for side, got in runs.items():
            got.append(json.loads(in_process(side, N, D)))
    ours, theirs = (got[0]["answer"] for got in runs.values())
    assert ours.keys() == theirs.keys()
    assert all(abs(ours[key] - theirs[key]) < 1e-4 for key in ours), (ours, theirs)
    for side, got in runs.items():
        seconds = statistics.median(run["seconds"] for run in got)
        extra = max(run["extra"] for run in got)
        print(f"  {side:13s} {seconds:6.2f} s, {extra / 1e6:6.0f} MB extra")
    ratio = statistics.median(
        b["seconds"] / a["seconds"] for a, b in zip(*runs.values(), strict=True)
    )
    print(f"  {ratio:.0f} times faster; {len(ours)} counts and recalls agree to 1e-4")
    sklearn = json.loads(in_process("sklearn_matrix", N, D))
    print(
        f"\nscikit-learn cosine_similarity: {sklearn['seconds']:.2f} s, "
        f"{sklearn['extra'] / 1e6:.0f} MB extra"
    )


def our_recall(n: int, d: int) -> dict[str, object]:
    """Measure recall by wellgram."""
    map_, sources = gene_map(n, d)
    answers: list[RecallResult] = []

    def call(x: np.ndarray) -> None:
        some = wg.PerturbationMap(x, map_.labels[: len(x)])
        answers.append(wg.relationship_recall(some, sources))

    got = measured(call, map_.embeddings)
    answer: dict[str, float] = {}
    for row in answers[-1].table.itertuples():
        answer |= {
            f"{row.source} pairs": row.n_known_pairs,
            f"{row.source} {row.tail_low}": row.recall,
        }
    return got | {"answer": answer}


def efaar_recall(n: int, d: int) -> dict[str, object]:
    """Measure recall by known_relationship_benchmark."""
    from sklearn.utils import Bunch

    from peers import efaar

    map_, _ = gene_map(n, d)
    benchmark = efaar("benchmarking").known_relationship_benchmark
    answers: list[pd.DataFrame] = []

    def call(x: np.ndarray) -> None:
        labels = map_.labels[: len(x)].copy()
        answers.append(benchmark(Bunch(features=pd.DataFrame(x), metadata=labels), "perturbation"))

    got = measured(call, map_.embeddings)
    table = answers[-1].set_index("source")
    answer = {}
    for source, row in table.iterrows():
        answer[f"{source} pairs"] = int(row["query_distribution_size"])
        for low, high in ((0.05, 0.95), (0.1, 0.9)):
            answer[f"{source} {low}"] = float(row[f"recall_{low}_{high}"])
    return got | {"answer": answer}


def sklearn_matrix(n: int, d: int) -> dict[str, float]:
    """Measure the matrix by scikit-learn."""
    from sklearn.metrics.pairwise import cosine_similarity

    return measured(cosine_similarity, made(n, d))


def in_process(side: str, n: int, d: int) -> str:
    """Run one of the sides above in a fresh process; return its last line."""
    command = [sys.executable, __file__, "--side", side, str(n), str(d)]
    return subprocess.check_output(command, text=True).splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        side, n, d = options.side
        print(json.dumps(globals()[side](int(n), int(d))))
        return
    consumers_table(options.repeats, cpu.threads())
    if options.peers:
        peers_table(options.repeats)
    if options.scaling:
        scaling_table(cpu.threads())


if __name__ == "__main__":
    main()
