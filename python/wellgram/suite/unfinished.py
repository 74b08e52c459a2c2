"""What an interrupted run has found, kept for the next run of the same inputs and settings."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wellgram.files import replacing
from wellgram.io.places import Place
from wellgram.suite.archive import packed, unpacked
from wellgram.suite.contract import Findings

_FOLDER = "unfinished"


def run_key(settings: Mapping[str, Any], inputs: Iterable[Place]) -> str | None:
    """Return what tells a run from others: its settings, and the sizes and times of its inputs.

    None if an input is not on this machine, so that nobody knows whether it has changed.
    """
    from importlib.metadata import version

    facts: dict[str, Any] = {}
    for path in inputs:
        if not isinstance(path, Path):
            return None
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        facts[str(path.resolve())] = [
            (str(file), file.stat().st_size, file.stat().st_mtime_ns)
            for file in files
            if file.is_file()
        ]
    text = json.dumps([version("wellgram"), settings, facts], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class UnfinishedRun:
    """Findings of the benchmarks of a run that has not ended, in a folder of their own.

    Parameters
    ----------
    out
        The folder of the run's results.
    key
        Of `run_key`: findings that were kept under another are those of another run.
    """

    def __init__(self, out: str | Path, key: str) -> None:
        self._folder, self._key = Path(out) / _FOLDER, key
        self.taken_up: list[str] = []
        """The benchmarks whose findings were there"""

    def load(self, benchmark: str) -> Findings | None:
        """Return the findings of a benchmark; None where there are none of the same run."""
        try:
            kept = unpacked(self._path(benchmark).read_bytes())
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return None  # absent, damaged, or of other classes: the benchmark is run again
        if kept["key"] != self._key or kept["benchmark"] != benchmark:
            return None
        self.taken_up.append(benchmark)
        findings: Findings = kept["findings"]
        return findings

    def save(self, benchmark: str, findings: Findings) -> None:
        """Keep the findings of a benchmark, if they are of a kind that can be kept."""
        try:
            data = packed({"key": self._key, "benchmark": benchmark, "findings": findings})
        except TypeError:  # a benchmark of somebody else's, with a result of its own kind
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with replacing(self._path(benchmark)) as temporary:
            temporary.write_bytes(data)

    def end(self) -> None:
        """Let go of what was kept: the run is done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, benchmark: str) -> Path:
        # The name of a column may be anything; that of a file may not.
        digest = hashlib.blake2b(benchmark.encode(), digest_size=8).hexdigest()
        return self._folder / f"{digest}.npz"
