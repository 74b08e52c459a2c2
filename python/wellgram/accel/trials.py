"""Both run and are compared: when a user verifies, and for a version that was not tested."""

import os
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from wellgram.accel.argument_patterns import argument_pattern
from wellgram.accel.declined import Declined, DifferenceError
from wellgram.accel.registry import Entry
from wellgram.accel.releases import version_of

Function = Callable[..., Any]

_comparisons = 0
"""How many comparisons run, in whatever thread"""
_lock = threading.Lock()


def verifying() -> bool:
    """Whether every call is to be compared with the original."""
    return os.environ.get("WELLGRAM_ACCEL_VERIFY", "0") not in ("", "0")


def comparing() -> bool:
    """Whether results are being compared: what was kept of one side must not serve the other."""
    return _comparisons > 0


class Outcome(NamedTuple):
    """What comes of a call."""

    result: Any = None
    error: Exception | None = None
    """What the original raised where both ran"""
    declined: str | None = None
    """Why the result is the original's"""
    saved: float | None = None
    """How many seconds longer the original took, where both ran"""
    seconds: float | None = None
    """How long the one took whose result it is, where both ran"""


class Trial:
    """Whether a replacement still has to prove itself, for a version it was not tested with.

    An agreement holds for the pattern of arguments that was tried. After a difference the original
    serves.
    """

    def __init__(self, entry: Entry):
        self.version = version_of(entry.library)
        self.tested = self.version in entry.versions
        self.difference = ""
        self._agreed: set[Hashable] = set()

    def due(self, arguments: Mapping[str, Any]) -> Hashable | None:
        """Return the pattern that is to be tried; None where ours is trusted.

        Raises
        ------
        Declined
            If a trial has failed.
        """
        if self.tested:
            return None
        if self.difference:
            raise Declined(self.difference)
        pattern = argument_pattern(arguments)
        return None if pattern in self._agreed else pattern

    def settle(self, pattern: Hashable | None, difference: str | None) -> None:
        """Keep what came of a trial."""
        if difference:
            self.difference = f"with version {self.version} it differs: {difference}"
        elif pattern is not None:
            self._agreed.add(pattern)


def run_both(
    entry: Entry,
    original: Function,
    replacement: Function,
    arguments: Mapping[str, Any],
    pattern: Hashable | None,
    trial: Trial,
) -> Outcome:
    """Run both; on a trial the result is the original's where they differ.

    Raises
    ------
    DifferenceError
        If they differ while a user verifies.
    """
    from wellgram.accel.verification import compare

    with _compared():
        ours, theirs, difference = compare(replacement, original, arguments, entry.tolerance)
    if difference and verifying():
        raise DifferenceError(f"{entry.name} and what stands in for it differ: {difference}")
    trial.settle(pattern, difference)
    shown = theirs if difference or theirs.error else ours
    print(shown.printed, end="")
    if difference:
        return Outcome(theirs.result, theirs.error, trial.difference, None, theirs.seconds)
    return Outcome(ours.result, theirs.error, None, theirs.seconds - ours.seconds, ours.seconds)


@contextmanager
def _compared() -> Iterator[None]:
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(by: int) -> None:
    global _comparisons
    with _lock:
        _comparisons += by
