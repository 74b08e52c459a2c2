"""A card with its arrays: memory asked for, rows laid and streamed, kernels launched."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wellgram.backends.gpu.arrays import Matrix, Vector, stride_of
from wellgram.backends.gpu.driver import Driver, Mark
from wellgram.errors import DeviceMemoryError

CHUNK_BYTES = 1 << 28
"""Rows that stay in main memory pass through the card in chunks of so many bytes, two at a time"""

_MOST_BLOCKS = 1 << 14
"""Kernels go over what is left of their work in strides of so many blocks at most"""

THREADS, ROWS = 256, 8
"""Threads of a block, and the rows it takes at a time: see ``kernels/grid.hpp``"""

_IN_FLIGHT = 4


class Card:
    """What the primitives ask of a driver, in arrays."""

    def __init__(self, driver: Driver):
        self.driver = driver
        self.chunk_bytes = CHUNK_BYTES
        self.screen: str | None = None  # the screen of passes, where one was chosen by name
        self._queued: deque[Mark] = deque()

    def vector(self, size: int, dtype: Any, zero: bool = False) -> Vector:
        """Return so many numbers, which may be anything, or zero."""
        dtype = np.dtype(dtype)
        memory = self._allocate(size * dtype.itemsize)
        if zero:
            self.driver.clear(memory.address, size * dtype.itemsize)
        return Vector(memory, memory.address, size, dtype)

    def matrix(self, rows: int, columns: int, dtype: Any, zero: bool = False) -> Matrix:
        """Return rows, which may be anything, or zero."""
        dtype = np.dtype(dtype)
        stride = stride_of(columns, dtype)
        nbytes = rows * stride * dtype.itemsize
        memory = self._allocate(nbytes)
        if zero:
            self.driver.clear(memory.address, nbytes)
        return Matrix(memory, memory.address, rows, columns, stride, dtype)

    def _allocate(self, nbytes: int) -> Any:
        try:
            return self.driver.allocate(nbytes)
        except MemoryError:
            free = self.driver.free_memory()
            raise DeviceMemoryError(
                f"the card has {free / 2**30:.2f} GiB free, but {nbytes / 2**30:.2f} GiB are asked "
                f"for: {(nbytes - free) / 2**30:.2f} GiB are missing; give less at a time, or use "
                "backend='cpu'"
            ) from None

    def numbers(self, values: ArrayLike, dtype: Any) -> Vector:
        """Lay numbers on the card."""
        given = np.ascontiguousarray(values, dtype).ravel()
        laid = self.vector(given.size, dtype)
        self.driver.put(laid.address, given, 0, self.driver.mark())
        return laid

    def read(self, vector: Vector) -> NDArray[Any]:
        """Return the numbers of a vector, when the work before is done."""
        out = np.empty(vector.size, vector.dtype)
        self.driver.get(out, vector.address, 0)
        return out

    def lay(self, x: NDArray[Any]) -> Matrix:
        """Lay rows on the card."""
        laid = self.matrix(x.shape[0], x.shape[1], x.dtype)
        self.driver.put(laid.address, x, laid.apart, self.driver.mark())
        return laid

    def laid(self, x: "Matrix | NDArray[Any]") -> Matrix:
        """Return rows on the card: those, or laid there."""
        return x if isinstance(x, Matrix) else self.lay(x)

    def fetch(self, matrix: Matrix, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the rows of a matrix, when the work before is done."""
        if out is None:
            out = np.empty((matrix.rows, matrix.columns), matrix.dtype)
        if out.size:
            self.driver.get(out, matrix.address, matrix.apart)
        return out

    def chunks(self, x: "Matrix | NDArray[Any]") -> Iterator[tuple[int, Matrix]]:
        """Yield rows on the card with the number of the first, a chunk at a time.

        A chunk is gone when the next is asked for; that one is on its way meanwhile.
        """
        if isinstance(x, Matrix):
            yield 0, x
            return
        apart = stride_of(x.shape[1], x.dtype) * x.dtype.itemsize
        rows = max(1, self.chunk_bytes // apart)
        if len(x) <= rows:
            yield 0, self.lay(x)
            return
        buffers = [self.matrix(rows, x.shape[1], x.dtype) for _ in range(2)]
        free = [self.driver.mark() for _ in range(2)]
        starts = range(0, len(x), rows)
        self.driver.put(buffers[0].address, x[:rows], apart, free[0])
        for k, first in enumerate(starts):
            ahead = first + rows
            if ahead < len(x):
                other = (k + 1) % 2
                self.driver.put(buffers[other].address, x[ahead : ahead + rows], apart, free[other])
            yield first, buffers[k % 2].cut(0, min(rows, len(x) - first))
            free[k % 2] = self.driver.mark()

    def launch(self, kernel: str, work: int, *arguments: Any, each: int = THREADS) -> None:
        """Queue a kernel for so many items, of which a block takes `each`."""
        blocks = min(-(-work // each), _MOST_BLOCKS)
        self.driver.launch(kernel, blocks, *(getattr(a, "address", a) for a in arguments))

    def pace(self) -> None:
        """Wait until little is queued: so that progress is true, and Ctrl-C is heard."""
        self._queued.append(self.driver.mark())
        if len(self._queued) > _IN_FLIGHT:
            self._queued.popleft().wait()
