"""Stand-ins are bound where originals were, and originals are put back."""

import sys
from typing import TYPE_CHECKING, Any

from wellgram.accel.declined import Declined
from wellgram.accel.profiling import forget_refusals, refuse
from wellgram.accel.registry import Entry

if TYPE_CHECKING:  # what is imported here is paid for by every script
    from collections.abc import Mapping, Sequence, Set
    from types import ModuleType

_replaced: dict[int, tuple[Any, Any]] = {}
"""By the id of a stand-in: itself and the original"""
_methods: list[tuple[type, str, Any]] = []
"""Classes whose methods were replaced, with their names and originals"""


def bind_stand_ins(
    module: "ModuleType", entries: "Sequence[Entry]", tested_versions: "Set[str]"
) -> None:
    """Put stand-ins in their place in a module, and wherever else the originals are bound.

    Versions are those that any function of the library was tested with.
    """
    new: dict[int, tuple[Any, Any]] = {}
    for entry in entries:
        holder, name = _holder(module, entry)
        original = None if holder is None else vars(holder).get(name)
        if original is not None and id(original) in _replaced:
            continue  # it was imported twice
        accelerated = _stand_in(entry, original, tested_versions)
        if accelerated is None:
            continue
        remember(accelerated, original)
        if isinstance(holder, type):
            _methods.append((holder, name, original))
            setattr(holder, name, accelerated)
        else:
            new[id(original)] = (original, accelerated)
    bind_anew(new)


def remember(stand_in: Any, original: Any) -> None:
    """Keep what a stand-in is put in the place of, so that it can be put back."""
    _replaced[id(stand_in)] = (stand_in, original)


def bind_anew(new: "Mapping[int, tuple[Any, Any]]") -> None:
    """Bind other values to the names of all modules that are bound to some, by their ids."""
    if not new:
        return
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        for name, value in list(names.items()):
            found = new.get(id(value))
            if found is not None and found[0] is value:
                names[name] = found[1]


def put_originals_back() -> None:
    """Bind all originals again, wherever a stand-in is bound."""
    for holder, name, original in _methods:
        setattr(holder, name, original)
    _methods.clear()
    bind_anew(_replaced)
    _replaced.clear()
    forget_refusals()


def _holder(module: "ModuleType", entry: Entry) -> tuple[Any, str]:
    """Return the module or the class that has an original, None if there is none, and its name."""
    *path, name = entry.function.split(".")
    holder: Any = module
    for part in path:
        holder = None if holder is None else vars(holder).get(part)
    return holder, name


def _stand_in(entry: Entry, original: Any, tested_versions: "Set[str]") -> Any:
    """Return what takes the place of an original; None where nothing does, for a reason kept."""
    from wellgram.accel.releases import version_of
    from wellgram.accel.stand_ins import stand_in

    version = version_of(entry.library)
    if original is None:
        # A version that other functions were tested with is known to lack this one.
        if entry.versions and version not in tested_versions:
            refuse(entry.name, f"version {version} of {entry.library} has no such function")
        return None
    try:
        return stand_in(entry, original)
    except Declined as reason:
        refuse(entry.name, f"in version {version} of {entry.library}, {reason}")
        return None
