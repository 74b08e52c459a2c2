"""Each well's nearest others: beside scikit-learn, FAISS flat and pynndescent, in one run.

``python benchmarks/well_neighbors.py --wells 222601 --repeats 3`` is RxRx3-core's shape; fewer
wells (``--wells 50000``) show the ratios. Peers that are not installed are left out by name
(``pip install scikit-learn faiss-cpu pynndescent``). Name the processor beside the figures
(`lscpu`). Tools take turns; medians of wall clock. wellgram's graph is proven; how often the
neighbors of others are the same is printed as recall. pynndescent is approximate: it is run as
scanpy and UMAP run it, and with 100 candidates for each well.

``--range`` takes 2.2 million wells x 128 of a mapped file instead: one square of rows on the
diagonal of the pass and one beside it, from which the rest is extrapolated. What memory it takes
beyond the mapped file is printed too.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import wellgram as wg
from memory import reset_peak, status
from wellgram.backends import get_backend
from wellgram.backends.thread_count import threads
from wellgram.graphs.candidates import Candidates
from wellgram.graphs.measures import measure_of
from wellgram.graphs.row_store import StoredRows
from wellgram.graphs.search import Search, Side

Rows = NDArray[np.float32]
Index = NDArray[np.int64]
RANGE = (2_200_000, 128)
SQUARE = 1 << 18
"""Rows of a square of the pass, as `wellgram.graphs.search` cuts it"""


def made(wells: int, features: int) -> Rows:
    """Return wells of a few thousand perturbations, with effects of many sizes."""
    rng = np.random.default_rng(0)
    effects = rng.standard_normal((wells // 18 + 1, features), np.float32)
    rows = rng.standard_normal((wells, features), np.float32)
    for first in range(0, wells, 1 << 16):  # in place: what is measured is memory, too
        part = rows[first : first + (1 << 16)]
        size = rng.random((len(part), 1), np.float32)
        part += size * effects[rng.integers(0, len(effects), len(part))]
    return rows


def of_wellgram(x: Rows, k: int, metric: str) -> Index:
    return wg.neighbor_graph(x, k, metric=metric).nearest  # type: ignore[arg-type]


def of_scikit_learn(x: Rows, k: int, metric: str) -> Index:
    from sklearn.neighbors import NearestNeighbors

    finder = NearestNeighbors(n_neighbors=k, algorithm="brute", metric=metric, n_jobs=threads())
    return np.asarray(finder.fit(x).kneighbors(return_distance=False))


def of_faiss_flat(x: Rows, k: int, metric: str) -> Index:
    import faiss

    faiss.omp_set_num_threads(threads())
    if metric == "cosine":
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
    index = (faiss.IndexFlatIP if metric == "cosine" else faiss.IndexFlatL2)(x.shape[1])
    index.add(x)
    return without_itself(index.search(x, k + 1)[1])


def of_pynndescent(x: Rows, k: int, metric: str, candidates: int = 0) -> Index:
    from pynndescent import NNDescent

    width = max(candidates, k + 1)
    index = NNDescent(x, metric=metric, n_neighbors=width, n_jobs=threads(), random_state=0)
    return without_itself(index.neighbor_graph[0])[:, :k]


TOOLS: dict[str, tuple[str, Callable[[Rows, int, str], Index]]] = {
    "wellgram": ("wellgram", of_wellgram),
    "scikit-learn brute": ("sklearn", of_scikit_learn),
    "FAISS flat": ("faiss", of_faiss_flat),
    "pynndescent": ("pynndescent", of_pynndescent),
    "pynndescent, 100": ("pynndescent", partial(of_pynndescent, candidates=100)),
}


def without_itself(index: Index) -> Index:
    """Return neighbors (n, k) of (n, k + 1), a row itself left out, or else the last."""
    other = index != np.arange(len(index))[:, None]
    other[other.all(axis=1), -1] = False
    return index[other].reshape(len(index), -1)


def recall(found: Index, exact: Index) -> float:
    """Return the share of the exact neighbors that were found."""
    shares = [np.isin(exact[i], found[i]).mean() for i in range(0, len(exact), 97)]
    return float(np.mean(shares))


def compare(wells: int, features: int, k: int, metric: str, repeats: int) -> None:
    x = made(wells, features)
    tools = {name: run for name, (module, run) in TOOLS.items() if find_spec(module)}
    for run in tools.values():  # what is compiled or loaded at first is not timed
        run(x[:3000], k, metric)
    spent: dict[str, list[float]] = {name: [] for name in tools}
    answers: dict[str, Index] = {}
    for _ in range(repeats):
        for name, run in tools.items():
            began = time.perf_counter()
            answers[name] = run(x, k, metric)
            spent[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in spent.items()}
    print(f"{wells:,} wells x {features}, k={k}, {metric}, float32, {threads()} threads")
    print(get_backend().describe())
    for name, seconds in medians.items():
        ratio = seconds / medians["wellgram"]
        same = recall(answers[name], answers["wellgram"])
        print(f"{name:20s} {seconds:9.2f} s {ratio:7.1f} x  recall {same:.5f}")
    for name in TOOLS.keys() - tools:
        print(f"{name:20s} is not installed")


def part_of_the_largest(k: int, metric: str) -> None:
    wells, features = RANGE
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wells.npy"
        np.save(path, made(wells, features))
        reset_peak()
        x = np.load(path, mmap_mode="r")
        stored = StoredRows.of(x)
        measure = measure_of(metric)
        began = time.perf_counter()
        side = Side(stored.array, stored.learn(measure))
        looked = time.perf_counter() - began
        job = Search(measure, k, side, side, itself=True)
        consumer = job._consumer(wider=False)
        found = Candidates.none(wells, consumer.nearest)
        places = np.arange(wells)
        squares = -(-wells // SQUARE)
        seconds = []
        for others in (places[:SQUARE], places[SQUARE : 2 * SQUARE]):
            some = others if not seconds else places[:SQUARE]
            began = time.perf_counter()
            job._meet(found, some, others, consumer, None)
            seconds.append(time.perf_counter() - began)
        peak = status("VmHWM") - x.nbytes
    on, beside = seconds
    whole = looked + squares * on + squares * (squares - 1) / 2 * beside
    print(f"{wells:,} wells x {features}, k={k}, {metric}, mapped file, {threads()} threads")
    print(f"a look at all rows {looked:.1f} s, a square on the diagonal {on:.1f} s, one beside it "
          f"{beside:.1f} s")  # fmt: skip
    print(f"extrapolated to all {squares * (squares + 1) // 2} squares: {whole / 60:.0f} minutes")
    print(f"peak memory beyond the mapped file {peak / 1e9:.2f} GB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wells", type=int, default=222_601)
    parser.add_argument("--features", type=int, default=384)
    parser.add_argument("-k", type=int, default=15)
    parser.add_argument("--metric", choices=["cosine", "euclidean"], default="cosine")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--range", action="store_true")
    given = parser.parse_args()
    if given.range:
        part_of_the_largest(given.k, given.metric)
    else:
        compare(given.wells, given.features, given.k, given.metric, given.repeats)


if __name__ == "__main__":
    main()
