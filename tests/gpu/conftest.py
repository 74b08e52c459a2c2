"""A card, or the processor that plays one (a build with WELLGRAM_CUDA=EMULATED)."""

import pytest

from wellgram.backends.cuda import BACKEND, CudaDriver
from wellgram.backends.gpu.backend import GpuBackend


@pytest.fixture
def cuda(usable):
    return usable("cuda")


@pytest.fixture
def fresh(cuda):
    """A backend with a card of its own; to be given a driver that differs."""

    def make(driver=None):
        return GpuBackend("cuda", lambda: None, lambda: "a card", driver or (lambda: CudaDriver(0)))

    return make


@pytest.fixture
def emulated(cuda):
    if cuda.card.driver.array_types != (1,):
        pytest.skip("for an emulated card")
    return BACKEND
