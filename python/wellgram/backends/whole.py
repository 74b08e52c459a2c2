"""A whole pass over rows that are at hand, for every backend that has `pair_scan`."""

from collections.abc import Sequence
from typing import Any, Protocol

from wellgram.backends.checks import as_partner, as_rows
from wellgram.backends.consumers import Consumer, Extent
from wellgram.backends.protocol import PairScan, Progress, Rows


class BeginScan(Protocol):
    """`Backend.pair_scan`."""

    def __call__(
        self, consumers: Sequence[Consumer], extent: Extent, dtype: Any, *, bfloat16: bool = False
    ) -> PairScan:
        """Begin a pass."""


def scan_whole(
    begin: BeginScan,
    x: Rows,
    consumers: Sequence[Consumer],
    y: Rows | None,
    progress: Progress | None,
    bfloat16: bool,
) -> list[Any]:
    """Begin a pass, hand all pairs over as one area, and return the answers."""
    x = as_rows(x)
    other = x if y is None else as_partner(y, x)
    extent = Extent(len(x), None if y is None else len(other))
    scan = begin(consumers, extent, x.dtype, bfloat16=bfloat16)
    scan.add(x, other, 0, 0, progress)
    return [c.finish(s) for c, s in zip(consumers, scan.states(), strict=True)]
