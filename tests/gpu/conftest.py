"""A card, or the processor that plays one (a build with WELLGRAM_CUDA=EMULATED)."""

import pytest

from helpers.cards import WithLibrary
from wellgram.backends.cuda import CudaDriver
from wellgram.backends.front import CheckedBackend
from wellgram.backends.gpu.card_kernels import CardKernels


@pytest.fixture
def cuda(usable):
    return usable("cuda")


@pytest.fixture
def cpu(usable):
    return usable("cpu")


@pytest.fixture
def fresh(cuda):
    """A backend with a card of its own; to be given a driver that differs."""

    def make(driver=None):
        driver = driver or (lambda: CudaDriver(0))
        return CheckedBackend(CardKernels("cuda", lambda: None, lambda: "a card", driver))

    return make


@pytest.fixture
def emulated(cuda):
    if cuda.kernels.card.driver.array_types != (1,):
        pytest.skip("for an emulated card")
    return cuda


@pytest.fixture
def with_library(fresh):
    return fresh(lambda: WithLibrary(0))
