"""One suite, every backend of the registry; a compiled one once per instruction set."""

import pytest

from wellgram.backends import BACKENDS, get_backend, why_not

CARDS = ("cuda", "cupy")


def _variants():
    for name in BACKENDS:
        marks = [pytest.mark.gpu] if name in CARDS else []
        if why_not(name) is not None:
            yield pytest.param((name, None), id=name, marks=marks)
            continue
        sets = getattr(get_backend(name).kernels, "instruction_sets", lambda: [None])()
        for isa in sets:
            if isa == "avx512vnni" and "avx512bf16" in sets:
                continue  # the same code, but for bfloat16
            yield pytest.param((name, isa), id=f"{name}[{isa}]" if isa else name, marks=marks)


@pytest.fixture(params=_variants())
def backend(request, usable):
    name, isa = request.param
    named = usable(name)
    if isa is None:
        yield named
        return
    before = named.kernels.instruction_set()
    named.kernels.use_instruction_set(isa)
    yield named
    named.kernels.use_instruction_set(before)


@pytest.fixture
def cpu(usable):
    """The cpu backend, for a test that chooses among its instruction sets."""
    named = usable("cpu")
    before = named.kernels.instruction_set()
    yield named
    named.kernels.use_instruction_set(before)


@pytest.fixture
def by_threads(monkeypatch):
    """The answers of a call on 1, 2 and 7 threads."""

    def answers(call):
        for count in ("1", "2", "7"):
            monkeypatch.setenv("WELLGRAM_NUM_THREADS", count)
            yield call()

    return answers
