"""Arrays on a card: ours, and what is known of those of other libraries."""

from dataclasses import dataclass
from typing import Any

import numpy as np

PACK = 16
"""Rows on a card begin at multiples of so many bytes, and are read by as many at a time."""

C_TYPES = {
    np.dtype(np.float32): "float",
    np.dtype(np.float64): "double",
    np.dtype(np.uint16): "u16",
    np.dtype(np.int8): "s8",
}
"""The types of rows as kernels name them; u16 is bfloat16"""


@dataclass(frozen=True)
class Vector:
    """Numbers on a card; `owner` keeps them."""

    owner: Any
    address: int
    size: int
    dtype: "np.dtype[Any]"


@dataclass(frozen=True)
class Matrix:
    """Rows on a card, `stride` elements apart; what is between them is zero."""

    owner: Any
    address: int
    rows: int
    columns: int
    stride: int
    dtype: "np.dtype[Any]"

    @property
    def c_type(self) -> str:
        """Its type as kernels name it."""
        return C_TYPES[self.dtype]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows by columns."""
        return self.rows, self.columns

    def __len__(self) -> int:
        return self.rows

    @property
    def apart(self) -> int:
        """How many bytes apart its rows are."""
        return self.stride * self.dtype.itemsize

    def cut(self, first: int, last: int) -> "Matrix":
        """Return some of its rows."""
        address = self.address + first * self.apart
        return Matrix(self.owner, address, last - first, self.columns, self.stride, self.dtype)


def stride_of(columns: int, dtype: "np.dtype[Any]") -> int:
    """Return how many elements apart rows are laid."""
    pack = PACK // dtype.itemsize
    return max(1, -(-columns // pack)) * pack


@dataclass(frozen=True)
class Foreign:
    """An array that another library has laid on a card; steps are in elements."""

    owner: Any
    address: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]
    kind: tuple[int, int]
    """Type code and bits, as in DLPack"""

    @property
    def c_type(self) -> str | None:
        """Its type as kernels name it, or None if it is no float."""
        return _FLOATS.get(self.kind)


_FLOATS = {(2, 16): "Half", (2, 32): "float", (2, 64): "double", (4, 16): "u16"}
