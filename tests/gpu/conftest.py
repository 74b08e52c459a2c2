"""A card, or the processor that plays one (a build with WELLGRAM_CUDA=EMULATED)."""

import pytest

from wellgram.backends import get_backend, why_not
from wellgram.backends.cuda import BACKEND, CudaDriver
from wellgram.backends.gpu.backend import GpuBackend


@pytest.fixture
def cuda(request):
    reason = why_not("cuda")
    if reason is not None:
        required = "cuda" in request.config.getoption("--require")
        (pytest.fail if required else pytest.skip)(f"no card: {reason}")
    return get_backend("cuda")


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
