"""Passes with a screen beside the same without: times, ratios, and whether results are equal.

``python benchmarks/screens.py --rows 17063 --features 1024 --repeats 5``

Rows share eight directions of planted structure. The peak is that of float32 multiply-adds on
registers, measured before and after; a pass without a screen cannot go beyond it.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import wellgram as wg
from pairs import peak_of
from wellgram.backends import cpu
from wellgram.backends.consumers import CountBelow
from wellgram.pairs import scan_pairs


def rows(count: int, features: int) -> np.ndarray:
    """Return rows of noise with structure in eight directions."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((count, 8)) @ rng.standard_normal((8, features))
    return (rng.standard_normal((count, features)) + 0.3 * shared).astype(np.float32)


def questions(x: np.ndarray) -> dict[str, Callable[[], bytes]]:
    """Return what is asked, each as a function that returns its answer as bytes."""
    thresholds = CountBelow(tuple(wg.pair_quantiles(x, [0.01, 0.05, 0.95, 0.99]).cosines))
    return {
        "four counts": lambda: scan_pairs(x, [thresholds]).states[0].counts.tobytes(),
        "four quantiles": lambda: wg.pair_quantiles(x, [0.01, 0.05, 0.95, 0.99]).cosines.tobytes(),
        "25 nearest and farthest": lambda: wg.neighbors(x, 25).nearest_cosines.tobytes(),
        "5 nearest": lambda: wg.neighbors(x, 5, farthest=0).nearest_cosines.tobytes(),
        "histogram of 100 bins": lambda: wg.pair_histogram(x, bins=100).counts.tobytes(),
    }


def processor() -> str:
    """Return its name, family and model, as Linux tells them."""
    lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    stated = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)
    }
    parts = (stated.get(key, "") for key in ("model name", "cpu family", "model"))
    return " ".join(part for part in parts if part)


def main() -> None:
    """Print a line per question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=17_063)
    parser.add_argument("--features", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    x = rows(given.rows, given.features)
    cpu.use_screen(None)
    with peak_of(cpu.instruction_set(), cpu.threads()) as peak:
        before = peak()[0]
        compare(x, given.repeats)
        after = peak()[0]
    products = given.rows * (given.rows - 1) * given.features
    print(
        f"peak {(before + after) / 2e9:.0f} GFLOP/s: {2 * products / (before + after):.3f} s a pass"
    )


def compare(x: np.ndarray, repeats: int) -> None:
    """Print what every question takes without a screen and with one."""
    print(f"{processor()}: {cpu.describe()}; {len(x):,} x {x.shape[1]:,}, medians of {repeats}")
    for name, ask in questions(x).items():
        seconds: dict[str | None, list[float]] = {"none": [], None: []}
        answers = {}
        for _ in range(repeats):
            for screen, taken in seconds.items():
                cpu.use_screen(screen)
                begin = time.perf_counter()
                answers[screen] = ask()
                taken.append(time.perf_counter() - begin)
        without, screened = (statistics.median(taken) for taken in seconds.values())
        equal = "equal" if answers["none"] == answers[None] else "DIFFERENT"
        print(
            f"{name}: {without:.3f} s, screened {screened:.3f} s, {without / screened:.2f}; {equal}"
        )


if __name__ == "__main__":
    main()
