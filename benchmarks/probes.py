"""Probes and neighbours at RxRx1's shape, beside scikit-learn and FAISS, in one run.

Run ``python benchmarks/probes.py [--rows 60000] [--repeats 3] [--only split] [--backend cuda]``.
Needs scikit-learn, and faiss-cpu for its column. The screen is simulated
(`wellgram.simulate.rxrx1`): 125,510 sites x 384 features, 1,139 classes, 51 experiments.

The probe: multinomial logistic regression on standardised sites, C = 1. scikit-learn (lbfgs,
float64 and float32) ends where its tolerance says, or after --iterations (--dtype float64
--iterations 10000 lets it come to its own end in float64); ours is timed to the moment its
objective is no worse, from raw rows on, and to its own end. They take turns, --repeats times. The
objective of both is taken anew in float64.
Neighbours: of every test site the nearest 5 train sites, and of every site those of all other
experiments; FAISS (a flat index) and scikit-learn (brute force, Euclidean on unit rows, which is
faster than its cosine) find the same, experiment by experiment where those are all others. FAISS
brings an OpenBLAS of its own, which may not know a newer processor and then takes kernels for an
old one: OPENBLAS_CORETYPE=SkylakeX has it use AVX-512.

On a machine that others use, ``--processor-time`` with one thread each (``OMP_NUM_THREADS=1
OPENBLAS_NUM_THREADS=1 WELLGRAM_NUM_THREADS=1``) is what can be compared.
"""

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from memory import reset_peak, status
from wellgram import CenterScale
from wellgram.pairs import neighbors, neighbors_across
from wellgram.probes import Logistic
from wellgram.simulate import rxrx1

PENALTY, NEIGHBORS = 1.0, 5


CLOCK = time.perf_counter


def measured(run: Callable[[], object]) -> tuple[object, float, int]:
    """Return what a call returns, its seconds, and by how many bytes the peak memory rose."""
    before, began = reset_peak(), CLOCK()
    found = run()
    return found, CLOCK() - began, status("VmHWM") - before


def spread(seconds: list[float]) -> str:
    """Write the median of some times, and their range."""
    return f"{statistics.median(seconds):6.1f} s ({min(seconds):.1f} to {max(seconds):.1f})"


def objective(
    x: np.ndarray, codes: np.ndarray, weights: np.ndarray, intercept: np.ndarray
) -> float:
    """Return the mean log loss and the penalty over n, in float64."""
    loss = 0.0
    for first in range(0, len(x), 4096):
        some = slice(first, first + 4096)
        scores = x[some].astype(np.float64) @ weights.T + intercept
        top = scores.max(axis=1)
        own = scores[np.arange(len(scores)), codes[some]]
        loss += float((np.log(np.exp(scores - top[:, None]).sum(axis=1)) + top - own).sum())
    return loss / len(x) + PENALTY / (2 * len(x)) * float(np.square(weights).sum())


def probes(
    x: np.ndarray,
    codes: np.ndarray,
    backend: str,
    repeats: int,
    dtypes: list[str],
    tolerance: float,
    most: int,
) -> None:
    """Time both to the same objective."""
    from sklearn.linear_model import LogisticRegression

    classes = int(codes.max()) + 1
    print(f"logistic probe, {len(x):,} x {x.shape[1]}, {classes:,} classes, C = 1")
    for dtype in dtypes:
        rows = x.astype(dtype)
        model = LogisticRegression(C=1 / PENALTY, tol=tolerance, max_iter=most)
        theirs, times, fit = [], [], None
        for _ in range(repeats):
            _, seconds, extra = measured(lambda model=model, rows=rows: model.fit(rows, codes))
            theirs.append(seconds)
            target = objective(
                x, codes, model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
            )
            fit, mine, own = measured(
                lambda target=target: Logistic(x, codes, classes, backend=backend).fit(
                    PENALTY, tolerance=1e-9, stop=lambda found: found.value <= target
                )
            )
            times.append(mine)
        taken = int(model.n_iter_[0])
        ended = f"stopped after {taken}" if taken >= most else f"its own end after {taken}"
        print(
            f"  scikit-learn {dtype}, tol {tolerance:g}: {spread(theirs)}, {extra / 1e6:5.0f} MB "
            f"extra, {ended} iterations, objective {target:.7f}",
            flush=True,
        )
        reached = objective(x, codes, fit.classifier.weights, fit.classifier.intercept)
        assert reached <= target + 1e-6, (reached, target)
        ratio = statistics.median(b / a for a, b in zip(times, theirs, strict=True))
        print(
            f"  ours to that objective: {spread(times)}, {own / 1e6:5.0f} MB extra, "
            f"{fit.evaluations} evaluations, objective {reached:.7f}: {ratio:.1f} times as fast",
            flush=True,
        )
    fit, seconds, _ = measured(lambda: Logistic(x, codes, classes, backend=backend).fit(PENALTY))
    print(
        f"  ours to its own end (tolerance 1e-6): {seconds:6.1f} s, {fit.iterations} iterations, "
        f"objective {fit.objective:.7f}",
        flush=True,
    )


Parts = list[tuple[np.ndarray, np.ndarray]]
"""Sites whose neighbours are sought, and the sites these are sought among"""


