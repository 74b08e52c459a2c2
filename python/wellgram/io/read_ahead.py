"""Reading before it is asked for: one item ahead, or several small ones side by side."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

_READERS, _FAR_READERS = min(4, os.cpu_count() or 1), 16
"""How many are read side by side: here they wait for processors, elsewhere for a network"""


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items of an iterator, the next of which is always under way.

    An item is let go of before the one after the next is begun, so two are in memory at most if
    the caller lets go of each too.
    """
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(next, items, None)
        while True:
            item = coming.result()
            if item is None:
                return
            coming = reader.submit(next, items, None)
            yield item
            del item


def side_by_side(of: Callable[[S], T], sources: Sequence[S], *, far: bool = False) -> Iterator[T]:
    """Yield what a function returns of each source, in their order; several are under way at once.

    What it returns should be small: it may be there long before it is asked for. Sources that are
    `far`, on another machine, are asked more at a time.
    """
    if len(sources) < 2:
        yield from map(of, sources)
        return
    readers = ThreadPoolExecutor(_FAR_READERS if far else _READERS)
    try:
        yield from readers.map(of, sources)
    finally:
        readers.shutdown(cancel_futures=True)
