"""Work on many small matrices at a time."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from threadpoolctl import threadpool_limits

from wellgram.backends.long_calls import each_in_threads
from wellgram.backends.thread_count import threads

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def in_parallel(make: Callable[[_Item], _Made], items: Iterable[_Item]) -> list[_Made]:
    """Return what is made of each item, in their order.

    LAPACK runs outside of Python's lock, and each item on one thread: threads within threads wait
    for each other.
    """
    with threadpool_limits(1, user_api="blas"):
        return each_in_threads(make, items, threads())
