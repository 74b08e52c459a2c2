"""Random subsets of small pools, many at a time."""

import hashlib
from collections.abc import Sequence

import numpy as np

from wellgram.backends.philox import under
from wellgram.backends.protocol import Codes
from wellgram.errors import InputError

_DENSE = 32
"""How many times larger than a subset its pool may be to be shuffled as a whole"""


def random_subsets(pool: int, size: int, draws: int, *, seed: int = 0, stream: int = 0) -> Codes:
    """Return draws (draws, size) of so many different numbers below `pool`, in random order.

    Draw r depends on seed, stream and r alone: the first steps of a shuffle by Philox4x32-10.

    Raises
    ------
    InputError
        If the size is above that of the pool, or the seed is no whole number.
    """
    if not 0 <= size <= pool:
        raise InputError(f"cannot draw {size} of {pool}")
    return stratified_subsets([pool], [size], draws, seed=seed, stream=stream)[0]


def stratified_subsets(
    pools: Sequence[int], sizes: Sequence[int], draws: int, *, seed: int = 0, stream: int = 0
) -> list[Codes]:
    """Return draws (draws, sizes[s]) from each of several pools, one after another in each draw.

    The sets of `Backend.null_means`, by place in their stratum; parameters as for `random_subsets`.
    """
    left = [pool - np.arange(size) for pool, size in zip(pools, sizes, strict=True)]
    steps = under(np.concatenate([*left, np.empty(0, np.int64)]), seed, stream, np.arange(draws))
    ends = np.cumsum([0, *sizes])
    return [
        _shuffled(steps[:, first:last] + np.arange(last - first), pool)
        for first, last, pool in zip(ends[:-1], ends[1:], pools, strict=True)
    ]


def _shuffled(steps: Codes, pool: int) -> Codes:
    """Return what the first steps of shuffles (draws, size) bring forward."""
    draws, size = steps.shape
    if pool > _DENSE * max(size, 1):
        return np.array([_sparse(row) for row in steps.tolist()], np.int64).reshape(draws, size)
    order = np.tile(np.arange(pool), (draws, 1))
    every = np.arange(draws)
    for i in range(size):
        j = steps[:, i]
        order[every, j], order[:, i] = order[:, i], order[every, j]
    return order[:, :size]


def _sparse(steps: list[int]) -> list[int]:
    """Return what a shuffle brings forward, keeping only what it moved."""
    moved: dict[int, int] = {}
    drawn = []
    for i, j in enumerate(steps):
        drawn.append(moved.get(j, j))
        moved[j] = moved.get(i, i)
    return drawn


def stream_of(*names: object) -> int:
    """Return the stream that names stand for: 64 bits of their hash, the same everywhere."""
    key = "\0".join(map(str, names)).encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little")
