"""Similarities of rows with their counterparts: what copairs computes, a few rows at a time.

Its intermediate results are several times as large as its arguments. Rows do not depend on each
other, so a few at a time give the same bits. These stay in the caches of the processor.
Distances, which compute little on the way, gain nothing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.stand_ins import plain

_LEAST_BYTES = 1 << 24
"""Below, what is computed on the way takes no more time than the rest"""
_NUMBERS = 1 << 17
"""How many are taken at a time"""


def of_rows(x_sample: Any, y_sample: Any) -> None:
    """Decline unless both are as many rows of floats, of the same type, one after another."""
    for sample in (x_sample, y_sample):
        if type(sample) is not np.ndarray or sample.ndim != 2 or not sample.flags.c_contiguous:
            raise Declined("a sample is no matrix of NumPy, or has other strides")
    kinds = (x_sample.dtype, y_sample.dtype)
    if x_sample.shape != y_sample.shape or kinds[0] != kinds[1] or str(kinds[0]) not in _KINDS:
        raise Declined("the two are not alike, or no floats")
    if not x_sample.size:
        raise Declined("the two are empty")
    check_amount(x_sample.nbytes, _LEAST_BYTES)


_KINDS = ("float32", "float64")


def _by_blocks(name: str) -> Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]:
    """Return the function of copairs, called for a few rows at a time."""

    def paired(x_sample: NDArray[Any], y_sample: NDArray[Any]) -> NDArray[Any]:
        from copairs import compute

        original = plain(getattr(compute, name))
        rows = max(1, _NUMBERS // max(1, x_sample.shape[1]))
        starts = range(0, len(x_sample), rows)
        parts = [original(x_sample[k : k + rows], y_sample[k : k + rows]) for k in starts]
        return np.concatenate(parts)

    return paired


cosine, abs_cosine, correlation = map(
    _by_blocks, ("pairwise_cosine", "pairwise_abs_cosine", "pairwise_corr")
)
