"""Signals that stop the command line do what Ctrl-C does."""

import signal
import subprocess
import sys
import time

import pytest

from wellgram.cli.stop_signals import StopSignals

WELLGRAM = [sys.executable, "-m", "wellgram"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing_behind(tmp_path, number):
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.json").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    with subprocess.Popen(
        [*WELLGRAM, "simulate", "--out", str(out)], stderr=subprocess.PIPE, text=True
    ) as running:
        while running.poll() is None and sorted(tmp_path.rglob("*")) == before:
            time.sleep(0.01)  # until it has secured its folder, and so begun
        running.send_signal(number)
        _, said = running.communicate()
    assert running.returncode == 128 + number
    assert said.splitlines()[-1] == "interrupted; unfinished results were not kept"
    assert "Traceback" not in said
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture
def handlers():
    """The handlers of signals, which are as they were afterwards."""
    kept = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    hook = sys.unraisablehook
    yield
    sys.unraisablehook = hook
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_a_signal_that_is_ignored_stays_so(handlers):
    """As `nohup` starts what shall outlive its terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals = StopSignals()
    signals.listen()
    signal.raise_signal(signal.SIGHUP)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    assert signals.exit_status == 143


def test_an_error_that_a_signal_has_led_to_is_the_stop(handlers):
    """As while a class is made, where Python 3.11 turns the interrupt into a RuntimeError."""

    def make_class():
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt as stop:
            raise RuntimeError("error calling __set_name__") from stop

    signals = StopSignals()
    signals.listen()
    with pytest.raises(KeyboardInterrupt), signals.interrupting():
        make_class()
    assert signals.exit_status == 143


def test_an_error_without_a_signal_stays_one(handlers):
    signals = StopSignals()
    signals.listen()
    with pytest.raises(RuntimeError), signals.interrupting():
        raise RuntimeError


def test_a_signal_that_came_where_nothing_can_be_raised_comes_again(handlers):
    class Interrupted:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    StopSignals().listen()
    with pytest.raises(KeyboardInterrupt):
        _drop_and_wait([Interrupted()])


def _drop_and_wait(things):
    things.clear()
    time.sleep(20)


def test_the_library_leaves_signals_alone():
    code = (
        "import signal, numpy as np, wellgram as wg\n"
        "kept = {s: signal.getsignal(s) for s in signal.valid_signals()}\n"
        "wg.neighbors(np.eye(8, dtype='f4'), 2)\n"
        "assert kept == {s: signal.getsignal(s) for s in signal.valid_signals()}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
