"""Long calls of LAPACK that Ctrl-C need not wait for."""

import threading
from collections.abc import Callable, Iterable
from contextvars import copy_context
from typing import Any, TypeVar

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")
_SHORT_SIZE = 500
"""Matrices of so many rows are taken apart in a tenth of a second"""


def each_in_threads(
    make: Callable[[_Item], _Made], items: Iterable[_Item], threads: int
) -> list[_Made]:
    """Return what is made of each item, in their order, several at a time.

    Ctrl-C ends the wait at once, and no further call begins. Nothing can stop the calls that have
    begun: they go on unseen, and their results are dropped. The first exception that a call raises
    ends the others likewise, and is raised here.
    """
    waiting = enumerate(items)
    lock = threading.Lock()
    made: dict[int, _Made] = {}
    failures: list[BaseException] = []
    stop = threading.Event()

    def work(ended: threading.Event) -> None:
        try:
            while not stop.is_set():
                with lock:
                    number, item = next(waiting, (-1, None))
                if number < 0:
                    return
                made[number] = make(item)  # type: ignore[arg-type]
        except BaseException as problem:
            failures.append(problem)
            stop.set()
        finally:
            ended.set()

    ends = [threading.Event() for _ in range(threads)]
    try:
        for ended in ends:
            # Python does not wait for daemons when it ends.
            context = copy_context()
            threading.Thread(target=context.run, args=(work, ended), daemon=True).start()
        for ended in ends:
            ended.wait()
    finally:
        stop.set()
    if failures:
        raise failures[0]
    return [made[number] for number in sorted(made)]


def interruptible(size: int, call: Callable[..., _Made], *arguments: Any) -> _Made:
    """Return what a call returns that takes matrices of `size` rows apart.

    Python hands signals to its main thread between two steps of its own, and LAPACK is one step. So
    a long call runs in another thread, and Ctrl-C ends the wait for it.
    """
    main = threading.current_thread() is threading.main_thread()
    if size <= _SHORT_SIZE or not main:
        return call(*arguments)
    return each_in_threads(lambda _: call(*arguments), [None], 1)[0]
