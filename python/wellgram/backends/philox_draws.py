"""Philox4x32-10 (Salmon et al. 2011) in NumPy: what is drawn depends on where, not on when.

A draw is named by seed, stream and index, and its numbers by their place: each is a function of
these four alone, the same on every backend, for any number of threads and any cut of the work.
``csrc/common/philox.hpp`` is the twin of this file.
"""

import numpy as np
from numpy.typing import NDArray

from wellgram.errors import InputError

Words = NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_STEPS = 0x9E3779B9, 0xBB67AE85


def philox(counter: Words, key: tuple[int, int]) -> Words:
    """Return four random words of 32 bits for each counter of four: (..., 4), both as uint64."""
    a, b, c, d = np.moveaxis(np.asarray(counter, np.uint64), -1, 0)
    for turn in range(10):
        k, m = (
            np.uint64((word + turn * step) & 0xFFFFFFFF)
            for word, step in zip(key, _STEPS, strict=True)
        )
        first, second = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b, c, d = (
            (second >> _HALF) ^ b ^ k,
            second & _LOW,
            (first >> _HALF) ^ d ^ m,
            first & _LOW,
        )
    return np.stack([a, b, c, d], axis=-1)


def under(
    below: NDArray[np.int64], seed: int, stream: int, index: int | NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each place of a draw a whole number in [0, below), which is under 2^32.

    (places,), or (draws, places) for several draws. The high half of a product with 64 random
    bits: off from even by below / 2^64.

    Raises
    ------
    InputError
        If seed or stream is no whole number of 64 bits.
    """
    seed, stream = as_seed(seed), as_seed(stream, "stream")
    place = np.arange(len(below), dtype=np.uint64)
    counter = np.empty((*np.shape(index), len(below), 4), np.uint64)
    counter[..., 0] = place // np.uint64(2)
    counter[..., 1] = np.asarray(index)[..., None]
    counter[..., 2], counter[..., 3] = stream & 0xFFFFFFFF, stream >> 32
    words = philox(counter, (seed & 0xFFFFFFFF, seed >> 32))
    odd = place % np.uint64(2) == 1
    low, high = np.moveaxis(np.where(odd[:, None], words[..., 2:], words[..., :2]), -1, 0)
    wide = below.astype(np.uint64)
    drawn = (high * wide + ((low * wide) >> _HALF)) >> _HALF
    return np.asarray(drawn, np.int64)


def as_seed(seed: int, name: str = "seed") -> int:
    """Return a seed or stream, which must be a whole number of 64 bits."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise InputError(f"{name} must be a whole number, not {seed!r}")
    if not 0 <= int(seed) < 1 << 64:
        raise InputError(f"{name} must be in [0, 2^64), not {seed}")
    return int(seed)
