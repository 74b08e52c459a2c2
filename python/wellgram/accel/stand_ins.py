"""A function that stands in for another: which of the two runs, and what is told of it."""

import functools
import inspect
import os
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from time import perf_counter
from types import FrameType
from typing import Any

from wellgram.accel.declined import Declined, DifferenceError
from wellgram.accel.profiling import Call, record
from wellgram.accel.registry import Entry
from wellgram.accel.trials import Outcome, Trial, run_both, verifying
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
    return in_place_of(entry, original, *replacement_of(entry))


def replacement_of(entry: Entry) -> tuple[Function, Function | None]:
    """Return the replacement of an entry, and the check of its domain if it has one."""
    home, _, name = entry.replacement.partition(":")
    module = import_module(f"{__package__}.{home}")
    return getattr(module, name), getattr(module, entry.domain) if entry.domain else None


def in_place_of(
    entry: Entry, original: Function, replacement: Function, domain: Function | None = None
) -> Function:
    """Return a function with the name and signature of the original that runs the replacement.

    Raises
    ------
    Declined
        If the original has parameters that the replacement does not know, or lacks some.
    """
    signature = inspect.signature(original)
    _check_parameters(signature, inspect.signature(replacement))
    trial = Trial(entry)
    by_name = _by_name(plain(original), signature)

    def attempt(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Outcome:
        arguments = _bound(signature, args, kwargs)
        if domain is not None:
            domain(**arguments)
        pattern = trial.due(arguments)
        if pattern is None and not verifying():
            return Outcome(replacement(**arguments))
        return run_both(entry, by_name, replacement, arguments, pattern, trial)

    @functools.wraps(original)
    def accelerated(*args: Any, **kwargs: Any) -> Any:
        if _plain_runs:
            return original(*args, **kwargs)
        caller = _caller(sys._getframe(1))
        began = perf_counter()
        reason = None
        try:
            outcome = attempt(args, kwargs)
        except (Declined, InputError) as declined:  # an InputError is how the library declines
            reason = str(declined)
        except DifferenceError:
            raise
        except Exception as error:
            error.add_note(f"raised in place of {entry.name}, which was called at {caller}")
            raise
        if reason is not None:  # out of the handler, so that an error is the original's alone
            outcome = _of_original(original, args, kwargs, reason)
        seconds = perf_counter() - began if outcome.seconds is None else outcome.seconds
        record(Call(entry.name, outcome.declined, seconds, outcome.saved, caller))
        if outcome.error is not None:
            raise outcome.error
        return outcome.result

    return accelerated


def _of_original(
    original: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any], reason: str
) -> Outcome:
    """Run the whole original; an error is kept until the call has been told of."""
    try:
        return Outcome(plain(original)(*args, **kwargs), declined=reason)
    except Exception as error:  # whatever it is, the caller gets it
        return Outcome(error=error, declined=reason)


def _check_parameters(theirs: inspect.Signature, ours: inspect.Signature) -> None:
    """Decline unless ours knows all parameters, and has defaults for those that theirs lacks."""
    unknown = [name for name in theirs.parameters if name not in ours.parameters]
    if unknown:
        raise Declined(f"what its parameters {', '.join(unknown)} do is not known")
    lacking = [
        name
        for name, parameter in ours.parameters.items()
        if name not in theirs.parameters and parameter.default is parameter.empty
    ]
    if lacking:
        raise Declined(f"it has no parameters {', '.join(lacking)}")


def _bound(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments by name, with defaults."""
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:  # which the original raises in its own words
        raise Declined(str(error)) from None
    bound.apply_defaults()
    return bound.arguments


def _by_name(function: Function, signature: inspect.Signature) -> Function:
    """Return the function as one that takes its arguments by name, starred ones too."""

    @functools.wraps(function)
    def call(**arguments: Any) -> Any:
        bound = inspect.BoundArguments(signature, arguments)
        return function(*bound.args, **bound.kwargs)

    return call


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
