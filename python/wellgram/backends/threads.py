"""How many threads the processor backends use."""

import os

from wellgram.errors import InputError


def threads() -> int:
    """Return how many threads the kernels use: WELLGRAM_NUM_THREADS, else the affinity mask."""
    given = os.environ.get("WELLGRAM_NUM_THREADS")
    if given:
        if not given.isdecimal() or int(given) < 1:
            raise InputError(
                f"WELLGRAM_NUM_THREADS={given!r} is not a number of threads (1, 2, ...)"
            )
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_words(count: int) -> str:
    """Return so many threads in words."""
    return "1 thread" if count == 1 else f"{count} threads"
