"""Nulls and p-values of copairs, from the same draws of NumPy's generator."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.copairs.copairs_releases import copairs_release
from wellgram.accel.declined import Declined
from wellgram.accel.trials import comparing
from wellgram.backends.numpy_draws import shuffled_places
from wellgram.backends.thread_count import threads
from wellgram.files import replacing

_DRAWS = 2**23
"""How many numbers are drawn between two looks at whether to stop"""

Nulls = NDArray[np.float32]


def get_null_dists(
    confs: Any,
    null_size: int,
    seed: Any,
    cache_dir: str | Path | None = None,
    progress_bar: bool = True,
) -> Nulls:
    """Return random average precisions of each number of positives among all: (c, null_size).

    The draws, and the files that keep them, are those of copairs.
    """
    _check_draws(confs, null_size, seed)
    if not isinstance(cache_dir, str | Path | None):
        raise Declined("the folder of nulls is given by no path")
    folder = Path.home() / ".copairs" if cache_dir is None else Path(cache_dir)
    folder = folder / f"seed{seed}" / f"ns{null_size}"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"n{total}_k{positives}.npy" for positives, total in confs]
    seeds = np.random.default_rng(seed).integers(8096, size=len(confs)).tolist()
    null = np.empty((len(confs), null_size), np.float32)
    missing = [c for c, file in enumerate(files) if not _read(file, null[c])]
    stop = threading.Event()

    def draw(c: int) -> None:
        positives, total = map(int, confs[c])
        if _draw(null[c], total, positives, seeds[c], stop) and not comparing():
            # What is compared must not find what we kept, but draw for itself.
            _write(files[c], null[c])

    _in_threads(draw, missing, stop)
    return null


def _in_threads(run: Callable[[int], None], items: list[int], stop: threading.Event) -> None:
    with ThreadPoolExecutor(threads()) as pool:
        try:
            list(pool.map(run, items))
        finally:
            stop.set()  # those still drawing, when one failed or was interrupted


def p_values(
    ap_scores: Any,
    null_confs: Any,
    null_size: int,
    seed: Any,
    progress_bar: bool = True,
) -> NDArray[np.float32]:
    """Return the share of random rankings, and of one more, that are as precise as each score."""
    if type(ap_scores) is not np.ndarray or ap_scores.ndim != 1 or ap_scores.dtype.kind != "f":
        raise Declined("scores are no list of numbers")
    if type(null_confs) is not np.ndarray or len(null_confs) != len(ap_scores):
        raise Declined("there is not one configuration for each score")
    kinds, kind = np.unique(null_confs, axis=0, return_inverse=True)
    if kind.ndim != 1:
        raise Declined("this NumPy gives configurations another shape")
    nulls = get_null_dists(kinds, null_size, seed)
    order = np.argsort(kind, kind="stable")
    ends = np.searchsorted(kind[order], np.arange(len(kinds) + 1))
    p = np.empty(len(ap_scores), np.float32)
    for c, null in enumerate(nulls):
        rows = order[ends[c] : ends[c + 1]]
        above = null_size - np.searchsorted(np.sort(null), ap_scores[rows])
        p[rows] = (above + 1) / (null_size + 1)
    return p


def _check_draws(confs: Any, null_size: Any, seed: Any) -> None:
    if type(confs) is not np.ndarray or confs.ndim != 2 or confs.shape[1] != 2 or not len(confs):
        raise Declined("there are no configurations")
    if confs.dtype.kind not in "iu" or (confs < 1).any():
        raise Declined("a ranking has nothing to find")
    if len(np.unique(confs, axis=0)) < len(confs):
        raise Declined("a configuration is there twice, and one is kept for both")
    if not isinstance(null_size, int | np.integer) or null_size < 1:
        raise Declined("the size of a null is no positive whole number")
    if not isinstance(seed, int | np.integer):
        raise Declined("there is no seed, so draws are no one's")


def _read(file: Path, null: Nulls) -> bool:
    """Fill a null with what is kept, if it is; decline what copairs would not read."""
    try:
        kept = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        return False
    except (ValueError, EOFError, OSError):
        if copairs_release().bad_nulls == "drawn anew":
            return False
        raise Declined("a file of nulls cannot be read") from None
    if not isinstance(kept, np.ndarray) or kept.shape != null.shape or kept.dtype.kind != "f":
        raise Declined("a file of nulls holds something else")
    null[:] = kept
    return True


def _write(file: Path, null: Nulls) -> None:
    """Keep a null: whole, or not at all."""
    try:
        with replacing(file) as temporary:
            np.save(temporary, null)
    except OSError as error:  # which the original meets in its own way
        raise Declined(f"a null cannot be kept: {error}") from None


def _draw(null: Nulls, total: int, positives: int, seed: int, stop: threading.Event) -> bool:
    """Fill a null with average precisions of random rankings, and tell whether it is whole.

    The places of positives are those of the first items when a table of ``arange(total)`` is
    shuffled row by row.
    """
    from copairs import compute

    rng = np.random.default_rng(seed)
    kind = np.uint16 if total < 2**16 else np.uint32
    ranks = np.empty((len(null), min(positives, total)), kind)
    together = max(1, _DRAWS // total)
    for first in range(0, len(null), together):
        if stop.is_set():
            return False
        some = ranks[first : first + together]
        some[:] = shuffled_places(rng, total, *some.shape)
    null[:] = compute.average_precision(ranks)
    return True
