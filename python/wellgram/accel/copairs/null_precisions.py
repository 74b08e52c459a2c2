"""Nulls and p-values of copairs, from the same draws of NumPy's generator."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.trials import comparing
from wellgram.backends.numpy_draws import shuffled_places
from wellgram.backends.thread_count import threads

_DRAWS = 2**23
"""How many numbers are drawn between two looks at whether to stop"""


def get_null_dists(
    confs: Any, null_size: int, seed: Any, cache_dir: str | Path | None = None
) -> NDArray[np.float32]:
    """Return random average precisions of each number of positives among all: (c, null_size).

    The draws, and the files that keep them, are those of copairs.
    """
    from copairs import compute

    if not isinstance(confs, np.ndarray) or confs.ndim != 2 or not len(confs):
        raise Declined("there are no configurations")
    if (confs < 1).any():
        raise Declined("a ranking has nothing to find")
    folder = Path.home() / ".copairs" if cache_dir is None else Path(cache_dir)
    folder = folder / f"seed{seed}" / f"ns{null_size}"
    folder.mkdir(parents=True, exist_ok=True)
    seeds = np.random.default_rng(seed).integers(8096, size=len(confs))
    null = np.empty((len(confs), null_size), np.float32)

    stop = threading.Event()
    compared = comparing()  # with what the original draws or finds, not with what we kept

    def fill(c: int) -> None:
        positives, total = confs[c]
        kept = folder / f"n{total}_k{positives}.npy"
        if kept.is_file() and not compared:
            null[c] = np.load(kept)
            return
        ranks = _random_ranks(null_size, int(total), int(positives), int(seeds[c]), stop)
        if stop.is_set():
            return
        null[c] = compute.average_precision(ranks)
        if not compared:
            np.save(kept, null[c])

    with ThreadPoolExecutor(threads()) as pool:
        try:
            list(pool.map(fill, range(len(confs))))
        finally:
            stop.set()  # of those still drawing, when one failed or was interrupted
    return null


def _random_ranks(
    rows: int, total: int, positives: int, seed: int, stop: threading.Event
) -> NDArray[Any]:
    """Return the places of the positives in random rankings, ascending: (rows, positives).

    They are those of the first items when a table of ``arange(total)`` is shuffled row by row.
    """
    rng = np.random.default_rng(seed)
    kind = np.uint16 if total < 2**16 else np.uint32
    ranks = np.empty((rows, min(positives, total)), kind)
    together = max(1, _DRAWS // total)
    for first in range(0, rows, together):
        if stop.is_set():
            break
        some = ranks[first : first + together]
        some[:] = shuffled_places(rng, total, *some.shape)
    return ranks


def mean_precision(
    ap_scores: pd.DataFrame,
    sameby: Any,
    null_size: int,
    threshold: float,
    seed: int,
    max_workers: int | None = None,
    cache_dir: str | Path | None = None,
) -> pd.DataFrame:
    """Return the mean average precision of each group and its p-value."""
    from copairs import compute
    from statsmodels.stats.multitest import multipletests

    sizes = ["n_pos_pairs", "n_total_pairs"]
    if not isinstance(ap_scores, pd.DataFrame) or not {"average_precision", *sizes} <= set(
        ap_scores.columns
    ):
        raise Declined("there are no scores")
    known = ap_scores["average_precision"].notna() & (ap_scores["n_pos_pairs"] > 0)
    if not known.any():
        raise Declined("there are no scores")
    scores = ap_scores[known].reset_index(drop=True)
    kinds, kind = np.unique(scores[sizes].to_numpy(), axis=0, return_inverse=True)
    nulls = compute.get_null_dists(kinds, null_size, seed=seed, cache_dir=cache_dir)
    groups = scores.groupby(sameby, observed=True)["average_precision"]
    table = groups.mean().to_frame("mean_average_precision")
    group = groups.ngroup().to_numpy()
    order = np.argsort(group, kind="stable")[(group < 0).sum() :]
    ends = np.cumsum(np.bincount(group[order]))[:-1]
    table["indices"] = [own.tolist() for own in np.split(order, ends)]
    # Groups of the same rankings, in the same order, have the same null.
    means: dict[bytes, NDArray[np.float32]] = {}
    p = []
    for score, own in zip(table["mean_average_precision"].tolist(), table["indices"], strict=True):
        of = kind.ravel()[own]
        null = means.setdefault(of.tobytes(), nulls[of].mean(axis=0))
        p.append((int((null > score).sum()) + 1) / (null_size + 1))
    table["p_value"] = p
    table["corrected_p_value"] = multipletests(table["p_value"], method="fdr_bh")[1]
    table["below_p"] = table["p_value"] < threshold
    table["below_corrected_p"] = table["corrected_p_value"] < threshold
    return table