def unit(x: np.ndarray) -> np.ndarray:
    """Return rows of length 1."""
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def faiss_nearest(x: np.ndarray, parts: Parts) -> np.ndarray:
    """Find the nearest in a flat index."""
    import faiss

    rows, found = unit(x), np.full((len(x), NEIGHBORS), -1)
    for sought, among in parts:
        index = faiss.IndexFlatIP(x.shape[1])
        index.add(rows[among])
        found[sought] = among[index.search(rows[sought], NEIGHBORS)[1]]
    return found


def sklearn_nearest(x: np.ndarray, parts: Parts) -> np.ndarray:
    """Find the nearest by brute force."""
    from sklearn.neighbors import NearestNeighbors

    rows, found = unit(x), np.full((len(x), NEIGHBORS), -1)
    for sought, among in parts:
        model = NearestNeighbors(n_neighbors=NEIGHBORS, algorithm="brute").fit(rows[among])
        found[sought] = among[model.kneighbors(rows[sought], return_distance=False)]
    return found


def time_neighbors(
    x: np.ndarray, codes: np.ndarray, parts: Parts, ours: Callable[[], np.ndarray], repeats: int
) -> None:
    """Time all three in turn, and compare what they find."""
    sought = np.sort(np.concatenate([one for one, _ in parts]))
    ways = {
        "ours": ours,
        "faiss flat": lambda: faiss_nearest(x, parts),
        "scikit-learn": lambda: sklearn_nearest(x, parts),
    }
    if importlib.util.find_spec("faiss") is None:
        print("  faiss is absent")
        del ways["faiss flat"]
    times = {name: [] for name in ways}
    extra, found = {}, {}
    for _ in range(repeats):
        for name, find in ways.items():
            of, seconds, extra[name] = measured(find)
            times[name].append(seconds)
            found[name] = of[sought]
    rows, first = unit(x), found["ours"][:, 0]
    for name, (nearest_one, *_) in ((name, of.T) for name, of in found.items()):
        near, ours_near = (
            np.einsum("nd,nd->n", rows[sought], rows[of]) for of in (nearest_one, first)
        )
        np.testing.assert_allclose(near, ours_near, atol=2e-6)  # as near, in float32
        accuracy = float((codes[nearest_one] == codes[sought]).mean())
        same = float((nearest_one == first).mean())
        ratio = statistics.median(b / a for a, b in zip(times["ours"], times[name], strict=True))
        print(
            f"  {name:14s} {spread(times[name])}, {extra[name] / 1e6:6.0f} MB extra, accuracy "
            f"{accuracy:.5f}, {same:.4%} the same nearest, {ratio:4.1f} x ours",
            flush=True,
        )


def everywhere(x: np.ndarray, codes: np.ndarray, groups: np.ndarray, repeats: int) -> None:
    """Find each site's neighbours among those of all other experiments."""
    print(f"nearest {NEIGHBORS} of all other experiments, {len(x):,} x {x.shape[1]}")
    parts = [(np.flatnonzero(groups == g), np.flatnonzero(groups != g)) for g in np.unique(groups)]
    time_neighbors(x, codes, parts, lambda: neighbors_across(x, groups, NEIGHBORS).nearest, repeats)


def by_split(x: np.ndarray, codes: np.ndarray, train: np.ndarray, repeats: int) -> None:
    """Find test sites' neighbours among train sites."""
    among, sought = np.flatnonzero(train), np.flatnonzero(~train)
    print(f"nearest {NEIGHBORS} of {len(sought):,} test among {len(among):,} train sites")

    def ours() -> np.ndarray:
        found = np.full((len(x), NEIGHBORS), -1)
        found[sought] = among[neighbors(x[sought], NEIGHBORS, farthest=0, other=x[among]).nearest]
        return found

    time_neighbors(x, codes, [(sought, among)], ours, repeats)


def main() -> None:
    """Simulate, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--iterations", type=int, default=100, help="of scikit-learn, at most")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of scikit-learn")
    parser.add_argument("--backend", default="cpu", help="of our probe")
    parser.add_argument("--dtype", action="append", choices=("float64", "float32"))
    parser.add_argument("--only", choices=("probe", "split", "everywhere"))
    parser.add_argument("--processor-time", action="store_true")
    options = parser.parse_args()
    if options.processor_time:
        global CLOCK
        CLOCK = time.process_time
    sites = rxrx1(options.scale, seed=0, features=384).sites()
    x = CenterScale().fit_transform(sites)
    codes = pd.factorize(sites.metadata["perturbation"], sort=True)[0]
    groups = sites.batches()[0]
    train = (sites.metadata["dataset"] == "train").to_numpy()
    del sites
    if options.only in (None, "split"):
        by_split(x, codes, train, options.repeats)
    if options.only in (None, "everywhere"):
        everywhere(x, codes, groups, options.repeats)
    if options.only in (None, "probe"):
        some = np.sort(np.random.default_rng(0).permutation(len(x))[: options.rows])
        rows = x[some]
        rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        dtypes = options.dtype or ["float64", "float32"]
        ends = options.tolerance, options.iterations
        probes(rows, codes[some], options.backend, options.repeats, dtypes, *ends)


if __name__ == "__main__":
    main()
