"""How much faster each function is that the accelerator replaces, and how much memory it takes.

Run ``python benchmarks/accelerated_functions.py [--library NAME ...] [--scale 1.0] [--repeats 3]``
with the newest releases of the libraries (`accelerated_calls.py` has the calls). Each library runs
in two processes, as it is and accelerated. Accelerated, each call is first made with
``WELLGRAM_ACCEL_VERIFY=1``, so that its result has been compared before any time is printed; as it
is, it is first made once too. Times are medians of the repeats, of one where that took a minute.
Memory is the most that the process held during a call, less what it held before (Linux alone).
"""

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONG = 60.0
"""Seconds of a call that is not repeated"""


def held(field: str) -> float:
    """Return what this process holds (``VmRSS``), or has held at most (``VmHWM``), in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1e3
    raise OSError(f"/proc/self/status has no {field}")


def timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds of a call, and how many MB it took."""
    ctypes.CDLL(None).malloc_trim(0)  # what was freed is not held for the next call
    Path("/proc/self/clear_refs").write_text("5")  # the most held is what is held now
    before = held("VmRSS")
    began = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - began
    megabytes = held("VmHWM") - before
    del result
    return seconds, megabytes


def measure(library: str, scale: float, repeats: int, *, accelerated: bool) -> None:
    """Make the calls of a library; print what each took, a line of JSON each."""
    import accelerated_calls

    warnings.simplefilter("ignore")
    if accelerated:
        import wellgram.accel

        wellgram.accel.install(also=accelerated_calls.ASKED)
    for name, call in accelerated_calls.LIBRARIES[library](scale):
        reason = verified(call) if accelerated else None
        runs = [timed(call)]  # as it is, the first loads what is loaded when it is first needed
        while len(runs) < repeats + (not accelerated) and runs[0][0] < LONG:
            runs.append(timed(call))
        counted = runs[1:] if len(runs) > 1 and not accelerated else runs
        seconds = statistics.median(seconds for seconds, _ in counted)
        megabytes = max(megabytes for _, megabytes in counted)
        print(json.dumps([name, seconds, megabytes, reason]), flush=True)


def verified(call: Callable[[], Any]) -> str | None:
    """Make a call with both results compared; return why the original ran, None if it did not."""
    from wellgram.accel.profiling import profile

    os.environ["WELLGRAM_ACCEL_VERIFY"] = "1"
    with profile() as calls:
        call()
    os.environ["WELLGRAM_ACCEL_VERIFY"] = "0"
    return calls.calls[-1].declined if calls.calls else "nothing is replaced"


def run(library: str, options: argparse.Namespace, *, accelerated: bool) -> list[list[Any]]:
    """Return what the calls of a library took in a process of their own."""
    from peers import write_stand_ins

    command = [sys.executable, __file__, "--measure", library, "--scale", str(options.scale)]
    command += ["--repeats", str(options.repeats), *(["--accelerated"] if accelerated else [])]
    with tempfile.TemporaryDirectory() as home:
        write_stand_ins(Path(home) / "stand_ins")
        paths = [str(Path(home) / "stand_ins"), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(
            command,
            env=os.environ | {"HOME": home, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        print(f"{library} is not measured: {done.stderr.splitlines()[-1:]}", flush=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


def main() -> None:
    """Measure the libraries that are asked for, or all."""
    from accelerated_calls import LIBRARIES

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", choices=LIBRARIES, help=argparse.SUPPRESS)
    parser.add_argument("--accelerated", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.scale, options.repeats, accelerated=options.accelerated)
        return
    for library in options.library:
        heads = ("faster", "seconds", "as it is", "MB", "as it is")
        print(library, "".join(f"{head:>10}" for head in heads), sep="\n", flush=True)
        ours = run(library, options, accelerated=True)
        theirs = run(library, options, accelerated=False)
        for (name, fast, small, reason), (_, slow, large, _) in zip(ours, theirs, strict=False):
            told = f" (the original: {reason})" if reason else ""
            print(f"{slow / fast:8.1f} x{fast:10.3f}{slow:10.3f}{small:10.0f}{large:10.0f}  "
                  f"{name}{told}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
