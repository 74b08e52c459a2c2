"""Wells that share their embedding with another, and batches that are copies of each other.

Rows are compared by 128 bits of BLAKE2b, taken as they are read, so a stream is read no more often
for it. Two rows that differ share a digest once in 3e38 pairs.
"""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import IdenticalRowsWarning
from wellgram.estimators.call_sites import level_outside
from wellgram.folds import GroupRows
from wellgram.wells import WellChunk

_LEAST_FEATURES = 3
"""With fewer, equal rows are nothing to wonder at: a cell count scored as an embedding has two"""
_COPIED_SHARE = 0.5
_LEAST_COPIED = 3


class RowDigests(GroupRows):
    """The digest (n, 2) of each well's embedding, in uint64."""

    @classmethod
    def of_wells(cls, wells: int) -> "RowDigests":
        """Return the digests of so many wells, none of them taken yet."""
        return cls.start(np.arange(wells), wells, 2, np.uint64)

    def take_in(self, chunk: WellChunk, place: Codes) -> None:
        """Take the digests of the rows of a chunk."""
        self.rows[place] = row_digests(chunk.rows)


def row_digests(rows: Rows) -> "np.ndarray[tuple[int, int], np.dtype[np.uint64]]":
    """Return the digest (m, 2) of each row; -0.0 equals 0.0."""
    whole = np.ascontiguousarray(rows + rows.dtype.type(0))
    digests = b"".join(hashlib.blake2b(row, digest_size=16).digest() for row in whole)
    return np.frombuffer(digests, np.uint64).reshape(len(rows), 2)


@dataclass(frozen=True)
class CopiedBatches:
    """Two batches that hold the same rows for a large part of their wells."""

    batches: tuple[int, int]
    wells: int
    """How many wells of the one have their row in the other"""
    of: int
    """How many wells the smaller batch has"""
    first: tuple[int, int]
    """The first such wells"""


@dataclass(frozen=True)
class IdenticalRows:
    """Which rows (n,) are the same: equal codes."""

    codes: Codes

    @classmethod
    def of(cls, digests: "np.ndarray[tuple[int, int], np.dtype[np.uint64]]") -> "IdenticalRows":
        """Return which rows have the same digest (n, 2)."""
        order = np.lexsort(digests.T)
        new = (digests[order][1:] != digests[order][:-1]).any(axis=1)
        codes = np.empty(len(digests), np.int64)
        codes[order] = np.cumsum(np.concatenate([[0], new]))[: len(digests)]
        return cls(codes)

    @cached_property
    def shared(self) -> Codes:
        """The rows that are equal to another, ascending."""
        return np.flatnonzero(np.bincount(self.codes)[self.codes] > 1)

    @property
    def first(self) -> tuple[int, int]:
        """The first row that is equal to a later one, and that."""
        row = int(self.shared[0])
        return row, int(np.flatnonzero(self.codes == self.codes[row])[1])

    def copied(self, batches: Codes) -> CopiedBatches | None:
        """Return the first two batches of which one is a copy of the other, or of a part of it.

        Copies have the same rows for half of the smaller batch or more, three wells at least. Only
        rows that are alone in their batch count: dropouts and saturated wells, or features of few
        values, repeat within a batch too, and so tell nothing of copies.
        """
        frame = pd.DataFrame(
            {"code": self.codes[self.shared], "batch": batches[self.shared], "row": self.shared}
        )
        alone = frame[~frame.duplicated(["code", "batch"], keep=False)].sort_values(
            ["code", "batch"], kind="stable"
        )
        # Of a row in many batches, the first batch is paired with each other one.
        first = alone.groupby("code")[["batch", "row"]].transform("first")
        pairs = alone.assign(other=first["batch"], twin=first["row"])
        pairs = pairs[pairs["other"] != pairs["batch"]]
        sizes = np.bincount(batches)
        smaller = np.minimum(sizes[pairs["other"]], sizes[pairs["batch"]])
        wells = pairs.groupby(["other", "batch"])["row"].transform("size")
        copies = pairs.assign(smaller=smaller, wells=wells)[
            wells >= np.maximum(_LEAST_COPIED, _COPIED_SHARE * smaller)
        ]
        if copies.empty:
            return None
        one = copies.sort_values(["other", "batch", "row"]).iloc[0]
        return CopiedBatches(
            (int(one["other"]), int(one["batch"])),
            int(one["wells"]),
            int(one["smaller"]),
            (int(one["twin"]), int(one["row"])),
        )


def identical_words(identical: IdenticalRows, names: Sequence[object]) -> str:
    """Say how many rows are equal to another, and which are the first; nothing for none."""
    if not len(identical.shared):
        return ""
    one, other = identical.first
    return (
        f"{len(identical.shared):,} of {len(identical.codes):,} profiles have the same embedding "
        f"as another (first: {names[one]!r} and {names[other]!r}); they are as alike as can be, "
        "whatever was done to them: look for rows written twice, dropouts and saturated images"
    )


def warn_of_identical_rows(rows: Rows, names: Sequence[object]) -> None:
    """Warn where profiles (n, d) have the same embedding; `names` (n,) tells which."""
    if rows.shape[1] < _LEAST_FEATURES:
        return
    words = identical_words(IdenticalRows.of(row_digests(rows)), names)
    if words:
        warnings.warn(words, IdenticalRowsWarning, stacklevel=level_outside())
