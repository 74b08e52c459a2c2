"""Why the cuda backend cannot run: said in words, with the remedy. Needs no card."""

import pytest

from wellgram.backends import cuda


def card(capability, name="Tesla T4"):
    return {"name": name, "compute_capability": capability, "memory": 16 << 30}


@pytest.fixture
def reason(monkeypatch):
    def of(devices, problem=""):
        monkeypatch.setattr(cuda, "cuda_devices", lambda: (devices, problem))
        monkeypatch.setenv("WELLGRAM_EMULATED", "1")
        return cuda.why_not()

    return of


def test_a_driver_older_than_the_runtime(reason):
    words = "CUDA driver version is insufficient for CUDA runtime version"
    assert reason([], words) == (
        f"{words}; install or update the NVIDIA driver (580 or later, for CUDA 13)"
    )


def test_no_card_or_no_module(reason):
    assert reason([], "wellgram was built without CUDA") == "wellgram was built without CUDA"


@pytest.mark.parametrize(("capability", "runs"), [("7.5", False), ("8.0", True), ("10.0", True)])
def test_a_card_too_old(reason, monkeypatch, capability, runs):
    monkeypatch.setattr(cuda, "cuda_module", lambda: type("module", (), {"emulated": False}))
    found = reason([card(capability)])
    assert (found is None) == runs
    if not runs:
        assert found == (
            "the card Tesla T4 has compute capability 7.5; 8.0 is the least there is code for"
        )


@pytest.mark.parametrize("index", ["1", "-1", "first"])
def test_a_card_that_is_not_there(reason, monkeypatch, index):
    monkeypatch.setenv("WELLGRAM_CUDA_DEVICE", index)
    assert (
        reason([card("9.0")]) == f"WELLGRAM_CUDA_DEVICE={index} is none of the cards here (0 to 0)"
    )


def test_an_emulated_card_must_be_asked_for(reason, monkeypatch):
    monkeypatch.setattr(cuda, "cuda_module", lambda: type("module", (), {"emulated": True}))
    assert reason([card("9.0")]) is None
    monkeypatch.delenv("WELLGRAM_EMULATED")
    assert "WELLGRAM_EMULATED=1 allows it" in cuda.why_not()


def test_where_cublas_lt_is(monkeypatch, tmp_path):
    library = tmp_path / "cu13" / "lib" / "libcublasLt.so.13"
    spec = type("spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr(cuda, "find_spec", lambda name: spec)
    cuda.cublas_lt.cache_clear()
    assert cuda.cublas_lt() is None
    library.parent.mkdir(parents=True)
    library.touch()
    cuda.cublas_lt.cache_clear()
    assert cuda.cublas_lt() == str(library)
    cuda.cublas_lt.cache_clear()
