"""The choice of a backend, and what it says when it cannot be made."""

import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest

from wellgram import BackendUnavailable, InputError, available_backends, get_backend, set_backend
from wellgram.backends import BACKENDS, cpu, main_memory
from wellgram.backends.front import CheckedBackend
from wellgram.backends.gpu.card_arrays import CardArrays
from wellgram.backends.protocol import Arrays, Backend, Kernels


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
    known = available_backends()
    assert known[0] == "cpu"
    assert known[-2:] == ["numba", "reference"]
    with pytest.raises(
        BackendUnavailable, match=f"'tpu'.*no backend.*available: {', '.join(known)}"
    ):
        set_backend("tpu")
    with pytest.raises(BackendUnavailable, match="'tpu'"):
        get_backend("tpu")


def test_an_unknown_backend_of_the_environment_is_not_passed_over(monkeypatch):
    monkeypatch.setenv("WELLGRAM_BACKEND", "tpu")
    with pytest.raises(BackendUnavailable, match="'tpu'"):
        get_backend()


def test_a_choice_that_fails_leaves_the_last_one():
    set_backend("reference")
    with pytest.raises(BackendUnavailable):
        set_backend("tpu")
    assert get_backend().name == "reference"


def names(contract):
    return {word for word in vars(contract) if not word.startswith("_")}


def form(function):
    """The parameters of a function or method: names, kinds and defaults."""
    given = signature(function).parameters.values()
    return [(p.name, p.kind, p.default) for p in given if p.name != "self"]


@pytest.mark.parametrize("name", BACKENDS)
def test_kernels_have_every_name_of_their_contract_in_its_form(name):
    contract = names(Kernels)
    assert {"pair_scan", "why_not", "arrays"} <= contract
    module = import_module(f"wellgram.backends.{name}")
    kernels = getattr(module, "KERNELS", module)
    assert kernels.name == name
    for word in contract - {"name", "arrays"}:
        assert form(getattr(kernels, word)) == form(getattr(Kernels, word)), word


@pytest.mark.parametrize("arrays", [main_memory, CardArrays], ids=["processors", "cards"])
def test_what_takes_rows_has_every_name_of_its_contract_in_its_form(arrays):
    for word in names(Arrays):
        assert form(getattr(arrays, word)) == form(getattr(Arrays, word)), word


def test_the_front_has_every_name_of_the_contract_in_its_form():
    contract = names(Backend)
    assert {"scan_pairs", "why_not", "resident"} <= contract
    for word in contract - {"name"}:
        assert form(getattr(CheckedBackend, word)) == form(getattr(Backend, word)), word


def test_the_kernels_of_processors_check_nothing():
    """Their front does; a name of `checks` in one of them is a check made twice."""
    for name in ("cpu", "cpu_scan", "numba", "numpy_softmax", "reference"):
        source = Path(import_module(f"wellgram.backends.{name}").__file__).read_text()
        assert "wellgram.backends.checks" not in source, name


@pytest.mark.parametrize("count", ["0", "-1", "two", "1.5"])
def test_a_thread_count_that_is_none_is_refused(monkeypatch, count):
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", count)
    with pytest.raises(InputError, match="WELLGRAM_NUM_THREADS"):
        cpu.threads()


@pytest.mark.parametrize("count", ["1025", "999999", "9" * 5000])
def test_a_thread_count_beyond_reason_is_refused(monkeypatch, count):
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", count)
    with pytest.raises(InputError, match=r"beyond reason; give 1,024 threads or fewer"):
        cpu.threads()
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "1024")
    assert cpu.threads() == 1024


def test_threads_are_those_of_the_environment_else_of_the_affinity_mask(monkeypatch):
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "3")
    assert cpu.threads() == 3
    monkeypatch.delenv("WELLGRAM_NUM_THREADS")
    if hasattr(os, "sched_getaffinity"):
        assert cpu.threads() == len(os.sched_getaffinity(0))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity masks here")
def test_a_process_kept_to_one_processor_uses_one_thread():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from wellgram.backends import cpu; print(cpu.threads(), cpu.describe())"
    )
    words = run(code, WELLGRAM_NUM_THREADS="").stdout.strip()
    assert words.startswith("1 ")
    assert words.endswith(", 1 thread")


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
    code = "from wellgram.backends import cpu; print(cpu.describe())"
    assert run(code, WELLGRAM_ISA=isa).stdout.startswith(f"{isa}, ")


