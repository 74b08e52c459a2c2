"""The cosines themselves, written to an array."""

from dataclasses import dataclass, field

import numpy as np

from wellgram.backends.consumers.consumer import Cosines, Extent, Met, State
from wellgram.errors import InputError


@dataclass(frozen=True, eq=False)
class Matrix:
    """The cosines, written to `out` (n, m); of a map against itself, both triangles.

    What a pass does not meet, such as the diagonal of a map against itself, is left as it was.
    """

    out: Cosines = field(repr=False)

    def check(self, extent: Extent) -> None:
        """Raise unless the matrix has the shape of the pass."""
        shape = (extent.rows, extent.rows if extent.columns is None else extent.columns)
        if self.out.shape != shape:
            raise InputError(f"the matrix is {self.out.shape}, but the pass {shape}")

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
