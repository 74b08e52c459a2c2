"""Files that are the same one under several names: a link, a path through ``..``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wellgram.errors import InputError
from wellgram.io.places import Place, Remote


def check_distinct(sources: Iterable[Any]) -> None:
    """Raise if a file, or a table in memory, is among sources twice, under whatever name.

    Raises
    ------
    InputError
        Naming both.
    """
    names: dict[Any, str] = {}
    for number, source in enumerate(sources, start=1):
        is_file = isinstance(source, Path | Remote)
        name = repr(str(source)) if is_file else f"table {number}"
        identity = _identity(source)
        first = names.get(identity)
        remedy = "its wells would count twice; give it once"
        if first == name:
            raise InputError(f"{name} was given twice; {remedy}")
        if first is not None:
            kind = "file" if is_file else "table"
            raise InputError(f"{first} and {name} are the same {kind}; {remedy}")
        names[identity] = name


def is_among(place: Place, others: Iterable[Place]) -> bool:
    """Whether a file is one of several, under whatever name."""
    return any(_identity(place) == _identity(other) for other in others)


def _identity(source: Any) -> Any:
    """Return what a file shares with itself under other names alone."""
    if isinstance(source, Remote):
        return source.inside
    if not isinstance(source, Path):
        return id(source)
    if not source.exists():
        return str(source)
    facts = source.stat()
    return facts.st_dev, facts.st_ino
