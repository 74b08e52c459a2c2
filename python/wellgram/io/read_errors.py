"""What goes wrong while something is read, and a package that reading needs but is not there."""

from importlib import import_module
from typing import Any

import pyarrow as pa

from wellgram.errors import InputError, MissingPackage


class reading:  # noqa: N801 - reads as a phrase: with reading(what)
    """Turns what a library says of a damaged file into an error that names the file."""

    def __init__(self, what: str, *also: type[Exception]) -> None:
        self.what = what
        # Names that are not UTF-8 come of damage too.
        self.kinds = (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, *also)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if problem is None or isinstance(problem, InputError):
            return
        if not isinstance(problem, self.kinds):
            return
        said = first_line(problem)
        if "encrypted" in said or "password" in said:
            remedy = "give it without a password"
        elif "checksum" in said or "CRC-32" in said:
            remedy = "the file is damaged or truncated; copy it again, or write it anew"
        else:
            remedy = "the file may be truncated or of another format than its name says"
        raise InputError(f"cannot read {self.what}: {said}; {remedy}") from problem


def first_line(problem: BaseException) -> str:
    """Return what an exception says, on one line that can be printed."""
    lines = str(problem).splitlines() or [type(problem).__name__]
    # Of a file in another format, libraries quote what they found there: binary, often.
    return "".join(c if c.isprintable() else "?" for c in lines[0]).rstrip(".")


def needed(module: str, extra: str, what: str) -> Any:
    """Return a package that is optional; raise, naming how to install it, if it is not there."""
    try:
        return import_module(module)
    except ImportError as problem:
        raise MissingPackage(
            f"{what} needs the package {module!r} ({first_line(problem)}): "
            f"pip install 'wellgram[{extra}]'"
        ) from problem
