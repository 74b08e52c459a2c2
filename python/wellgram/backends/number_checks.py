"""Whether what is given as a number is one: errors name the parameter and what it should be."""

from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import TypeVar

from wellgram.errors import InputError

_Number = TypeVar("_Number")


def check_whole(number: object, name: str) -> None:
    """Raise unless a number is whole; True and False are no numbers here.

    Raises
    ------
    InputError
        If it is not; the message has the name of the parameter.
    """
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise InputError(f"{name} must be a whole number, not {number!r}")


def check_number(number: object, name: str) -> None:
    """Raise unless something is a number; True and False are none here.

    Raises
    ------
    InputError
        If it is not; the message has the name of the parameter.
    """
    if isinstance(number, bool) or not isinstance(number, Real):
        raise InputError(f"{name} must be a number, not {number!r}")


def checked_numbers(numbers: Iterable[float], name: str) -> list[float]:
    """Return several numbers, or raise unless they are.

    Raises
    ------
    InputError
        Having the name of the parameter.
    """
    return _checked(numbers, name, check_number)


def checked_wholes(numbers: Iterable[int], name: str) -> list[int]:
    """Return several whole numbers, or raise unless they are.

    Raises
    ------
    InputError
        Having the name of the parameter.
    """
    return _checked(numbers, name, check_whole)


def _checked(
    given: Iterable[_Number], name: str, check: Callable[[object, str], None]
) -> list[_Number]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InputError(f"{name} must be several numbers, not {given!r}")
    several = list(given)
    for number in several:
        check(number, f"each of {name}")
    return several
