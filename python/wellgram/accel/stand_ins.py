"""A function that stands in for another: which of the two runs, and what is told of it."""

import functools
import inspect
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from time import perf_counter
from types import FrameType
from typing import Any

from wellgram.accel.declined import Declined, DifferenceError
from wellgram.accel.profiling import Call, record
from wellgram.accel.registry import Entry
from wellgram.errors import InputError

Function = Callable[..., Any]

_plain_runs = 0
"""How many originals run as they are without the accelerator, in whatever thread"""
_lock = threading.Lock()


def stand_in(entry: Entry, original: Function) -> Function:
    """Return what takes the place of the original of an entry.

    Raises
    ------
    Declined
        If the original has parameters that the replacement does not know, or lacks some.
    """
    home, _, name = entry.replacement.partition(":")
    module = import_module(f"{__package__}.{home}")
    domain = getattr(module, entry.domain) if entry.domain else None
    return in_place_of(entry, original, getattr(module, name), domain)


def in_place_of(
    entry: Entry, original: Function, replacement: Function, domain: Function | None = None
) -> Function:
    """Return a function with the name and signature of the original that runs the replacement.

    Raises
    ------
    Declined
        If the two do not have the same parameters.
    """
    signature = inspect.signature(original)
    theirs, ours = list(signature.parameters), list(inspect.signature(replacement).parameters)
    if theirs != ours:
        raise Declined(f"its parameters are ({', '.join(theirs)}), not ({', '.join(ours)})")
    trial = _Trial(entry)

    @functools.wraps(original)
    def accelerated(*args: Any, **kwargs: Any) -> Any:
        if _plain_runs:
            return original(*args, **kwargs)
        caller = _caller(sys._getframe(1))
        began = perf_counter()
        declined, saved, seconds = None, None, None
        try:
            if trial.failed:
                raise Declined(trial.failed)
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:  # which the original raises in its own words
                raise Declined(str(error)) from None
            bound.apply_defaults()
            if domain is not None:
                domain(**bound.arguments)
            if verifying() or trial.due:
                result, saved, seconds = _both(entry, original, replacement, bound.arguments, trial)
                declined = trial.failed or None
            else:
                result = replacement(**bound.arguments)
        except (Declined, InputError) as reason:  # an InputError is how the library declines
            declined = str(reason)
            result = plain(original)(*args, **kwargs)
        except DifferenceError:
            raise
        except Exception as error:
            error.add_note(f"raised in place of {entry.name}, which was called at {caller}")
            raise
        seconds = perf_counter() - began if seconds is None else seconds
        record(Call(entry.name, declined, seconds, saved, caller))
        return result

    return accelerated


def verifying() -> bool:
    """Whether every call is to be compared with the original."""
    return os.environ.get("WELLGRAM_ACCEL_VERIFY", "0") not in ("", "0")


class _Trial:
    """Whether a replacement still has to prove itself, for a version it was not tested with."""

    def __init__(self, entry: Entry):
        from importlib.metadata import PackageNotFoundError, version

        distribution = {"sklearn": "scikit-learn"}.get(entry.library, entry.library)
        try:
            found = version(distribution)
        except PackageNotFoundError:
            found = "unknown"
        self.due = not found.startswith(entry.versions)
        self.failed = ""
        self.version = found


def _both(
    entry: Entry,
    original: Function,
    replacement: Function,
    arguments: dict[str, Any],
    trial: _Trial,
) -> tuple[Any, float | None, float]:
    """Run both; return our result, how much longer the original took, and the seconds of ours.

    Raises
    ------
    DifferenceError
        If they differ; on a trial the result is that of the original then.
    """
    from wellgram.accel.verification import compare

    ours, theirs, difference = compare(replacement, plain(original), arguments, entry.tolerance)
    if difference and verifying():
        raise DifferenceError(f"{entry.name} and what stands in for it differ: {difference}")
    trial.due = False
    if difference:
        trial.failed = f"with version {trial.version} it differs: {difference}"
        print(theirs.printed, end="")
        return theirs.result, None, theirs.seconds
    print(ours.printed, end="")
    return ours.result, theirs.seconds - ours.seconds, ours.seconds


def plain(function: Function) -> Function:
    """Return the function as it runs without the accelerator, whatever it calls itself.

    Originals have threads of their own, so the calls of all threads are left alone meanwhile.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        _count_plain(1)
        try:
            return function(*args, **kwargs)
        finally:
            _count_plain(-1)

    return run


def _count_plain(by: int) -> None:
    global _plain_runs
    with _lock:
        _plain_runs += by


def _caller(frame: FrameType | None) -> str:
    """Return the file and line that a call comes from, beyond this package and decorators."""
    here = os.path.dirname(__file__)
    while frame is not None and frame.f_code.co_filename.startswith(here):
        frame = frame.f_back
    return "?" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
