"""Kills every command at random moments, and looks at what is left.

``python tests/faults/kills.py --kills 1000 --seed 0``

A command writes over the results of an earlier run. KILL, TERM or INT comes at a random moment, or
right before or after a chosen rename, removal or making of a folder. Then results must be those of
the earlier run, whole, or of the new one, whole, at the latest when somebody reads a file of them.
The user's own files are as they were. The same command, run again, leaves the new results and
nothing else.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from forked_runs import Ended, Stop, run
from kill_commands import COMMANDS, Command, make_inputs

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
MINE = {"notes.txt": b"mine", ".wellgram-notes": b"mine too"}
"""A user's files among the results"""
_VARYING = {"summary.json", "report.html"}
"""These tell when they were made and how long it took: other bytes in each run"""
_LOST_BY_PYTHON = "Exception ignored in: <function _get_module_lock"
"""An interrupt that came in a callback of Python's imports; only a command sends it again"""
_GRACE = 20.0
"""Seconds after which a signal counts as not heeded, on a machine that does other work too"""

Files = dict[str, bytes]


def files_in(folder: Path, without: tuple[str, ...] = ()) -> Files:
    """Return the results in a folder by their paths."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and name.parts[0] not in without and not hidden and name.name not in MINE:
            found[str(name)] = path.read_bytes()
    return found


def names_in(folder: Path) -> set[str]:
    """Return all that is in a folder, hidden or not."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def same_results(found: Files, wanted: Files, other: Files) -> bool:
    """Whether results are the wanted ones; those that vary must be whole, and not the others'."""
    if found.keys() != wanted.keys():
        return False
    for name, data in found.items():
        if name not in _VARYING:
            if data != wanted[name]:
                return False
        elif data != wanted[name] and (data == other.get(name) or data[-8:] != wanted[name][-8:]):
            return False
    return True


class Scene:
    """A command with its inputs, the results of the earlier run, and those it should write."""

    def __init__(self, command: Command, inputs: Path, folder: Path) -> None:
        self.command, self.inputs, self.folder = command, inputs, folder
        self.out, self.log = folder / "out", folder / "log"
        self._old_folder = folder / "old"
        self.out.mkdir(parents=True)
        for name, data in MINE.items():
            (self.out / name).write_bytes(data)
        if command.name == "browse":
            shutil.copy(inputs / "map.parquet", self.out)
        if command.older:
            self._done(self._run(command.older))
        self.older = files_in(self.out, command.beside)
        shutil.copytree(self.out, self._old_folder)
        self.seconds, self.steps, self.newer = 2.0, 0, self.older
        if command.name != "browse":
            ended = self._done(self._run(command.newer))
            self.seconds, self.steps = ended.seconds, ended.steps
            self.newer = files_in(self.out, command.beside)
        self._names = names_in(self.out)
        self._older_names = names_in(self._old_folder)

    def kill(self, stop: Stop) -> tuple[list[str], list[str]]:
        """Kill a run; return what happened, and what is wrong."""
        shutil.rmtree(self.out)
        shutil.copytree(self._old_folder, self.out)
        ended = self._run(self.command.newer, stop)
        events, wrong = [_how(ended)], []
        if ended.seconds > _GRACE:
            wrong.append(f"it went on for {ended.seconds:.0f} s")
        if "Traceback" in ended.output and _LOST_BY_PYTHON not in ended.output:
            wrong.append("a traceback: " + ended.output[-300:])
        if ended.status not in (0, 128 + stop.signal):
            wrong.append(f"exit status {ended.status}: {ended.output[-300:]}")
        if not self._is_whole():
            events.append("between renames, until it is read")
            self._read()
            if not self._is_whole():
                wrong.append(f"a mixture: {sorted(names_in(self.out))}")
        if names_in(self.out) - self._names - self._older_names:
            events.append("leftovers, until the next run")
        wrong += self._wrong_after_next_run()
        return events, wrong

    def _wrong_after_next_run(self) -> list[str]:
        wrong = []
        if self.command.name != "browse":
            ended = self._run(self.command.newer)
            if ended.status != 0:
                wrong.append(f"the next run ends with {ended.status}: {ended.output[-300:]}")
        if not same_results(files_in(self.out, self.command.beside), self.newer, self.older):
            wrong.append("the next run has other results")
        if left := names_in(self.out) - self._names:
            wrong.append(f"leftovers after the next run: {sorted(left)}")
        if any((self.out / name).read_bytes() != data for name, data in MINE.items()):
            wrong.append("a file of the user has changed")
        return wrong

    def _is_whole(self) -> bool:
        found = files_in(self.out, self.command.beside)
        return same_results(found, self.older, self.newer) or same_results(
            found, self.newer, self.older
        )

    def _read(self) -> None:
        from wellgram.io.formats import open_table

        open_table(self.out / self.command.read)

    def _run(self, given: list[str], stop: Stop | None = None) -> Ended:
        return run(self.command.arguments(given, self.inputs, self.out), self.log, stop)

    @staticmethod
    def _done(ended: Ended) -> Ended:
        if ended.status != 0:
            raise AssertionError(ended.output)
        return ended


