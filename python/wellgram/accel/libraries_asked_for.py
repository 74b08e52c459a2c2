"""Libraries for every kind of work: replaced only where a script asks for them."""

import os
from typing import TYPE_CHECKING

from wellgram.accel.registry import ENTRIES

if TYPE_CHECKING:  # what is imported here is paid for by every script
    from collections.abc import Iterable


def asked_libraries(also: "Iterable[str]") -> set[str]:
    """Return the packages that are to be replaced beside those that always are."""
    names = [also] if isinstance(also, str) else list(also)
    names += os.environ.get("WELLGRAM_ACCEL_ALSO", "").split(",")
    libraries = {}
    for entry in ENTRIES:
        if entry.also:
            libraries[_spelled(entry.library)] = entry.library
    asked = {_spelled(name) for name in names if name.strip()}
    unknown = sorted(asked - set(libraries))
    if unknown:
        from wellgram.errors import InputError

        raise InputError(
            f"{unknown[0]!r} has no functions that are replaced where they are asked for; "
            f"name some of {', '.join(sorted(libraries))}"
        )
    return {libraries[name] for name in asked}


def _spelled(name: str) -> str:
    """Return the name of a package as one spelling of it."""
    name = name.strip().lower().replace("_", "-")
    return "scikit-learn" if name == "sklearn" else name
