"""How many threads the processor backends use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from wellgram.errors import InputError

_one = ContextVar("one", default=False)


def threads() -> int:
    """Return how many threads the kernels use: WELLGRAM_NUM_THREADS, else the affinity mask."""
    given = os.environ.get("WELLGRAM_NUM_THREADS")
    if given:
        if not given.isdecimal() or int(given) < 1:
            raise InputError(
                f"WELLGRAM_NUM_THREADS={given!r} is not a number of threads (1, 2, ...)"
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
