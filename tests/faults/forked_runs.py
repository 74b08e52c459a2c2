"""Command lines in forked processes, which end by a signal at a chosen moment."""

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import NamedTuple

STEPS = ("replace", "rename", "unlink", "rmdir", "mkdir")
"""Functions of `os` that change what is in a folder: the moments that matter most"""


class Stop(NamedTuple):
    """When a process gets a signal: so many seconds after its start, or around one of its steps."""

    signal: signal.Signals
    seconds: float = 0.0
    step: int | None = None
    after: bool = False
    """Right after the step, not before"""


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    """As a shell has it: 128 and the signal for one that was killed"""
    seconds: float
    """From the signal on, or from the start where none came"""
    steps: int
    output: str


def run(arguments: list[str], log: Path, stop: Stop | None = None) -> Ended:
    """Run a command line in a fork of this process, which has imported the library."""
    counted, told = log.with_suffix(".steps"), log.with_suffix(".time")
    for file in (counted, told):
        file.unlink(missing_ok=True)
    began = time.time()
    process = os.fork()
    if process == 0:
        _run_in_child(arguments, log, stop)
    if stop is not None and stop.step is None:
        time.sleep(stop.seconds)
        began = time.time()
        os.kill(process, stop.signal)
    _, status = os.waitpid(process, 0)
    ended = time.time()
    if told.exists():
        began = float(told.read_text())
    code = os.waitstatus_to_exitcode(status)
    return Ended(
        128 - code if code < 0 else code,
        ended - began,
        len(counted.read_bytes()) if counted.exists() else 0,
        log.read_text(errors="replace"),
    )


def _run_in_child(arguments: list[str], log: Path, stop: Stop | None) -> None:
    """Run and end the process, whatever happens."""
    status = 1
    try:
        file = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        # A shell that starts this in the background has it ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _watch_steps(log, stop)
        sys.argv = ["wellgram", *arguments]
        status = _status_of(arguments)
        # The command has ended: a signal from now on is too late to be one of its.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _status_of(arguments: list[str]) -> int:
    from wellgram.cli import main

    try:
        if arguments[0] == "write_map":
            _write_map(int(arguments[1]), arguments[2])
        else:
            main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:  # of the library's function, which no command catches it for
        return 128 + signal.SIGINT
    return 0


def _write_map(seed: int, path: str) -> None:
    import numpy as np
    import pandas as pd

    from wellgram import PerturbationMap, write_map

    rows = np.random.default_rng(seed).normal(size=(20, 8)).astype(np.float32)
    labels = pd.DataFrame({"perturbation": [f"g{row}" for row in range(20)]})
    write_map(PerturbationMap(rows, labels, {}), path)


def _watch_steps(log: Path, stop: Stop | None) -> None:
    """Note each step, and send the signal around the chosen one."""
    file = os.open(log.with_suffix(".steps"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    done = 0

    def watched(act):
        def acting(*given, **options):
            nonlocal done
            number, done = done, done + 1
            chosen = stop is not None and stop.step == number
            os.write(file, b".")
            if chosen and not stop.after:
                _stop_here(log, stop)
            outcome = act(*given, **options)
            if chosen and stop.after:
                _stop_here(log, stop)
            return outcome

        return acting

    for name in STEPS:
        setattr(os, name, watched(getattr(os, name)))


def _stop_here(log: Path, stop: Stop) -> None:
    log.with_suffix(".time").write_text(str(time.time()))
    os.kill(os.getpid(), stop.signal)
