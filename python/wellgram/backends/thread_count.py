"""How many threads the processor backends use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from wellgram.errors import InputError

MOST_THREADS = 1024
"""More than any machine has use for: each thread has a stack and consumers of its own"""

_one = ContextVar("one", default=False)


def threads() -> int:
    """Return how many threads the kernels use: WELLGRAM_NUM_THREADS, else the affinity mask."""
    given = os.environ.get("WELLGRAM_NUM_THREADS")
    if given:
        if not given.isdecimal() or not given.strip("0"):
            raise InputError(
                f"WELLGRAM_NUM_THREADS={given!r} is not a number of threads (1, 2, ...)"
            )
        if len(given) > 9 or int(given) > MOST_THREADS:
            raise InputError(
                f"WELLGRAM_NUM_THREADS={given!r} is beyond reason; give {MOST_THREADS:,} threads "
                f"or fewer (this machine has {os.cpu_count() or 1} processors)"
            )
        return int(given)
    if _one.get():
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let kernels use one thread within the block, unless WELLGRAM_NUM_THREADS says how many.

    For a task beside which as many others run as there are processors.
    """
    token = _one.set(True)
    try:
        yield
    finally:
        _one.reset(token)


def in_words(count: int) -> str:
    """Return so many threads in words."""
    return "1 thread" if count == 1 else f"{count} threads"
