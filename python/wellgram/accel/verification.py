"""Whether two runs of a function agree: numbers by a tolerance, anything else exactly."""

import contextlib
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.errors import InputError

_one_at_a_time = threading.RLock()
"""What is printed, and NumPy's draws, are those of the process: threads compare in turn"""


class Run(NamedTuple):
    """What a run gave, or the error that it raised."""

    result: Any
    printed: str
    seconds: float
    error: Exception | None


class Leaf(NamedTuple):
    """A part of a result: numbers that may differ a little, or something that must be equal."""

    place: str
    exact: Any
    numbers: np.ndarray | None = None


def compare(
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    arguments: Mapping[str, Any],
    tolerance: float,
) -> tuple[Run, Run, str | None]:
    """Run both on the same arguments and draws; return the runs and the first difference.

    Where an argument is float32, numbers may be as far from a run of the original in float64 as its
    own run in float32 is.

    Raises
    ------
    Declined
        If ours does not take the arguments.
    """
    with _one_at_a_time:
        return _compare(ours, theirs, arguments, tolerance)


def _compare(
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    arguments: Mapping[str, Any],
    tolerance: float,
) -> tuple[Run, Run, str | None]:
    draws = np.random.get_state()  # noqa: NPY002  # what the originals draw from
    first = _run(ours, arguments)
    if isinstance(first.error, Declined | InputError):
        raise first.error
    np.random.set_state(draws)  # noqa: NPY002
    second = _run(theirs, arguments)
    if first.error is not None or second.error is not None:
        return first, second, _of_errors(first.error, second.error)
    if first.printed != second.printed:
        return first, second, f"{first.printed!r} was printed instead of {second.printed!r}"
    away = difference(first.result, second.result, tolerance)
    wide = {name: _widened(value) for name, value in arguments.items()}
    if away and any(wide[name] is not arguments[name] for name in wide):
        np.random.set_state(draws)  # noqa: NPY002
        third = _run(theirs, wide)
        if third.error is None:
            away = difference(first.result, second.result, tolerance, third.result)
    return first, second, away


def _run(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Run:
    printed = io.StringIO()
    result, error = None, None
    began = perf_counter()
    with contextlib.redirect_stdout(printed):
        try:
            result = function(**arguments)
        except Exception as raised:  # an error is a result to compare
            error = raised
    return Run(result, printed.getvalue(), perf_counter() - began, error)


def _of_errors(ours: Exception | None, theirs: Exception | None) -> str | None:
    if type(ours) is type(theirs) and str(ours) == str(theirs):
        return None
    return f"{_raised(ours)} instead of {_raised(theirs)}"


def _raised(error: Exception | None) -> str:
    return "a result came" if error is None else f"{type(error).__name__}({error})"


def difference(ours: Any, theirs: Any, tolerance: float, reference: Any = None) -> str | None:
    """Return the first difference of two results, None where there is none.

    Parameters
    ----------
    ours, theirs
        Results: tables, arrays, numbers and texts, in lists, tuples and mappings or alone.
    tolerance
        How far numbers may be apart: absolute for what is below 1, relative above.
    reference
        A more exact result of the original, which numbers are compared with; ``theirs`` if None.
        Ours may be as far from it as theirs is: twice as far in the mean square, as both round at
        random, and four times in the worst number, which is another for each.
    """
    exact = theirs if reference is None else reference
    found, expected, wide = (list(_leaves(value)) for value in (ours, theirs, exact))
    if [leaf.place for leaf in found] != [leaf.place for leaf in expected]:
        return "results are built differently"
    for a, b, c in zip(found, expected, wide, strict=True):
        if a.numbers is None or b.numbers is None or c.numbers is None:
            if not _equal(a.exact, b.exact):
                return f"{a.place} is {a.exact!r} instead of {b.exact!r}"
            continue
        if a.exact != b.exact:
            return f"{a.place} is {a.exact} instead of {b.exact}"
        if (np.isnan(a.numbers) != np.isnan(b.numbers)).any():
            return f"{a.place} is NaN elsewhere"
        infinite = np.isinf(a.numbers) | np.isinf(b.numbers)
        if (a.numbers[infinite] != b.numbers[infinite]).any():
            return f"{a.place} is infinite elsewhere"
        with np.errstate(invalid="ignore"):  # infinite numbers, which are equal
            away, drift = np.abs(a.numbers - c.numbers), np.abs(b.numbers - c.numbers)
        if (away > tolerance * np.maximum(1, np.abs(c.numbers))).any() and (
            reference is None
            or _size(away) > max(tolerance, 2 * _size(drift))
            or np.nanmax(away) > 4 * np.nanmax(drift)
        ):
            return f"{a.place} differs by {np.nanmax(away):.1e}"
    return None


def _size(numbers: np.ndarray) -> float:
    """Return the root mean square."""
    known = numbers[np.isfinite(numbers)]
    return float(np.sqrt(np.square(known).mean())) if known.size else 0.0


def _leaves(value: Any, place: str = "the result") -> Iterator[Leaf]:
    """Take a result apart."""
    yield Leaf(f"the type of {place}", type(value).__name__)
    if isinstance(value, pd.DataFrame):
        yield Leaf(f"the index of {place}", value.index)
        yield Leaf(f"the columns of {place}", value.columns)
        for k in range(value.shape[1]):
            yield from _leaves(value.iloc[:, k].array, f"column {value.columns[k]!r} of {place}")
        yield Leaf(f"the attributes of {place}", value.attrs)
    elif isinstance(value, pd.Series):
        yield Leaf(f"the index of {place}", value.index)
        yield Leaf(f"the name of {place}", value.name)
        yield from _leaves(value.array, place)
    elif isinstance(value, np.ndarray | pd.api.extensions.ExtensionArray):
        if value.dtype.kind == "f":
            shape = (str(value.dtype), value.shape)
            yield Leaf(place, shape, np.asarray(value, np.float64))
        else:
            yield Leaf(place, np.asarray(value))
    elif isinstance(value, float | np.floating):
        yield Leaf(place, type(value).__name__, np.array([value], np.float64))
    elif hasattr(value, "toarray"):  # a sparse matrix
        yield from _leaves(value.toarray(), place)
    elif isinstance(value, Mapping):
        yield Leaf(f"the keys of {place}", list(value))
        for key, part in value.items():
            yield from _leaves(part, f"{key!r} of {place}")
    elif isinstance(value, tuple | list):
        for k, part in enumerate(value):
            yield from _leaves(part, f"part {k} of {place}")
    elif not callable(value):
        yield Leaf(place, value)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, pd.Index):
        return a.identical(b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and bool(_same(a, b))
    return bool(a == b)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype != object:
        return bool((a == b).all())
    return all(_same_part(x, y) for x, y in zip(a.flat, b.flat, strict=True))


def _same_part(a: Any, b: Any) -> bool:
    """Whether parts of an array of objects are equal; missing ones are."""
    if a is b:
        return True
    if isinstance(a, list | tuple | np.ndarray) or isinstance(b, list | tuple | np.ndarray):
        return difference(a, b, 0.0) is None
    return bool(a == b) or bool(a != a and b != b)


def _widened(value: Any) -> Any:
    """Return float32 numbers as float64, and anything else as it is."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype == np.float32 else value
    if isinstance(value, pd.DataFrame):
        narrow = value.select_dtypes(np.float32).columns
        return value.astype(dict.fromkeys(narrow, np.float64)) if len(narrow) else value
    if isinstance(value, dict):
        wide = {key: _widened(part) for key, part in value.items()}
        changed = any(wide[key] is not value[key] for key in value)
        return type(value)(**wide) if changed else value
    return value
