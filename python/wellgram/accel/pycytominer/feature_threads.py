"""Work on features one after another, on several threads."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from wellgram.backends.thread_count import one_thread, threads


def for_each(work: Callable[[int], None], items: Iterable[int]) -> None:
    """Do the work of each item; NumPy lets go of Python's lock meanwhile."""

    def alone(item: int) -> None:
        with one_thread():
            work(item)

    with ThreadPoolExecutor(threads()) as pool:
        for _ in pool.map(alone, items):  # so that errors are raised
            pass
