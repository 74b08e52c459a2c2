"""The benchmarks of a map at RxRx3-core's shape: time, and what it grows with.

Run ``python benchmarks/metrics.py [--scale 1.0] [--repeats 3]``. Medians of the repeats in one
process, wall clock; the screen is simulated.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import wellgram as wg
from wellgram.backends import get_backend
from wellgram.maps.build import map_rows
from wellgram.simulate import rxrx3_core


def timed(what: str, run: Callable[[], object], repeats: int) -> float:
    """Print and return the median seconds of a call."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    print(f"  {what:58s} {statistics.median(seconds):7.2f} s", flush=True)
    return statistics.median(seconds)


def permuted(unit: np.ndarray, pool: np.ndarray, size: int, draws: int) -> None:
    """Do a null the old way: the cosines of all pairs of each set."""
    rng = np.random.default_rng(0)
    upper = np.triu_indices(size, 1)
    for _ in range(draws):
        rows = unit[rng.choice(pool, size, replace=False)]
        (rows @ rows.T)[upper].mean()


def full(map_: wg.PerturbationMap) -> pd.DataFrame:
    """Return a targets in which every compound of a map has one to ten targets."""
    rng = np.random.default_rng(0)
    kind, name = map_.labels["perturbation_type"], map_.labels["perturbation"]
    genes = name[kind == "CRISPR"].to_numpy()
    rows = [
        (compound, gene, 100.0)
        for compound in name[kind == "COMPOUND"].unique()
        for gene in rng.choice(genes, rng.integers(1, 11), replace=False)
    ]
    return pd.DataFrame(rows, columns=["treatment", "gene_symbol", "nM_value"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    screen = rxrx3_core(scale=options.scale, seed=0)
    wells = screen.wells()
    rows = wg.TVN().fit_transform(wells)
    aligned = wg.Wells(rows, wells.metadata, wells.origin)
    print(f"{wells!r}; {get_backend().describe()}")

    codes, labels = map_rows(aligned)
    sizes, count = np.unique(labels["n_wells"], return_counts=True)
    print(
        f"consistency of {len(labels):,} perturbations, {len(sizes)} numbers of wells, 10,000 draws"
    )
    for nested in (False, True):
        what = "nested draws" if nested else "draws for each number of wells"
        timed(what, lambda nested=nested: wg.consistency(aligned, nested=nested), options.repeats)
    unit, pool = get_backend().unit_rows(rows)[0], np.flatnonzero(codes >= 0)
    some = sizes[np.argsort(-count)][:4]
    old = [
        timed(f"pairs of 2,000 sets of {size}", lambda s=size: permuted(unit, pool, s, 2000), 1)
        for size in some
    ]
    ours = [
        timed(
            f"the same by sums, {size}",
            lambda s=size: get_backend().null_means(unit, [pool], [s], [s], 2000, seed=0, stream=0),
            options.repeats,
        )
        for size in some
    ]
    ratios = [f"{a / b:.0f}" for a, b in zip(old, ours, strict=True)]
    print(f"  sums are {', '.join(ratios)} times as fast")

    print("magnitude of all perturbations against 1,000 controls")
    genes = labels["perturbation"][labels["perturbation"].str.startswith("GENE")].unique()
    timed(
        "null of 50 genes",
        lambda: wg.magnitude(aligned, null="negatives", negatives=genes[:50], min_wells=2),
        options.repeats,
    )
    timed(
        "1,000 random sets for each number of wells",
        lambda: wg.magnitude(aligned, min_wells=2),
        options.repeats,
    )

    map_ = wg.build_map(wells, wg.PCACenterScale())
    for what, targets in (
        ("the screen's", screen.compound_targets),
        ("every compound's", full(map_)),
    ):
        print(f"drug targets of {map_!r}, {what}: {len(targets):,} rows of targets")
        for by in ("compound", "gene"):
            one, hundred = (
                timed(
                    f"by {by}, {draws} draws",
                    lambda draws=draws, by=by, targets=targets: wg.drug_targets(
                        map_, targets, by=by, draws=draws
                    ),
                    options.repeats,
                )
                for draws in (1, 100)
            )
            print(f"  100 draws take {hundred / one:.1f} times one")


if __name__ == "__main__":
    main()
