"""Means and shares of a benchmark's scores, with 95 % intervals, as its records have them."""

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.metrics.bootstrap import item_bootstrap, wilson_interval
from wellgram.suite.contract import Task

RESAMPLES = 1000
"""How often genes, compounds or perturbations are resampled for an interval"""


def mean_interval(name: str, scores: NDArray[Any], task: Task) -> dict[Hashable, Any]:
    """Return the mean of scores (n,) under a name, and its interval over resampled items."""
    low, high = item_bootstrap(scores, resamples=RESAMPLES, seed=task.seed)
    mean = float(scores.mean()) if len(scores) else np.nan
    return {name: mean, f"{name}_ci_low": low, f"{name}_ci_high": high}


def share_interval(name: str, hits: NDArray[np.bool_]) -> dict[Hashable, Any]:
    """Return how many items are hits (n,), their share, and Wilson's interval of it."""
    count, low, high = int(hits.sum()), np.nan, np.nan
    if len(hits):
        low, high = wilson_interval(count, len(hits))
    share = count / len(hits) if len(hits) else np.nan
    return {
        f"n_{name}": count,
        f"{name}_share": share,
        f"{name}_share_ci_low": low,
        f"{name}_share_ci_high": high,
    }