def _how(ended: Ended) -> str:
    return "done before" if ended.status == 0 else f"exit status {ended.status}"


def stop_of(draw: random.Random, scene: Scene) -> Stop:
    """Draw a signal and its moment: any, or that of a step, where the last are renames."""
    number = draw.choice(SIGNALS)
    if scene.steps and draw.random() < 0.6:
        last = draw.random() < 0.7
        first = max(0, scene.steps - 40) if last else 0
        return Stop(number, step=draw.randrange(first, scene.steps), after=draw.random() < 0.5)
    return Stop(number, seconds=draw.uniform(0, scene.seconds))


def kill_many(task: tuple[list[str], int, int]) -> tuple[Counter[str], list[str]]:
    """Kill commands of some names so many times; return counts of what happened, and faults."""
    names, kills, seed = task
    import wellgram.library  # noqa: F401 - once, for all forks
    from wellgram.cli import main  # noqa: F401

    counts: Counter[str] = Counter()
    faults: list[str] = []
    draw = random.Random(f"{seed} {names}")
    with tempfile.TemporaryDirectory() as place:
        inputs = Path(place, "inputs")
        inputs.mkdir()

        def make(arguments: list[str]) -> None:
            ended = run(arguments, Path(place, "log"))
            assert ended.status == 0, ended.output

        make_inputs(inputs, make)
        scenes = [Scene(c, inputs, Path(place, c.name)) for c in COMMANDS if c.name in names]
        for k in range(kills):
            scene = scenes[k % len(scenes)]
            stop = stop_of(draw, scene)
            events, wrong = scene.kill(stop)
            counts.update([f"{scene.command.name}: kills", f"{stop.signal.name}: kills"])
            counts.update(events)
            faults += [f"{scene.command.name}, {stop}: {words}" for words in wrong]
    return counts, faults


def kill_all(kills: int, seed: int, processes: int = 2) -> tuple[Counter[str], list[str]]:
    """Kill all commands in turn, in several processes at a time."""
    names = [command.name for command in COMMANDS]
    shares = [names[k::processes] for k in range(processes)]
    tasks = [
        (share, kills // processes + (k < kills % processes), seed)
        for k, share in enumerate(shares)
    ]
    for name in ("WELLGRAM_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"  # of the processes that import the library: a fork has no threads
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for some, wrong in pool.imap(kill_many, tasks):
            counts += some
            faults += wrong
    return counts, faults


def main() -> None:
    """Run so many kills, and print what happened."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    began = time.perf_counter()
    counts, faults = kill_all(given.kills, given.seed, given.processes)
    for name, count in sorted(counts.items()):
        print(f"{count:6d}  {name}")
    for fault in faults:
        print(f"FAULT  {fault}")
    print(f"{len(faults)} faults in {given.kills} kills, {time.perf_counter() - began:.0f} s")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
