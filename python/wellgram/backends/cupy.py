"""NVIDIA cards by CuPy, where `wellgram._cuda` was not built: the same kernels.

Needs the package ``cupy`` for the CUDA at hand (``pip install cupy-cuda13x``), which keeps what it
has compiled. ``WELLGRAM_CUDA_DEVICE`` and ``WELLGRAM_PRODUCTS`` are as for `backends.cuda`.
"""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.devices import CARDS, device_index
from wellgram.backends.gpu.arrays import Foreign, Matrix
from wellgram.backends.gpu.card import THREADS
from wellgram.backends.gpu.card_kernels import CardKernels
from wellgram.backends.gpu.driver import Memory, Product, ProductKind
from wellgram.backends.gpu.interop import by_interface

SOURCES = Path(__file__).parent / "gpu" / "kernels"
"""What CuPy compiles"""

_TO_CARD, _FROM_CARD = 1, 2  # cudaMemcpyKind


def why_not() -> str | None:
    """Return why the backend cannot run here, or None."""
    if find_spec("cupy") is None:
        return "the package cupy is not installed; pip install cupy-cuda13x"
    try:
        import cupy

        cards = cupy.cuda.runtime.getDeviceCount()
    except Exception as problem:  # no library, no driver, one that is too old: CuPy has many ways
        return f"CuPy finds no card: {problem}"
    given = os.environ.get("WELLGRAM_CUDA_DEVICE", "0")
    if not given.isdecimal() or int(given) >= cards:
        return f"WELLGRAM_CUDA_DEVICE={given} is none of the {cards} cards here"
    return None


def title() -> str:
    """Return the name of the card, and CuPy's version."""
    import cupy

    name = cupy.cuda.runtime.getDeviceProperties(device_index())["name"]
    return f"{name.decode() if isinstance(name, bytes) else name} by CuPy {cupy.__version__}"


class _Memory:
    def __init__(self, given: Any, nbytes: int):
        self._given, self.nbytes = given, nbytes
        self.address = int(given.ptr)


class _Mark:
    def __init__(self, event: Any):
        self._event = event
        event.record()

    def wait(self) -> None:
        self._event.synchronize()

    def milliseconds_since(self, earlier: "_Mark") -> float:
        import cupy

        return float(cupy.cuda.get_elapsed_time(earlier._event, self._event))


class CupyDriver:
    """One card, by CuPy; work is queued on its default stream."""

    array_types: tuple[int, ...] = CARDS

    def __init__(self, index: int):
        import cupy

        self._cupy, self.index = cupy, index
        self._use()
        self._kernels: dict[str, Any] = {}

    def _use(self) -> None:
        self._cupy.cuda.Device(self.index).use()
        self._cupy.cuda.Stream.null.use()

    def allocate(self, nbytes: int) -> Memory:
        """See `Driver.allocate`; CuPy's own error is a MemoryError."""
        self._use()
        return _Memory(self._cupy.cuda.alloc(max(nbytes, 1)), nbytes)

    def free_memory(self) -> int:
        """See `Driver.free_memory`."""
        self._use()
        free = self._cupy.cuda.runtime.memGetInfo()[0]
        return int(free + self._cupy.get_default_memory_pool().free_bytes())

    def clear(self, address: int, nbytes: int) -> None:
        """See `Driver.clear`."""
        self._use()
        self._cupy.cuda.runtime.memsetAsync(address, 0, nbytes, 0)

    def put(self, to: int, origin: NDArray[Any], apart: int, after: Any) -> None:
        """See `Driver.put`; done when it returns."""
        self._use()
        if apart:
            laid = np.zeros((len(origin), apart // origin.itemsize), origin.dtype)
            laid[:, : origin.shape[1]] = origin
        else:
            laid = np.ascontiguousarray(origin)
        if laid.nbytes:
            self._cupy.cuda.runtime.memcpy(to, laid.ctypes.data, laid.nbytes, _TO_CARD)

    def get(self, to: NDArray[Any], origin: int, apart: int) -> None:
        """See `Driver.get`."""
        self._use()
        shape = (len(to), apart // to.itemsize) if apart else to.shape
        laid = np.empty(shape, to.dtype)
        if laid.nbytes:
            self._cupy.cuda.runtime.memcpy(laid.ctypes.data, origin, laid.nbytes, _FROM_CARD)
        to[...] = laid[:, : to.shape[1]] if apart else laid

    def mark(self) -> _Mark:
        """See `Driver.mark`."""
        self._use()
        return _Mark(self._cupy.cuda.Event())

    def follow(self, stream: int) -> None:
        """See `Driver.follow`."""
        self._use()
        self._cupy.cuda.runtime.streamSynchronize(stream)

    def adopt(self, x: Any) -> Foreign:
        """See `Driver.adopt`."""
        self._use()
        return by_interface(self._cupy.from_dlpack(x), self)

    def give(self, matrix: Matrix) -> Any:
        """See `Driver.give`: an array of CuPy's."""
        self.mark().wait()
        shape = (matrix.address, matrix.rows, matrix.columns, matrix.stride)
        return self._view(*shape, matrix.dtype, matrix.owner)

    def launch(self, kernel: str, blocks: int, *arguments: float) -> None:
        """See `Driver.launch`."""
        self._use()
        if kernel not in self._kernels:
            self._kernels[kernel] = self._compiled(f"wellgram::gpu::{kernel}")
        # Every argument of a kernel is of eight bytes.
        words = tuple(np.float64(a) if isinstance(a, float) else np.int64(a) for a in arguments)
        if blocks:
            self._kernels[kernel]((blocks,), (THREADS,), words)

    def _compiled(self, name: str) -> Any:
        module = self._cupy.RawModule(
            code='#include "all.hpp"\n',
            options=("-std=c++17", f"-I{SOURCES}"),
            name_expressions=(name,),
        )
        return module.get_function(name)

    def can_multiply(self, kind: ProductKind) -> bool:
        """See `Driver.can_multiply`."""
        return kind in ("float32", "float64")

    def multiply(self, kind: ProductKind, product: Product) -> None:
        """See `Driver.multiply`."""
        self._use()
        p = product
        a = self._view(p.a, p.m, p.d, p.a_stride, kind)
        b = self._view(p.b, p.n, p.d, p.b_stride, kind)
        self._cupy.matmul(a, b.T, out=self._view(p.c, p.m, p.n, p.c_stride, kind))

    def _view(
        self, address: int, rows: int, columns: int, stride: int, dtype: Any, owner: Any = None
    ) -> Any:
        """Return memory that is ours as a matrix of CuPy's."""
        item = np.dtype(dtype).itemsize
        memory = self._cupy.cuda.UnownedMemory(address, rows * stride * item, owner, self.index)
        pointer = self._cupy.cuda.MemoryPointer(memory, 0)
        return self._cupy.ndarray((rows, columns), dtype, pointer, strides=(stride * item, item))


KERNELS = CardKernels("cupy", why_not, title, lambda: CupyDriver(device_index()))
