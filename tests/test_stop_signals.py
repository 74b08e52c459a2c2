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
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
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


def test_the_library_leaves_signals_alone():
    code = (
        "import signal, numpy as np, wellgram as wg\n"
        "kept = {s: signal.getsignal(s) for s in signal.valid_signals()}\n"
        "wg.neighbors(np.eye(8, dtype='f4'), 2)\n"
        "assert kept == {s: signal.getsignal(s) for s in signal.valid_signals()}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
