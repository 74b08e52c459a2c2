"""The cosines themselves, written to an array."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wellgram.backends.consumers.consumer import Consumer, Cosines, Extent, Met, State
from wellgram.errors import InputError


@dataclass(frozen=True, eq=False)
class Matrix(Consumer):
    """The cosines, written to `out` (n, m); of a map against itself, both triangles.

    What a pass does not meet, such as the diagonal of a map against itself, is left as it was.
    """

    out: Cosines = field(repr=False)

    @property
    def writes_to(self) -> Cosines:
        """The matrix."""
        return self.out

    def check(self, extent: Extent, dtype: "np.dtype[Any]") -> None:
        """Raise unless the matrix has the shape and the type of the pass, and contiguous rows."""
        shape = (extent.rows, extent.rows if extent.columns is None else extent.columns)
        out = self.out
        if out.shape != shape:
            raise InputError(f"the matrix is {out.shape}, but the pass {shape}")
        contiguous = out.size == 0 or out.shape[1] == 1 or out.strides[1] == out.itemsize
        if out.dtype != dtype or not contiguous:
            raise InputError(
                f"the matrix must be {dtype} with contiguous rows, not {out.dtype} of strides "
                f"{out.strides}"
            )

    def start(self, extent: Extent) -> State:
        """Return nothing: what is met goes to the matrix."""
        return State(np.empty(0, np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Write the cosines."""
        self.out[met.i, met.j] = met.cosines
        if met.symmetric:
            self.out[met.j, met.i] = met.cosines
        return state

    def merge(self, a: State, b: State) -> State:
        """Return nothing: both wrote to one matrix."""
        return a

    def finish(self, state: State) -> Cosines:
        """Return the matrix."""
        return self.out
