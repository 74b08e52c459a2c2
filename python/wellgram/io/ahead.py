"""Reading ahead: the next item is made while the caller is busy with the last."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


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
