"""The compiled pass over all pairs, and beside it consumers that go by their definitions."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from wellgram import _cpu
from wellgram.backends import consumers as definitions
from wellgram.backends.consumers import Consumer, Extent, State
from wellgram.backends.consumers.areas import ByDefinition
from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Progress, Rows
from wellgram.backends.thread_count import threads

AREA = (2048, 4096)
"""Rows and columns that definitions have the cosines of at once: enough for several threads"""


def _within_groups(consumer: definitions.WithinGroups) -> Any:
    rows = consumer.codes.astype(np.int32)
    others = consumer.other_codes
    columns = rows if others is None else others.astype(np.int32)
    return _cpu.WithinGroups(rows, columns, consumer.groups)


_TWINS: dict[type, Callable[[Any], Any]] = {
    definitions.CountBelow: lambda c: _cpu.CountBelow(list(c.thresholds)),
    definitions.Histogram: lambda c: _cpu.Histogram(c.low, c.high, c.bins),
    definitions.Bracket: lambda c: _cpu.Bracket(c.low, c.high, c.capacity),
    definitions.Ranks: lambda c: _cpu.Ranks(c.keys, c.kept_keys, c.capacity),
    definitions.Nearest: lambda c: _cpu.Nearest(c.nearest, c.farthest),
    definitions.RowMoments: lambda c: _cpu.RowMoments(),
    definitions.WithinGroups: _within_groups,
    definitions.Matrix: lambda c: _cpu.Matrix(c.out),
}


class CpuScan:
    """See `PairScan`; keeps the consumers, to whose arrays the compiled pass may write."""

    def __init__(
        self,
        consumers: Sequence[Consumer],
        extent: Extent,
        dtype: "np.dtype[Any]",
        bfloat16: bool,
    ):
        kinds = {np.dtype("f4"): _cpu.PairScanFloat32, np.dtype("f8"): _cpu.PairScanFloat64}
        self._kind: Any = _cpu.PairScanBfloat16 if bfloat16 else kinds[dtype]
        self._consumers, self._extent, self._dtype = consumers, extent, dtype
        self._defined = ByDefinition(consumers, _TWINS, extent)
        recipes = [_TWINS[type(consumer)](consumer) for consumer in self._defined.twinned]
        self._scan = self._kind(extent.rows, extent.columns, recipes, threads())

    def add(
        self, x: Rows, y: Rows, row: int, column: int, progress: Progress | None = None
    ) -> None:
        """See `PairScan.add`."""
        if not self._defined:
            self._scan.add(x, y, row, column, progress)
            return
        share = len(self._defined.twinned) / len(self._consumers)
        if share:
            self._scan.add(x, y, row, column, part_of(progress, 0, share))
        self._add_areas(x, y, row, column, part_of(progress, share, 1 - share))

    def _add_areas(
        self, x: Rows, y: Rows, row: int, column: int, progress: Progress | None
    ) -> None:
        """Hand the cosines to definitions, made an area at a time by the compiled `Matrix`."""
        corners = [
            (top, left)
            for top, left in product(range(0, len(x), AREA[0]), range(0, len(y), AREA[1]))
            if self._extent.has_pairs(row + top, column + min(left + AREA[1], len(y)))
        ]
        for done, (top, left) in enumerate(corners, start=1):
            some, others = x[top : top + AREA[0]], y[left : left + AREA[1]]
            cells = np.empty((len(some), len(others)), self._dtype)
            area = self._kind(*cells.shape, [_cpu.Matrix(cells)], threads())
            area.add(some, others, 0, 0, None)
            self._defined.absorb(cells, row + top, column + left)
            if progress is not None:
                progress(done / len(corners))

    def states(self) -> list[State]:
        """See `PairScan.states`."""
        return self._defined.joined([State(*state) for state in self._scan.states()])
