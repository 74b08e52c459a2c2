"""The CuPy driver, with a stand-in for CuPy that has an emulated card."""

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.cases import classified, one_of_each, unit
from helpers.comparers import close_loss, same
from wellgram.backends import cupy, get_backend
from wellgram.backends.consumers import CountBelow, Extent, Nearest
from wellgram.backends.cuda import CudaDriver
from wellgram.backends.front import CheckedBackend
from wellgram.backends.gpu.card_kernels import CardKernels

pytestmark = pytest.mark.gpu


def stand_in(driver):
    """What the driver uses of CuPy, on an emulated card."""

    class RawModule:
        def __init__(self, code, options, name_expressions):
            assert (cupy.SOURCES / "all.hpp").is_file()
            assert f"-I{cupy.SOURCES}" in options
            assert '#include "all.hpp"' in code
            self.names = name_expressions

        def get_function(self, name):
            assert name in self.names
            kernel = name.removeprefix("wellgram::gpu::")

            def launch(grid, block, words):
                assert block == (256,)
                assert all(word.nbytes == 8 for word in words)
                driver.launch(kernel, grid[0], *(word.item() for word in words))

            return launch

    def alloc(nbytes):
        memory = driver.allocate(nbytes)
        return SimpleNamespace(ptr=memory.address, owner=memory)

    def memcpy(to, origin, nbytes, kind):
        ctypes.memmove(to, origin, nbytes)

    def ndarray(shape, dtype, pointer, strides):
        held = (ctypes.c_byte * pointer.nbytes).from_address(pointer.address)
        array = np.ndarray(shape, dtype, np.frombuffer(held, np.uint8), strides=strides)
        assert array.ctypes.data == pointer.address
        return array

    use = SimpleNamespace(use=lambda: None)
    event = SimpleNamespace(record=lambda: None, synchronize=lambda: None)
    runtime = SimpleNamespace(
        memcpy=memcpy,
        memsetAsync=lambda address, value, nbytes, stream: ctypes.memset(address, value, nbytes),
        memGetInfo=lambda: (driver.free_memory(), 1 << 30),
    )
    cuda = SimpleNamespace(
        alloc=alloc,
        Device=lambda index: use,
        Stream=SimpleNamespace(null=use),
        Event=lambda: event,
        runtime=runtime,
        UnownedMemory=lambda address, nbytes, owner, index: SimpleNamespace(
            address=address, nbytes=nbytes, owner=owner
        ),
        MemoryPointer=lambda memory, offset: memory,
    )
    return SimpleNamespace(
        cuda=cuda,
        RawModule=RawModule,
        matmul=np.matmul,
        ndarray=ndarray,
        get_default_memory_pool=lambda: SimpleNamespace(free_bytes=lambda: 0),
    )


@pytest.fixture
def by_cupy(emulated, monkeypatch):
    import sys

    driver = CudaDriver(0)
    monkeypatch.setitem(sys.modules, "cupy", stand_in(driver))
    kernels = CardKernels("cupy", lambda: None, lambda: "a card", lambda: cupy.CupyDriver(0))
    return CheckedBackend(kernels)


def test_rows_and_groups(by_cupy, cpu, rng, dtype):
    x, codes = rng.normal(size=(60, 7)).astype(dtype), rng.integers(-1, 4, 60)
    cuda = get_backend("cuda")
    for one, other in zip(by_cupy.unit_rows(x), cuda.unit_rows(x), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(
        by_cupy.group_sums(x, codes, 4), cuda.group_sums(x, codes, 4), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    sets = ([5, 9], [2, 9], 30)
    np.testing.assert_array_equal(
        by_cupy.random_subsets(*sets, seed=2**63 + 5, stream=1),
        cpu.random_subsets(*sets, seed=2**63 + 5, stream=1),
    )


@pytest.mark.parametrize("way", ["float32", "matmul"])
@pytest.mark.parametrize("others", [None, 25])
def test_a_pass(by_cupy, cpu, rng, monkeypatch, way, others):
    """Of rows whose products are exact in any order: multiples of 1/4."""
    monkeypatch.setenv("WELLGRAM_PRODUCTS", way)
    x, y = (rng.integers(-1, 2, (n, 4)).astype(np.float32) / 2 for n in (60, 25))
    y = None if others is None else y
    extent = Extent(60, others)
    expected = cpu.scan_pairs(x, one_of_each(extent, np.float32), y)
    for one, other in zip(
        by_cupy.scan_pairs(x, one_of_each(extent, np.float32), y), expected, strict=True
    ):
        same(one, other)


def test_a_pass_with_a_screen(by_cupy, cpu, rng, monkeypatch):
    """Named, for CuPy has no library of int8."""
    monkeypatch.setenv("WELLGRAM_PRODUCTS", "float32")
    assert by_cupy.describe() == "a card, float32 products"
    by_cupy.kernels.use_screen("int8")
    assert by_cupy.describe() == "a card, screen int8, float32 products"
    x = rng.integers(-1, 2, (90, 4)).astype(np.float32) / 2
    consumers = [CountBelow((0.0, 0.25)), Nearest(4, 3)]
    for one, other in zip(
        by_cupy.scan_pairs(x, consumers), cpu.scan_pairs(x, consumers), strict=True
    ):
        same(one, other)


@pytest.mark.parametrize("way", ["float32", "matmul"])
def test_losses(by_cupy, rng, monkeypatch, dtype, way):
    monkeypatch.setenv("WELLGRAM_PRODUCTS", way)
    x, codes, weights = classified(rng, 90, 10, 7, dtype)
    close_loss(by_cupy.softmax_loss(x, codes, 7)(weights), x, codes, weights)


def test_float64_products_are_the_librarys(by_cupy, cpu, rng):
    x = unit(rng, 30, 9, np.float64)
    i, j = np.triu_indices(30, 1)
    # Both are within 9 roundings of the same sum.
    np.testing.assert_allclose(
        by_cupy.pair_cosines(x, i, j), cpu.pair_cosines(x, i, j), rtol=0, atol=9 * 2**-52
    )


def test_without_a_card_there_is_a_reason(monkeypatch):
    import sys

    def none():
        raise RuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")

    runtime = SimpleNamespace(getDeviceCount=none)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    monkeypatch.setattr(cupy, "find_spec", lambda name: name)
    assert (
        cupy.why_not()
        == "CuPy finds no card: cudaErrorNoDevice: no CUDA-capable device is detected"
    )
    runtime.getDeviceCount = lambda: 2
    assert cupy.why_not() is None
    monkeypatch.setenv("WELLGRAM_CUDA_DEVICE", "2")
    assert cupy.why_not() == "WELLGRAM_CUDA_DEVICE=2 is none of the 2 cards here"
    monkeypatch.setattr(cupy, "find_spec", lambda name: None)
    assert "pip install cupy-cuda13x" in cupy.why_not()
