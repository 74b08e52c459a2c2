"""Results of the workers of a Dask cluster, put together by the workers in a fixed order."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from wellgram.backends.thread_count import one_thread

if TYPE_CHECKING:
    from distributed import Client, Future

FAN_IN = 8
"""How many results are put together at a time"""


class MergeTree:
    """Puts results together by eights as they are added, and those again.

    Its shape follows from the number of results alone, and so does how sums are rounded.
    """

    def __init__(
        self, client: "Client", merge: Callable[..., Any], shared: Sequence["Future"]
    ) -> None:
        self._client, self._merge, self._shared = client, merge, shared
        self._levels: list[list[Future]] = [[]]

    def add(self, result: "Future", level: int = 0) -> None:
        """Add the next result."""
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(result)
        if len(self._levels[level]) == FAN_IN:
            self.add(self._merged(level), level + 1)

    def root(self) -> "Future":
        """Return all of them, put together."""
        last: list[Future] = []
        for level in range(len(self._levels)):
            self._levels[level] += last
            last = [self._merged(level)] if self._levels[level] else []
        return last[0]

    def _merged(self, level: int) -> "Future":
        results, self._levels[level] = self._levels[level], []
        if len(results) == 1:
            return results[0]
        return self._client.submit(_merge, self._merge, results, self._shared, pure=False)


def _merge(merge: Callable[..., Any], results: Sequence[Any], shared: Sequence[Any]) -> Any:
    with one_thread():
        whole = results[0]
        for part in results[1:]:
            whole = merge(whole, part, *shared)
        return whole
