"""The measures of cytominer-eval beside cytominer-eval, and at the size of a screen.

Run ``python benchmarks/legacy_metrics.py [--both 2000] [--alone 20000] [--features 500]``. Needs
``pip install --no-deps cytominer-eval==0.1``; without it only our side is measured. Both are given
the same float64 profiles, for mp-values a fifth of them; answers are compared beside the times.
mp-values are shares of 100 random permutations. cytominer-eval holds every pair as a row of a
table, some 120 bytes each: 20,000 profiles would take 48 GB.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import wellgram as wg
from memory import reset_peak, status
from peers import cytominer_eval
from wellgram.metrics import legacy

REPLICATES, GUIDES = 4, 3
DRAWS = 100


def profiles(n: int, d: int) -> tuple[wg.PerturbationMap, list[str]]:
    """Return n profiles of d features, a tenth of them controls, and the controls' labels."""
    rng = np.random.default_rng(0)
    guide = np.arange(n) // REPLICATES
    gene = guide // GUIDES
    is_control = guide < guide[-1] // 10
    x = 0.3 * rng.normal(size=(gene[-1] + 1, d))[gene] * ~is_control[:, None]
    names = [f"c{k}" if c else f"p{k}" for k, c in zip(guide, is_control, strict=True)]
    genes = ["control" if c else f"g{k}" for k, c in zip(gene, is_control, strict=True)]
    labels = pd.DataFrame({"perturbation": names, "gene": genes})
    controls = sorted({name for name in names if name[0] == "c"})
    return wg.PerturbationMap(x + rng.normal(size=(n, d)), labels), controls


def fifth(map_: wg.PerturbationMap) -> tuple[wg.PerturbationMap, list[str]]:
    """Return profiles of a map of a fifth of the size, and the controls' labels."""
    return profiles(len(map_) // 5, map_.embeddings.shape[1])


def ours(map_: wg.PerturbationMap, controls: list[str]) -> dict[str, Callable[[], Any]]:
    """Return a call of each measure."""
    few, of_few = fifth(map_)
    return {
        "replicate_reproducibility": lambda: legacy.replicate_reproducibility(map_).share_of_pairs,
        "grit": lambda: legacy.grit(map_, group="gene", controls=controls)
        .table.set_index("perturbation")["grit"],
        "precision_recall": lambda: legacy.precision_recall(map_, groupby="perturbation")
        .set_index("perturbation")["precision"],
        "mp_value": lambda: legacy.mp_value(few, controls=of_few, draws=DRAWS, p_form="share")
        .table.set_index("perturbation")["mp_value"],
        "hit_at_k": lambda: legacy.hit_at_k(map_),
        "enrichment_above": lambda: legacy.enrichment_above(map_),
    }  # fmt: skip


def theirs(
    evaluate: Callable[..., Any], map_: wg.PerturbationMap, controls: list[str]
) -> dict[str, Callable[[], Any]]:
    """Return a call of each operation of the released package."""
    features = [f"f{k}" for k in range(map_.embeddings.shape[1])]
    frame = map_.labels.join(pd.DataFrame(map_.embeddings, columns=features))
    given = (frame, features, ["perturbation", "gene"])
    few, of_few = fifth(map_)
    some = few.labels.join(pd.DataFrame(few.embeddings, columns=features))
    guide = {"profile_col": "perturbation", "replicate_group_col": "gene"}
    return {
        "replicate_reproducibility": lambda: evaluate(
            *given, ["perturbation"], "replicate_reproducibility"
        ),
        "grit": lambda: evaluate(*given, guide, "grit", grit_control_perts=controls)
        .set_index("perturbation")["grit"],
        "precision_recall": lambda: evaluate(*given, ["perturbation"], "precision_recall")
        .set_index("perturbation")["precision"],
        "mp_value": lambda: evaluate(
            some, features, [], "perturbation", "mp_value", grit_control_perts=of_few
        ).set_index("perturbation")["mp_value"],
    }  # fmt: skip


def timed(call: Callable[[], Any], repeats: int) -> tuple[float, float, Any]:
    """Return the best time, the memory it took and the answer."""
    before, best = reset_peak(), np.inf
    for _ in range(repeats):
        began = time.perf_counter()
        answer = call()
        best = min(best, time.perf_counter() - began)
    return best, (status("VmHWM") - before) / 1e6, answer


def difference(mine: Any, other: Any) -> float:
    """Return how far two answers differ at most."""
    if isinstance(other, pd.Series):
        both = pd.concat([mine.astype(float), other.astype(float)], axis=1).dropna()
        return float((both.iloc[:, 0] - both.iloc[:, 1]).abs().max())
    return float(abs(mine - other))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--both", type=int, default=2_000)
    parser.add_argument("--alone", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=500)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    map_, controls = profiles(options.both, options.features)
    print(f"{options.both:,} profiles x {options.features} features")
    mine = ours(map_, controls)
    for call in mine.values():
        call()  # starts the threads
    with cytominer_eval() as evaluate:
        others = {} if evaluate is None else theirs(evaluate, map_, controls)
        for name, call in mine.items():
            seconds, memory, answer = timed(call, 5)
            line = f"  {name:26s} {seconds:8.3f} s {memory:6.0f} MB"
            if name in others:
                slow, more, other = timed(others[name], 1)
                line += (
                    f"   cytominer-eval {slow:8.2f} s {more:6.0f} MB   {slow / seconds:6.0f} times"
                    f"   differs by {difference(answer, other):.1e}"
                )
            print(line, flush=True)
    map_, controls = profiles(options.alone, options.features)
    print(f"{options.alone:,} profiles x {options.features} features, ours alone")
    for name, call in ours(map_, controls).items():
        seconds, memory, _ = timed(call, 1)
        print(f"  {name:26s} {seconds:8.3f} s {memory:6.0f} MB", flush=True)


if __name__ == "__main__":
    main()
