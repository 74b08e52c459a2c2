"""Files of a user's own, outside of installed packages: copies of known functions may be there.

This module is imported before any script runs, so it imports nothing that costs time.
"""

import sys
from typing import TYPE_CHECKING

from wellgram.accel.registry import ENTRIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType

_INSTALLED = ("site-packages", "dist-packages")
_ORIGINALS = {entry.module for entry in ENTRIES}


def may_hold_copies(name: str, path: "Sequence[str] | None") -> bool:
    """Whether a module that is looked for in some folders may be a user's own."""
    library = name.partition(".")[0]
    if name in _ORIGINALS or library in sys.stdlib_module_names or library == "wellgram":
        return False
    return path is None or not any(map(_is_installed, path))


def replace_copies(spec: "ModuleSpec") -> None:
    """Let copies be replaced as a module is executed, if it is a user's own and has some."""
    from importlib.machinery import SourceFileLoader

    loader = spec.loader
    if type(loader) is not SourceFileLoader or _is_installed(loader.path):
        return
    code = code_with_copies(loader.path)
    if code is not None:
        # On the instance, and in memory: a file of compiled code that is there stays what it is.
        loader.get_code = lambda fullname: code  # type: ignore[method-assign]


def replace_loaded_copies() -> None:
    """Replace the copies in modules that were executed before."""
    from wellgram.accel.pasted.known_functions import KNOWN

    known = {entry.name for entry in KNOWN}
    for name, module in list(sys.modules.items()):
        names = getattr(module, "__dict__", {})
        files = [getattr(module, "__file__", None) or ""]
        if not names.keys().isdisjoint(known) and may_hold_copies(name, files):
            from wellgram.accel.pasted.pasted_functions import replace_loaded

            replace_loaded(module)


def code_with_copies(path: str) -> "CodeType | None":
    """Return the code of a source file with its copies replaced; None where it has none."""
    from wellgram.accel.pasted.known_functions import KNOWN

    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError:
        return None
    if not any(b"def %s(" % known.name.encode() in source for known in KNOWN):
        return None
    from wellgram.accel.pasted.pasted_functions import marked_code

    return marked_code(source, path)


def _is_installed(path: object) -> bool:
    return any(folder in str(path) for folder in _INSTALLED)
