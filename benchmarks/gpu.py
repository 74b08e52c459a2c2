"""The primitives on a card: shares of its copy bandwidth and matrix rate; beside CuPy and PyTorch.

Run ``python benchmarks/gpu.py [--small] [--backend cuda] [--repeats 20] [--json FILE]`` on a
machine with a card and PyTorch, which measures the ceilings: the rate of a large copy on the card,
bytes read plus bytes written, and of a large product in TF32, bfloat16, float32, float64 and int8,
on random data.

Times are warm, medians of the repeats, with rows already on the card: ``kernels`` adds up device
events around every launch, ``call`` is from a mark in the queue before to one after, and so holds
what is prepared in main memory. Bytes are each input read once and each output written once; useful
flops are n (n - 1) d: one multiply-add per pair and feature; of a probe's loss and gradient 4 n k
(d + 1), two products of k classes; of a pass with a screen three times as many, of int8. ``with
transfers`` is wall clock from
arrays in main memory to answers there, and ``cpu`` the same by the processor. Answers are asserted
to be the cpu backend's before a time of the pass, or of the probe, is printed.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

from wellgram.backends import get_backend, why_not
from wellgram.backends.consumers import (
    Consumer,
    CountBelow,
    Extent,
    Histogram,
    Nearest,
    Ranks,
)
from wellgram.backends.protocol import AffineMaps
from wellgram.probes import Logistic

GENOME, WELLS = (17_063, 1_664), (222_601, 1_664)
LARGEST = (2_200_000, 1_664)
EXPERIMENTS = (125_510, 384)
SITES = (60_000, 384)
SMALL = {
    GENOME: (700, 64), WELLS: (900, 64), LARGEST: (20_000, 64), EXPERIMENTS: (900, 24),
    SITES: (500, 24),
}  # fmt: skip
VALUES = 143_102  # known pairs of five sources whose ranks are asked for
BATCHES = 180
CLASSES = 1_139  # of RxRx1's sites
STEPS = 20  # of a search


def on_card(backend: Any, call: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Return the median times of a call and of its kernels, by marks in the queue."""
    driver = backend.kernels.card.driver
    call()
    whole, kernels = [], []
    for _ in range(repeats):
        first = driver.mark()
        call()
        last = driver.mark()
        last.wait()
        whole.append(last.milliseconds_since(first) / 1e3)
        with marked(driver) as spans:
            call()
        driver.mark().wait()
        kernels.append(sum(end.milliseconds_since(begin) for begin, end in spans) / 1e3)
    return {"kernels": statistics.median(kernels), "call": statistics.median(whole)}


@contextmanager
def marked(driver: Any) -> Iterator[list[tuple[Any, Any]]]:
    """Yield the marks before and after all that is launched meanwhile."""
    spans: list[tuple[Any, Any]] = []

    def between(queue: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: Any) -> None:
            before = driver.mark()
            queue(*arguments)
            spans.append((before, driver.mark()))

        return run

    kept = {name: getattr(driver, name) for name in ("launch", "multiply", "clear")}
    for name, queue in kept.items():
        setattr(driver, name, between(queue))
    try:
        yield spans
    finally:
        for name, queue in kept.items():
            setattr(driver, name, queue)


