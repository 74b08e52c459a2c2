"""The choice of a backend, and what it says when it cannot be made."""

import os
import signal
import subprocess
import sys

import pytest

from wellgram import BackendUnavailable, InputError, available_backends, get_backend, set_backend
from wellgram.backends import cpu


@pytest.fixture(autouse=True)
def restore():
    yield
    set_backend(None)


def test_argument_before_setting_before_environment_before_default(monkeypatch):
    monkeypatch.delenv("WELLGRAM_BACKEND", raising=False)
    assert get_backend().name == "cpu"
    monkeypatch.setenv("WELLGRAM_BACKEND", "reference")
    assert get_backend().name == "reference"
    set_backend("cpu")
    assert get_backend().name == "cpu"
    assert get_backend("reference").name == "reference"


def test_an_unknown_backend_names_the_known():
    assert available_backends() == ["cpu", "reference"]
    with pytest.raises(BackendUnavailable, match=r"'tpu'.*no backend.*available: cpu, reference"):
        set_backend("tpu")
    with pytest.raises(BackendUnavailable, match="'tpu'"):
        get_backend("tpu")


@pytest.mark.parametrize("count", ["0", "-1", "two", "1.5"])
def test_a_thread_count_that_is_none_is_refused(monkeypatch, count):
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", count)
    with pytest.raises(InputError, match="WELLGRAM_NUM_THREADS"):
        cpu.threads()


def test_threads_are_those_of_the_environment_else_of_the_affinity_mask(monkeypatch):
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "3")
    assert cpu.threads() == 3
    monkeypatch.delenv("WELLGRAM_NUM_THREADS")
    if hasattr(os, "sched_getaffinity"):
        assert cpu.threads() == len(os.sched_getaffinity(0))


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("isa", cpu.instruction_sets())
def test_a_lower_instruction_set_can_be_forced(isa):
    code = "from wellgram.backends import cpu; print(cpu.instruction_set())"
    assert run(code, WELLGRAM_ISA=isa).stdout.strip() == isa


def test_an_instruction_set_that_is_none_makes_the_backend_unavailable():
    code = "import wellgram; print(wellgram.available_backends()); wellgram.get_backend('cpu')"
    result = run(code, WELLGRAM_ISA="mmx")
    assert result.stdout.strip() == "['reference']"
    assert "WELLGRAM_ISA=mmx" in result.stderr
    assert "baseline" in result.stderr or "neon" in result.stderr


def test_switching_to_an_instruction_set_that_is_none_is_refused():
    with pytest.raises(BackendUnavailable, match="'mmx'"):
        cpu.use_instruction_set("mmx")


def test_a_long_pass_can_be_interrupted():
    code = (
        "import numpy as np, sys; from wellgram.backends import cpu;"
        "from wellgram.backends.consumers import CountBelow;"
        "x = np.ones((100_000, 512), np.float32); print('ready', flush=True);"
        "cpu.scan_pairs(x, [CountBelow((0.0,))])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
