"""Retrieval, energy distances, macro F1 and rates over doses, beside what the public tools do.

Run ``python benchmarks/more_measures.py [--rows 4000] [--features 384]``. What cell-eval, pertpy
and CHAMMI's scripts do is written out with the calls of scikit-learn that they make; copairs is
called itself (``pip install --no-deps copairs==0.5.5``), where it is installed.
"""

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, pairwise_distances
from sklearn.neighbors import KNeighborsClassifier

import wellgram as wg
from wellgram.nulls import hierarchical_fdr

WELLS = 10


def timed(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Return the best time of some calls, and the answer."""
    best = np.inf
    for _ in range(repeats):
        began = time.perf_counter()
        answer = call()
        best = min(best, time.perf_counter() - began)
    return best, answer


def report(name: str, ours: Callable[[], Any], plain: Callable[[], Any], what: str) -> None:
    """Print the times of both, their ratio and how far the answers differ."""
    ours()
    mine, answer = timed(ours, 3)
    other, expected = timed(plain, 1)
    differs = np.abs(np.asarray(answer, float) - np.asarray(expected, float)).max()
    print(
        f"{name:18s} {mine:8.3f} s   {what} {other:8.3f} s   {other / mine:6.1f} times   "
        f"differs by {differs:.1e}",
        flush=True,
    )


def retrieved(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return one less the rank of each row's own over all rows, as cell-eval ranks distances."""
    scores = np.empty(len(first))
    x, y = first - first.mean(axis=0), second - second.mean(axis=0)
    for i, row in enumerate(x):
        apart = pairwise_distances(y, row[None], metric="cosine").ravel()
        scores[i] = 1 - np.flatnonzero(np.argsort(apart) == i)[0] / len(x)
    return scores


def energies(rows: np.ndarray, names: np.ndarray) -> list[float]:
    """Return the energy distance of every two, as pertpy makes them: pair by pair."""
    groups = [rows[names == name] for name in np.unique(names)]

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(pairwise_distances(a, b).mean())

    return [2 * mean(a, b) - mean(a, a) - mean(b, b) for a, b in combinations(groups, 2)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--features", type=int, default=384)
    options = parser.parse_args()
    n, rng = options.rows, np.random.default_rng(0)
    x = rng.normal(size=(n, options.features))
    y = x + 3 * rng.normal(size=x.shape)
    labels = pd.DataFrame({"perturbation": np.arange(n)})
    maps = wg.PerturbationMap(x, labels), wg.PerturbationMap(y, labels)
    print(f"{n:,} rows x {options.features} features")
    report(
        "retrieval",
        lambda: wg.retrieval(*maps, resamples=0).table["retrieval"],
        lambda: retrieved(x, y),
        "row by row",
    )
    few = n // 4
    names = np.array([f"p{k // WELLS:04d}" for k in range(few)])
    some = wg.Wells.from_arrays(x[:few], names)
    report(
        "energy_distances",
        lambda: wg.energy_distances(some).table["energy_distance"],
        lambda: energies(x[:few], names),
        f"{few // WELLS} groups, pair by pair",
    )
    kinds = np.arange(n) % 50
    wells = wg.Wells.from_arrays(
        x + 0.5 * rng.normal(size=(50, options.features))[kinds],
        [f"k{k:02d}" for k in kinds],
        batch=[f"b{k}" for k in np.arange(n) * 10 // n],
    )
    wells.metadata["side"] = np.where(np.arange(n) < n // 2, "train", "test")
    rows, told, train = wells.embeddings, wells.metadata["perturbation"], np.arange(n) < n // 2
    report(
        "macro F1",
        lambda: wg.neighbor_accuracy(wells, split="side", score="macro-f1", resamples=0).macro_f1,
        lambda: f1_score(
            told[~train],
            KNeighborsClassifier(1, metric="cosine")
            .fit(rows[train], told[train])
            .predict(rows[~train]),
            average="macro",
        ),
        "scikit-learn",
    )
    if find_spec("copairs") is None:
        return
    table = pd.DataFrame({"compound": np.arange(8 * n) // 8, "dose": np.arange(8 * n) % 8})
    table["p_value"] = rng.uniform(size=8 * n) ** np.where(table["compound"] < n // 4, 6, 1)
    module = import_module("copairs.map.hierarchical_fdr")
    report(
        "hierarchical rates",
        lambda: hierarchical_fdr(table["p_value"], table["compound"], family_p="min").q,
        lambda: module.apply_hierarchical_fdr_correction(table, ["compound"], ["compound", "dose"])[
            "corrected_p_value"
        ],
        f"{8 * n:,} tests, copairs",
    )


if __name__ == "__main__":
    main()
