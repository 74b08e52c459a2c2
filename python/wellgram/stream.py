"""Wells whose embeddings stay where they are and are read in blocks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.wells import WellBlock, WellLabels, Wells, check_embeddings


@dataclass(frozen=True, repr=False)
class WellStream(WellLabels):
    """Wells on disk: labels at hand, embeddings read in blocks, each time they are needed.

    What `wellgram.open_wells` returns. It goes wherever `Wells` go: alignments are fitted to it and
    maps are made of it without its embeddings ever being in memory together. `read` loads it.
    """

    metadata: pd.DataFrame
    width: int
    """The number of features d"""
    dtype: np.dtype[Any]
    """float32 or float64"""
    source: Callable[[], Iterator[WellBlock]] = field(repr=False)
    """Reads every well once, in blocks; called anew for each pass"""
    origin: Mapping[str, str] = field(default_factory=dict)
    checked: bool = False
    """Whether what the source yields is known to be finite and not zero, or need not be"""

    def __post_init__(self) -> None:
        self._check_labels()

    @property
    def features(self) -> int:
        """The number of features d."""
        return self.width

    def blocks(self) -> Iterator[WellBlock]:
        """Yield every well once, in blocks.

        Raises
        ------
        InputError
            If an embedding holds a NaN or an Inf or is all zero; the message names the well and the
            file and row group it was read from.
        """
        for block in self.source():
            if not self.checked:
                check_embeddings(block.rows, self.metadata["well_id"], block.wells, block.where)
            yield block

    def take(self, wells: Codes) -> Rows:
        """Return the embeddings of some wells (m, d), in their order: a pass over all."""
        place = np.full(len(self), -1, np.int64)
        place[wells] = np.arange(len(wells))
        rows = np.empty((len(wells), self.features), self.dtype)
        for block in self.blocks():
            to = place[block.wells]
            rows[to[to >= 0]] = block.rows[to >= 0]
        return rows

    def unchecked(self) -> Rows:
        """Return the embeddings of all wells (n, d), whatever they hold."""
        rows = np.empty((len(self), self.features), self.dtype)
        for block in self.source():
            rows[block.wells] = block.rows
        return rows

    def read(self) -> Wells:
        """Return the wells with their embeddings in memory."""
        return Wells(self.unchecked(), self.metadata, self.origin)

    def reported(self, progress: Progress) -> "WellStream":
        """Return the stream that tells, as it is read, the share of the wells it has come to."""

        def source() -> Iterator[WellBlock]:
            read = 0
            for block in self.source():
                yield block
                read += len(block.wells)
                progress(read / len(self))

        return replace(self, source=source)

    def mapped(self, of: Callable[[WellBlock], Rows], width: int) -> "WellStream":
        """Return the stream of what a function makes of each block's rows: (m, width)."""

        def source() -> Iterator[WellBlock]:
            for block in self.blocks():
                yield replace(block, rows=of(block))

        return replace(self, source=source, width=width, checked=True)
