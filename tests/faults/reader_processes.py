"""Damaged files read in processes of their own, so that a hang or a crash is an outcome."""

import multiprocessing
import os
import resource
import shutil
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any

from faults.damage import damaged
from faults.file_kinds import FileKind
from faults.values_digest import digest_of
from wellgram import WellgramError

Kinds = Callable[[], Mapping[str, FileKind]]

SECONDS = 20.0
"""After which reading a small file is a hang"""
_MEMORY = 8 << 30
"""Bytes of addresses of a process: a wrong length must not take the machine's memory"""

SAME = "same values"
REFUSED = "refused"
CHANGED = "changed"
TRACEBACK = "traceback"
HANG = "hang"
CRASH = "crash"


@dataclass(frozen=True)
class Input:
    """One damaged file: its kind and its number; with the seed they say what the damage is."""

    kind: str
    seed: int
    number: int

    def damaged(self, files: dict[str, bytes]) -> tuple[dict[str, bytes], str]:
        """Return the damaged files and what the damage is."""
        return damaged(files, Random(f"{self.seed}/{self.kind}/{self.number}"))


@dataclass(frozen=True)
class Outcome:
    """What became of an input."""

    input: Input
    what: str
    message: str = ""
    damage: str = ""


def files_at(path: Path) -> dict[str, bytes]:
    """Return the files of a folder by their names, or one file by the empty name."""
    if path.is_file():
        return {"": path.read_bytes()}
    inside = (file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in inside}


def put_files(path: Path, files: dict[str, bytes]) -> None:
    """Write files in place of what is at a path."""
    if path.is_dir():
        shutil.rmtree(path)
    for name, data in files.items():
        place = path / name if name else path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


@dataclass(frozen=True)
class _Whole:
    """A file before it is damaged, and what is read of it."""

    kind: FileKind
    folder: Path
    files: dict[str, bytes]
    digest: str


def _whole_files(folder: Path, kinds: Mapping[str, FileKind]) -> dict[str, _Whole]:
    """Write and read a file of each kind, so that all libraries are there before time counts."""
    whole = {}
    for number, (name, kind) in enumerate(kinds.items()):
        place = folder / str(number)
        place.mkdir()
        kind.write(place)
        files, digest = files_at(place / kind.target), digest_of(*kind.read(place))
        whole[name] = _Whole(kind, place, files, digest)
    return whole


def _outcome(given: Input, whole: _Whole) -> Outcome:
    """Return what becomes of an input."""
    kind = whole.kind
    files, damage = given.damaged(whole.files)
    put_files(whole.folder / kind.target, files)
    try:
        digest = digest_of(*kind.read(whole.folder))
        what, message = (SAME if digest == whole.digest else CHANGED), ""
    except WellgramError as problem:
        what, message = REFUSED, str(problem)
        if not message.isprintable():  # of several lines, or with control characters
            what, message = TRACEBACK, f"not one printable line: {message!r}"
    except Exception as problem:
        frames = [f for f in traceback.extract_tb(problem.__traceback__) if "wellgram" in f[0]]
        place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        what, message = TRACEBACK, f"{type(problem).__name__}{place}: {problem}"
    return Outcome(given, what, message[:300], damage)


def _work(pipe: Connection, kinds: Kinds) -> None:
    """Read inputs that come through a pipe, until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    os.environ["WELLGRAM_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nowhere:
        whole = _whole_files(Path(folder), kinds())
        with redirect_stderr(nowhere):  # what libraries print of damage
            pipe.send(None)  # from now on time counts
            while (given := pipe.recv()) is not None:
                pipe.send(_outcome(given, whole[given.kind]))


@dataclass
class _Process:
    """A process that reads inputs, and the one it is reading."""

    pipe: Connection
    process: Any
    given: Input | None = None
    since: float = 0.0
    done: bool = False

    def give(self, given: Input | None) -> None:
        """Hand an input over; None: there are no more."""
        self.given, self.since, self.done = given, time.monotonic(), given is None
        self.pipe.send(given)

    def late(self, seconds: float) -> bool:
        """Whether an input takes too long."""
        return self.given is not None and time.monotonic() - self.since > seconds

    def ended(self, seconds: float) -> Outcome | None:
        """Return what became of the input; None where the process has only started."""
        if self.late(seconds) and not self.pipe.poll():
            return Outcome(self.given, HANG, f"over {seconds:.0f} s")
        try:
            outcome: Outcome | None = self.pipe.recv()
        except EOFError:
            self.process.join()
            if self.given is None:
                raise RuntimeError("a process that reads inputs could not start") from None
            return Outcome(self.given, CRASH, f"exit status {self.process.exitcode}")
        return outcome

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _started(kinds: Kinds) -> _Process:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, kinds), daemon=True)
    process.start()
    there.close()
    return _Process(here, process)


def outcomes(
    inputs: Iterator[Input], kinds: Kinds, processes: int, seconds: float = SECONDS
) -> Iterator[Outcome]:
    """Yield what becomes of inputs, in the order in which they end.

    `kinds` is a function of a module, which each process calls for the kinds of the inputs.
    """
    running = [_started(kinds) for _ in range(processes)]
    try:
        while running:
            ready = wait([reader.pipe for reader in running], timeout=0.5)
            for place, reader in enumerate([*running]):
                if reader.pipe in ready or reader.late(seconds):
                    outcome = reader.ended(seconds)
                    if outcome is not None:
                        yield outcome
                    if outcome is not None and outcome.what in (CRASH, HANG):
                        reader.stop()
                        running[place] = _started(kinds)
                    else:
                        reader.give(next(inputs, None))
            for reader in [reader for reader in running if reader.done]:
                reader.process.join()
                running.remove(reader)
    finally:
        for reader in running:
            reader.stop()
