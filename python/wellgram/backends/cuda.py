"""NVIDIA cards, by the extension module `wellgram._cuda`.

``WELLGRAM_CUDA_DEVICE`` is the number of the card (0), and ``WELLGRAM_PRODUCTS`` how float32 rows
are multiplied (`backends.gpu.products`). cuBLASLt is used where the package ``nvidia-cublas`` is
installed (``pip install 'wellgram[cuda13]'``). ``WELLGRAM_SCREEN`` is ``none``, or ``int8`` for a
screen of passes wherever one can serve (`backends.gpu.screened_scan`).
"""

import os
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.devices import CARDS, cuda_devices, cuda_module, device_index
from wellgram.backends.gpu.arrays import Foreign, Matrix
from wellgram.backends.gpu.card_kernels import CardKernels
from wellgram.backends.gpu.driver import Mark, Memory, Product, ProductKind
from wellgram.backends.gpu.interop import contiguous_steps
from wellgram.errors import BackendUnavailable, InputError

LEAST_CAPABILITY = (8, 0)
"""Of the oldest cards there is code for: A100 and its kin"""


def why_not() -> str | None:
    """Return why the backend cannot run here, or None."""
    devices, problem = cuda_devices()
    if not devices:
        return _with_remedy(problem)
    given = os.environ.get("WELLGRAM_CUDA_DEVICE", "0")
    if not given.isdecimal() or int(given) >= len(devices):
        return f"WELLGRAM_CUDA_DEVICE={given} is none of the cards here (0 to {len(devices) - 1})"
    card = devices[int(given)]
    if tuple(map(int, card["compute_capability"].split("."))) < LEAST_CAPABILITY:
        least = ".".join(map(str, LEAST_CAPABILITY))
        return (
            f"the card {card['name']} has compute capability {card['compute_capability']}; "
            f"{least} is the least there is code for"
        )
    if cuda_module().emulated and os.environ.get("WELLGRAM_EMULATED") != "1":
        return (
            "wellgram was built to play a card on the processor, for tests: WELLGRAM_EMULATED=1 "
            "allows it"
        )
    return None


def _with_remedy(problem: str) -> str:
    if "insufficient" in problem:
        return f"{problem}; install or update the NVIDIA driver (580 or later, for CUDA 13)"
    return problem


def title() -> str:
    """Return the name and the memory of the card."""
    card = cuda_devices()[0][device_index()]
    return f"{card['name']}, {card['memory'] / 2**30:.0f} GiB"


@cache
def cublas_lt() -> str | None:
    """Return the path of cuBLASLt for CUDA 13, as the package nvidia-cublas brings it, or None."""
    spec = find_spec("nvidia")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(place).glob("cu13/lib/libcublasLt.so.13*")):
            return str(path)
    return None