def test_an_instruction_set_that_is_none_makes_the_backend_unavailable():
    code = "import wellgram; print(wellgram.available_backends()); wellgram.get_backend('cpu')"
    result = run(code, WELLGRAM_ISA="mmx")
    assert result.stdout.strip() == str([name for name in available_backends() if name != "cpu"])
    assert "BackendUnavailable" in result.stderr
    usable = ", ".join(cpu.instruction_sets())
    assert f"WELLGRAM_ISA=mmx is not an instruction set of this machine ({usable})" in result.stderr


@pytest.mark.parametrize("setting", ["WELLGRAM_ISA", "WELLGRAM_SCREEN"])
def test_a_setting_that_cannot_be_followed_is_no_slower_backend(setting):
    result = run("import wellgram; wellgram.get_backend()", **{setting: "mmx"})
    assert f"{setting}=mmx is not" in result.stderr
    assert result.stderr.strip().endswith("correct it, or unset it")


def test_the_name_of_a_screen():
    """One of cards leaves processors to choose; one that is none makes the backend unavailable."""
    code = "from wellgram.backends import cpu; print(cpu.why_not(), cpu.screen())"
    chosen = run(code, WELLGRAM_SCREEN="").stdout
    assert run(code, WELLGRAM_SCREEN="none").stdout == "None none\n"
    assert run(code, WELLGRAM_SCREEN="int8").stdout == chosen
    known = ", ".join([*cpu.screens(), "int8"])
    assert (
        f"WELLGRAM_SCREEN=int4 is not a screen ({known})"
        in run(code, WELLGRAM_SCREEN="int4").stdout
    )


def test_switching_to_an_instruction_set_that_is_none_is_refused():
    before = cpu.instruction_set()
    with pytest.raises(BackendUnavailable, match=f"'mmx'.*{', '.join(cpu.instruction_sets())}"):
        cpu.use_instruction_set("mmx")
    assert cpu.instruction_set() == before


def test_importing_the_backends_loads_no_library_of_another_device():
    code = (
        "import sys, wellgram.backends as b; b.get_backend();"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    loaded = set(run(code).stdout.split())
    assert "numpy" in loaded
    assert loaded.isdisjoint({"matplotlib", "numba", "cupy", "torch", "dask"})


def test_importing_the_library_waits_with_what_few_need():
    """Statistics and figures take longer to load than most commands need."""
    code = "import sys, wellgram.cli; print(*sys.modules)"
    loaded = set(run(code).stdout.split())
    assert "scipy.sparse" in loaded
    assert loaded.isdisjoint({"scipy.stats", "matplotlib", "numba"})


def test_choosing_a_backend_loads_none_that_is_less_liked():
    code = "import sys, wellgram; wellgram.get_backend(); print('numba' in sys.modules)"
    assert run(code).stdout.strip() == "False"


def test_numba_uses_the_threads_that_are_asked_for():
    code = "from wellgram.backends import numba; print(numba.describe())"
    assert re.fullmatch(
        r"numba [\d.]+, 1 thread", run(code, WELLGRAM_NUM_THREADS="1").stdout.strip()
    )


LONG_PASS = """
import threading, time
import numpy as np
from wellgram import get_backend
from wellgram.backends.consumers import CountBelow

shares = []

def tell():
    while not shares:
        time.sleep(0.01)
    print("running", flush=True)

threading.Thread(target=tell, daemon=True).start()
ones = np.ones((2_000_000, 2))
get_backend("cpu").scan_pairs(ones, [CountBelow((0.0,))], None, shares.append)
"""


def test_a_long_pass_can_be_interrupted():
    """The pass would take a good many minutes, and without a look at signals it takes them all.

    Its progress goes to `list.append`: a function in Python would see the signal by itself.
    """
    with subprocess.Popen(
        [sys.executable, "-c", LONG_PASS],
        env=os.environ | {"WELLGRAM_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "running\n"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=120)  # not a limit of speed: see above
        finally:
            process.kill()
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