def seconds(call: Callable[[], Any], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def ceilings(small: bool) -> dict[str, float]:
    """Return the measured rates of the card: bytes a second copied, flops a second of products."""
    import torch

    place = "cuda" if torch.cuda.is_available() else "cpu"

    def median(call: Callable[[], Any]) -> float:
        def waited() -> None:
            call()
            if place == "cuda":
                torch.cuda.synchronize()

        return seconds(waited, 10)

    size = 1 << (20 if small else 30)
    origin = torch.randn(size, device=place)
    to = torch.empty_like(origin)
    rates = {"copy": 8 * size / median(lambda: to.copy_(origin))}
    side = 256 if small else 8192
    for name, kind, tf32 in (
        ("tf32", torch.float32, True),
        ("float32", torch.float32, False),
        ("bfloat16", torch.bfloat16, False),
        ("float64", torch.float64, False),
    ):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        a, b = (torch.randn(side, side, device=place, dtype=kind) for _ in range(2))
        rates[name] = 2 * side**3 / median(lambda a=a, b=b: a @ b)
    torch.backends.cuda.matmul.allow_tf32 = False
    a, b = (torch.randint(-9, 9, (side, side), device=place, dtype=torch.int8) for _ in range(2))
    rates["int8"] = 2 * side**3 / median(lambda: torch._int_mm(a, b.T))
    return rates


def made(n: int, d: int) -> np.ndarray:
    """Return unit rows around a few common directions, as the genes of a map have them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 8), np.float32) @ rng.standard_normal((8, d), np.float32)
    x += 2 * rng.standard_normal((n, d), np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def rows(backend: Any, rates: dict[str, float], shape: tuple[int, int], repeats: int) -> list[dict]:
    """Time what reads and writes rows, on rows that lie on the card."""
    n, d = shape
    x, rng = made(n, d), np.random.default_rng(1)
    given = backend.kernels.card.driver.give(backend.kernels.card.lay(x))
    batch = np.sort(rng.integers(0, BATCHES, n))
    cells = rng.integers(0, n // 8, n)
    plain = AffineMaps(
        np.zeros(d), None, *(rng.normal(size=(BATCHES, d)) for _ in range(2)),
        *((np.empty((d, 0)),) * BATCHES, (np.empty(0),) * BATCHES),
    )  # fmt: skip
    low = AffineMaps(
        plain.shift, None, plain.offset, plain.scale,
        tuple(rng.normal(size=(d, 16)) for _ in range(BATCHES)), (np.ones(16),) * BATCHES,
    )  # fmt: skip
    calls: dict[str, tuple[Callable[[], Any], int]] = {
        "row_faults": (lambda: backend.row_faults(given), 4 * n * d),
        "unit_rows": (lambda: backend.unit_rows(given), 8 * n * d),
        "group_sums": (lambda: backend.group_sums(given, cells, n // 8), 4 * n * d),
        "group_medians": (lambda: backend.group_medians(given, cells, n // 8), 4 * n * d),
        "apply_affine, diagonal": (lambda: backend.apply_affine(given, batch, plain), 8 * n * d),
        "apply_affine, rank 16": (lambda: backend.apply_affine(given, batch, low), 8 * n * d),
    }
    found = []
    for name, (call, moved) in calls.items():
        took = on_card(backend, call, repeats)
        share = moved / took["kernels"] / rates["copy"]
        found.append({"what": name, "shape": shape, **took, "share of copy bandwidth": share})
    return found


def products(backend: Any, rates: dict[str, float], kind: str = "") -> tuple[str, float]:
    """Return how products of float32 rows are made, and the measured rate of such."""
    mode = kind or backend.describe().split(", ")[-1].removesuffix(" products")
    return mode, rates[{"tf32x3": "tf32", "matmul": "float32"}.get(mode, mode)]


def genome(
    backend: Any, rates: dict[str, float], shape: tuple[int, int], repeats: int
) -> list[dict]:
    """Time passes over a whole genome; check them against the processor's."""
    n, d = shape
    x, rng = made(n, d), np.random.default_rng(2)
    i, j = rng.integers(n, size=(2, min(VALUES, n * n // 4)))
    cpu, flops = get_backend("cpu"), n * (n - 1) * d
    values = cpu.pair_cosines(x, np.minimum(i, j), np.maximum(i, j)).astype(float)
    bounds = np.quantile(values, [0.0499, 0.0501, 0.9499, 0.9501])
    brackets = ((bounds[0], bounds[1]), (bounds[2], bounds[3]))
    ranks = Ranks(np.sort(values), brackets, 1 << 22)
    passes = {
        "two counts": [CountBelow((0.0, 0.5))],
        "thresholds and ranks": [ranks],
        "histogram, 400 bins": [Histogram()],
        "top and bottom 25": [Nearest(25, 25)],
    }
    (expected,) = cpu.scan_pairs(x, [ranks])
    (got,) = backend.scan_pairs(x, [ranks])
    # A value's rank moves only where a cosine lies within rounding of it.
    moved = np.abs(got.up_to - expected.up_to).max() / (n * (n - 1) / 2)
    assert moved < 5e-5, f"ranks differ by a share of {moved:.1e} of all pairs"
    given = backend.kernels.card.driver.give(backend.kernels.card.lay(x))
    found = []
    for name, consumers in passes.items():
        for kind in ("", "bfloat16"):
            options = {"bfloat16": True} if kind else {}
            took = on_card(
                backend, lambda c=consumers, o=options: backend.scan_pairs(given, c, **o), repeats
            )
            whole = seconds(lambda c=consumers, o=options: backend.scan_pairs(x, c, **o), 5)
            mode, rate = products(backend, rates, kind)
            found.append(
                {
                    "what": f"{name}, {mode}", "shape": shape, **took,
                    "times the floor": took["kernels"] * rate / flops, "with transfers": whole,
                    "cpu": seconds(lambda c=consumers, o=options: cpu.scan_pairs(x, c, **o), 1),
                }
            )  # fmt: skip
    return found


def screened(
    backend: Any, rates: dict[str, float], shape: tuple[int, int], partners: int, repeats: int
) -> list[dict]:
    """Time passes by our own chains without a screen and with one; their answers are the same."""
    n, d = shape
    x = made(n, d)
    given = backend.kernels.card.driver.give(backend.kernels.card.lay(x))
    starts, none = np.arange(n + 1) * 5, np.zeros((0, n), np.int32)
    values = np.sort(np.random.default_rng(5).normal(0.2, 0.1, (n, 5)), axis=1).ravel()

    def states(consumer: Consumer) -> list[bytes]:
        scan = backend.pair_scan([consumer], Extent(n), np.float32)
        scan.add(given, given, 0, 0)
        return [part.tobytes() for state in scan.states() for part in (state.counts, state.values)]

    calls: dict[str, tuple[Callable[[], Any], int]] = {
        "four thresholds": (lambda: states(CountBelow((-0.1, 0.0, 0.1, 0.5))), 1),
        "histogram, 20 bins": (lambda: states(Histogram(bins=20)), 1),
        f"top and bottom {partners}": (lambda: states(Nearest(partners, partners)), 1),
        "ranks of 5 values a row": (
            lambda: [backend.rank_counts(given, given, starts, values, none, none).tobytes()],
            2,  # every row against every row
        ),
    }
    found = []
    with mock.patch.dict(os.environ, WELLGRAM_PRODUCTS="float32"):
        for name, (call, times) in calls.items():
            flops, answers = times * n * (n - 1) * d, []
            for screen, ideal in (
                ("none", flops / rates["float32"]),
                ("int8", 3 * flops / rates["int8"]),
            ):
                backend.kernels.use_screen(screen)
                answers.append(call())
                took = on_card(backend, call, repeats)
                floor = {"times the floor": took["kernels"] / ideal}
                found.append({"what": f"{name}, screen {screen}", "shape": shape, **took, **floor})
            assert answers[0] == answers[1], f"{name}: a screen changes the answer"
    backend.kernels.use_screen(None)
    return found


def plainly(shape: tuple[int, int]) -> list[dict]:
    """Time the plain way of CuPy and of PyTorch: the whole matrix, then a partition of it."""
    n, d = shape
    x, kth, found = made(n, d), n * n // 20, []

    def timed(name: str, call: Callable[[], float]) -> None:
        found.append({"what": name, "shape": shape, "with transfers": seconds(call, 3)})

    try:
        import cupy
    except ImportError:
        pass
    else:

        def by_cupy() -> float:
            given = cupy.asarray(x)
            return float(cupy.partition((given @ given.T).ravel(), kth)[kth])

        timed("CuPy: X @ X.T, partition", by_cupy)
    import torch

    place = "cuda" if torch.cuda.is_available() else "cpu"

    def by_torch() -> float:
        given = torch.from_numpy(x).to(place)
        return float((given @ given.T).ravel().sort()[0][kth])

    timed("PyTorch: X @ X.T, sort", by_torch)
    return found


def classified(n: int, d: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return standardised rows around the means of classes, their codes, how many there are."""
    rng, classes = np.random.default_rng(3), min(CLASSES, n // 10)
    codes = np.arange(n) % classes
    x = rng.standard_normal((n, d), np.float32)
    x += rng.standard_normal((classes, d), np.float32)[codes] / 4
    return x, codes, classes


def probe(backend: Any, rates: dict[str, float], shape: tuple[int, int], repeats: int) -> list:
    """Time loss and gradient of a logistic probe, then steps of its search."""
    n, d = shape
    x, codes, classes = classified(n, d)
    weights = np.random.default_rng(4).normal(size=(classes, d + 1)) / 10
    cpu = get_backend("cpu")
    loss, expected = (run.softmax_loss(x, codes, classes) for run in (backend, cpu))
    for got, wanted in zip(loss(weights), expected(weights), strict=True):
        # In float32: by the largest entry, since those of a gradient are sums of either sign.
        error = np.abs(got - wanted).max() / np.abs(wanted).max()
        assert error < 1e-4, f"loss or gradient differs by {error:.1e} of the largest"
    mode, rate = products(backend, rates)
    took = on_card(backend, lambda: loss(weights), repeats)
    found = [
        {
            "what": f"loss, {classes} classes, {mode}", "shape": shape, **took,
            "times the floor": took["kernels"] * rate / (4 * n * classes * (d + 1)),
            "with transfers": seconds(
                lambda: backend.softmax_loss(x, codes, classes)(weights), 5
            ),
            "cpu": seconds(lambda: expected(weights), 1),
        }
    ]  # fmt: skip

    def search(name: str) -> float:
        fit = Logistic(x, codes, classes, backend=name).fit(1.0, tolerance=0, iterations=STEPS)
        return fit.objective

    began = time.perf_counter()
    theirs = search("cpu")
    times = {"cpu": time.perf_counter() - began}
    ours = search(backend.name)
    assert abs(ours - theirs) < 1e-3 * theirs, f"the search came to {ours}, the cpu's to {theirs}"
    times["with transfers"] = seconds(lambda: search(backend.name), 3)
    return [*found, {"what": f"{STEPS} steps of a search, {mode}", "shape": shape, **times}]


def losses_plainly(shape: tuple[int, int]) -> list[dict]:
    """Time loss and gradient in the plain way of CuPy and PyTorch, on rows that are there."""
    x, codes, classes = classified(*shape)
    w, found = np.random.default_rng(4).normal(size=(classes, shape[1] + 1)) / 10, []
    x = np.concatenate([x, np.ones((len(x), 1), np.float32)], axis=1)
    w = w.astype(np.float32)

    def timed(name: str, call: Callable[[], float]) -> None:
        found.append({"what": name, "shape": shape, "call": seconds(call, 10)})

    try:
        import cupy
    except ImportError:
        pass
    else:
        given, there, own = cupy.asarray(x), cupy.asarray(w), cupy.asarray(codes)
        every = cupy.arange(len(x))

        def by_cupy() -> float:
            scores = given @ there.T
            scores -= scores.max(axis=1, keepdims=True)
            correct = scores[every, own].sum()
            odds = cupy.exp(scores)
            totals = odds.sum(axis=1)
            odds /= totals[:, None]
            odds[every, own] -= 1
            return float(cupy.log(totals).sum() - correct + (odds.T @ given)[0, 0])

        timed("CuPy: softmax regression", by_cupy)
    import torch

    place = "cuda" if torch.cuda.is_available() else "cpu"
    rows, targets = torch.from_numpy(x).to(place), torch.from_numpy(codes).to(place)
    leaf = torch.from_numpy(w).to(place).requires_grad_()

    def by_torch() -> float:
        leaf.grad = None
        loss = torch.nn.functional.cross_entropy(rows @ leaf.T, targets, reduction="sum")
        loss.backward()
        return loss.item() + leaf.grad[0, 0].item()

    timed("PyTorch: cross_entropy, backward", by_torch)
    return found


def tiles_of_the_largest(backend: Any, rates: dict[str, float], shape: tuple[int, int]) -> dict:
    """Time a range of tiles of the largest map in bfloat16; extrapolate the whole."""
    n, d = shape
    some = min(n // 8, 65_536)
    x, y = made(some, d), made(2 * some, d)
    scan = backend.pair_scan([CountBelow((0.5,))], Extent(n), np.float32, bfloat16=True)
    give = backend.kernels.card.driver.give
    left, right = give(backend.kernels.card.lay(x)), give(backend.kernels.card.lay(y))
    took = on_card(backend, lambda: scan.add(left, right, 0, n - 2 * some), 3)
    rate = 2 * some * 2 * some * d / took["call"]
    return {
        "what": "tiles of the largest, bfloat16", "shape": shape, **took,
        "share of matrix rate": rate / rates["bfloat16"], "whole, extrapolated": n * n * d / rate,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="sizes for a trial")
    parser.add_argument("--backend", default="cuda")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json")
    given = parser.parse_args()
    reason = why_not(given.backend)
    if reason:
        parser.exit(1, f"backend {given.backend!r} cannot run here: {reason}\n")
    backend: Any = get_backend(given.backend)
    size = (lambda shape: SMALL[shape]) if given.small else (lambda shape: shape)
    rates = ceilings(given.small)
    print(backend.describe())
    print(*(f"{name} {rate / 1e12:.3g} T/s" for name, rate in rates.items()), sep=", ")
    found = rows(backend, rates, size(WELLS), given.repeats)
    found += genome(backend, rates, size(GENOME), given.repeats)
    for shape, partners in ((GENOME, 25), (EXPERIMENTS, 5)):
        found += screened(backend, rates, size(shape), partners, min(given.repeats, 5))
    found += plainly(size(GENOME))
    found += probe(backend, rates, size(SITES), given.repeats)
    found += losses_plainly(size(SITES))
    found.append(tiles_of_the_largest(backend, rates, size(LARGEST)))
    for one in found:
        words = [f"{k} {v:.3g}" for k, v in one.items() if k not in ("what", "shape")]
        n, d = one["shape"]
        print(f"{one['what']:34} {n} x {d}: {', '.join(words)}")
    if given.json:
        with open(given.json, "w") as file:
            json.dump({"card": backend.describe(), "ceilings": rates, "found": found}, file)


if __name__ == "__main__":
    main()
