"""What one thread of a machine does in a second, as plans reckon with it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from wellgram.align import TVN
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.thread_count import threads
from wellgram.pairs import pair_quantiles, unit_embeddings

_ROWS, _BATCHES, _SET = 16_384, 4, 16


@dataclass(frozen=True)
class Rates:
    """What one thread does in a second, on the machine that the figures below were measured on."""

    labels: float = 9.8e5
    """Wells whose labels are read and joined, by one process"""
    read: float = 5.4e8
    """Bytes of embeddings decoded, made rows of and added up"""
    scatter: float = 8.2e10
    """Floating-point operations of the controls' moments"""
    decompose: float = 5.7e9
    """Batches' covariances taken apart, in ``d^3`` operations"""
    products: float = 1.9e11
    """Floating-point operations of cosines"""
    draws: float = 2.0e9
    """Values of wells gathered and added up to random sets"""
    distances: float = 7.0e9
    """Values of rows compared for distances in float64"""
    network: float = 1.0e9
    """Bytes from one machine to another: 10 Gb/s, not measured"""


@takes_backend
def measured_rates(features: int = 384, *, backend: str | None = None) -> Rates:
    """Measure the rates of this machine on small arrays, in some seconds.

    Files are not read: ``labels``, ``read`` and ``network`` stay what they are by default.

    Parameters
    ----------
    features
        How many features the arrays have.
    backend
        See `wellgram.set_backend`.
    """
    run, t, d = get_backend(), threads(), features
    rng = np.random.default_rng(0)
    rows = unit_embeddings(rng.standard_normal((_ROWS, d), np.float32))
    codes = np.arange(_ROWS) % _BATCHES
    names = [str(batch) for batch in range(_BATCHES)]
    moments = run.group_moments(rows, codes, _BATCHES)
    some, draws = rows[:1000], 4000
    pool = [np.arange(_ROWS)]
    spent = {
        "scatter": _seconds(lambda: run.group_moments(rows, codes, _BATCHES)),
        "decompose": _seconds(lambda: TVN().fit_moments(moments, names)),
        "products": _seconds(lambda: pair_quantiles(rows, [0.05, 0.95])),
        "draws": _seconds(
            lambda: run.null_means(rows, pool, [_SET], [_SET], draws, seed=0, stream=0)
        ),
        "distances": _seconds(lambda: run.distance_sums(rows, some)),
    }
    work = {
        "scatter": 2 * _ROWS * d**2,
        "decompose": (_BATCHES + 1) * d**3,
        "products": _ROWS**2 * d,
        "draws": draws * _SET * d,
        "distances": _ROWS * len(some) * d,
    }
    return replace(Rates(), **{name: work[name] / seconds / t for name, seconds in spent.items()})


def _seconds(run: Callable[[], object], repeats: int = 3) -> float:
    """Return the least of some runs, after one that pays for fresh memory: what others do adds."""
    run()
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        spent.append(time.perf_counter() - began)
    return min(spent)
