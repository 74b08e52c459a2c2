"""Rows as the vectors of a measure, read by ranges."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wellgram.backends.protocol import Codes, Floats, Rows

_CHUNK_BYTES = 1 << 24


@dataclass(frozen=True)
class Vectors:
    """What is made of chosen rows of an array, in their order, for a pass over pairs."""

    array: Rows
    chosen: Codes
    form: Callable[[Floats], Floats]
    """Makes vectors (m, width) of rows (m, d)"""
    width: int
    dtype: "np.dtype[Any]"

    @property
    def shape(self) -> tuple[int, int]:
        """Vectors by features."""
        return len(self.chosen), self.width

    @property
    def nbytes(self) -> int:
        """The bytes of the rows that they are made of, which go along where they go."""
        return int(len(self.chosen) * (self.array.shape[1] * self.array.itemsize + 8))

    def __getstate__(self) -> dict[str, Any]:
        """Go elsewhere with those rows of the array alone that are chosen."""
        rows = np.asarray(self.array[self.chosen])
        return {**self.__dict__, "array": rows, "chosen": np.arange(len(rows))}

    def __getitem__(self, rows: slice) -> Rows:
        """Return some vectors."""
        index = self.chosen[rows]
        vectors: Rows = np.empty((len(index), self.width), self.dtype)
        height = max(1, _CHUNK_BYTES // (8 * self.width))
        for first in range(0, len(index), height):
            some = self.array[index[first : first + height]].astype(np.float64)
            vectors[first : first + height] = self.form(some)
        return vectors
