"""Random subsets, and the streams they are drawn from."""

import hashlib

from wellgram.backends import get_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes


def random_subsets(pool: int, size: int, draws: int, *, seed: int = 0, stream: int = 0) -> Codes:
    """Return draws (draws, size) of so many different numbers below `pool`, in random order.

    Draw r depends on seed, stream and r alone: the first steps of a shuffle by Philox4x32-10.

    Raises
    ------
    InputError
        If the size is above that of the pool, or the seed is no whole number.
    """
    for name, number in (("pool", pool), ("size", size), ("draws", draws)):
        check_whole(number, name)
    return get_backend().random_subsets([pool], [size], draws, seed=seed, stream=stream)


def stream_of(*names: object) -> int:
    """Return the stream that names stand for: 64 bits of their hash, the same everywhere."""
    key = "\0".join(map(str, names)).encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little")