class CudaDriver:
    """One card of `wellgram._cuda`."""

    array_types: tuple[int, ...]

    def __init__(self, index: int):
        self._module = cuda_module()
        try:
            self._device = self._module.Device(index)
        except RuntimeError as problem:
            raise BackendUnavailable(f"card {index} cannot be used: {problem}") from problem
        # An emulated card's arrays are the processor's.
        self.array_types = (1,) if self._module.emulated else CARDS
        self.index = index
        self.clear = self._device.clear
        self.free_memory = self._device.free_memory
        self.follow = self._device.follow

    def allocate(self, nbytes: int) -> Memory:
        """See `Driver.allocate`."""
        memory: Memory = self._device.allocate(nbytes)
        return memory

    def put(self, to: int, origin: NDArray[Any], apart: int, after: Any) -> None:
        """See `Driver.put`."""
        self._device.put(to, origin, apart, after)

    def get(self, to: NDArray[Any], origin: int, apart: int) -> None:
        """See `Driver.get`."""
        self._device.get(to, origin, apart)

    def mark(self) -> Mark:
        """See `Driver.mark`."""
        mark: Mark = self._device.mark()
        return mark

    def adopt(self, x: Any) -> Foreign:
        """See `Driver.adopt`."""
        # Stream 1 is the default one, where our work is queued: the library sees to the order.
        capsule = x.__dlpack__(stream=1) if not self._module.emulated else x.__dlpack__()
        address, shape, steps, code, bits, owner = self._module.from_dlpack(capsule)
        return Foreign(owner, address, shape, steps or contiguous_steps(shape), (code, bits))

    def give(self, matrix: Matrix) -> "DeviceArray":
        """See `Driver.give`."""
        return DeviceArray(matrix, self)

    def to_dlpack(self, matrix: Matrix) -> Any:
        """Return a matrix as a capsule, when the work on it is done."""
        self.mark().wait()
        return self._module.to_dlpack(
            *(matrix.address, matrix.rows, matrix.columns, matrix.stride),
            *(8 * matrix.dtype.itemsize, self.array_types[0], self.index, matrix.owner),
        )

    def launch(self, kernel: str, blocks: int, *arguments: float) -> None:
        """See `Driver.launch`."""
        self._device.launch(kernel, blocks, *arguments)

    def can_multiply(self, kind: ProductKind) -> bool:
        """See `Driver.can_multiply`; whether it can int8 depends on the card, so it is tried."""
        there = cublas_lt() is not None and not self._module.emulated
        return there and (kind != "int8" or self._multiplies_int8)

    @cached_property
    def _multiplies_int8(self) -> bool:
        side, features = 256, 64
        ones, made = np.ones((side, features), np.int8), np.empty((side, side), np.int32)
        rows, sums = self.allocate(ones.nbytes), self.allocate(made.nbytes)
        self.put(rows.address, ones, 0, self.mark())
        factor = (rows.address, features)
        try:
            self.multiply(
                "int8", Product(side, side, features, *factor, *factor, sums.address, side)
            )
        except RuntimeError:
            return False
        self.get(made, sums.address, 0)
        return bool((made == features).all())

    def multiply(self, kind: ProductKind, product: Product) -> None:
        """See `Driver.multiply`."""
        library = cublas_lt()
        assert library is not None
        p = product
        a, b, c = (p.a, p.a_stride), (p.b, p.b_stride), (p.c, p.c_stride)
        self._device.multiply(library, kind, p.m, p.n, p.d, *a, *b, *c)


@dataclass(frozen=True)
class DeviceArray:
    """A matrix of ours, as any library takes it: by DLPack or ``__cuda_array_interface__``."""

    matrix: Matrix
    driver: CudaDriver

    @property
    def shape(self) -> tuple[int, int]:
        """Rows by columns."""
        return self.matrix.rows, self.matrix.columns

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Its type."""
        return self.matrix.dtype

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self.driver.array_types != CARDS:
            raise AttributeError("an emulated card has no CUDA arrays")
        self.driver.mark().wait()
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.matrix.address, False),
            "strides": (self.matrix.apart, self.dtype.itemsize),
            "version": 3,
        }

    def __getitem__(self, rows: slice) -> "DeviceArray":
        first, last, step = rows.indices(self.matrix.rows)
        if step != 1:
            raise InputError("rows on a card are cut by slices without a step")
        return DeviceArray(self.matrix.cut(first, max(first, last)), self.driver)

    def get(self) -> NDArray[np.floating[Any]]:
        """Return a copy in main memory."""
        out = np.empty(self.shape, self.dtype)
        self.driver.get(out, self.matrix.address, self.matrix.apart)
        return out

    def tobytes(self) -> bytes:
        """Return its bytes, row by row."""
        return self.get().tobytes()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.driver.array_types[0], self.driver.index

    def __dlpack__(self, **_: Any) -> Any:
        return self.driver.to_dlpack(self.matrix)


KERNELS = CardKernels("cuda", why_not, title, lambda: CudaDriver(device_index()))
