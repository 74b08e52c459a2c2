"""A folder takes the place of another: in one step, where the system can."""

import ctypes
import os
from pathlib import Path

from wellgram.files.temporary_names import remove

_HERE = -100
"""AT_FDCWD of Linux: paths are relative to the working folder"""
_EXCHANGE = 2
"""RENAME_EXCHANGE of Linux, and RENAME_SWAP of macOS"""


def replace_folder(folder: Path, path: Path) -> None:
    """Rename a folder to a name that is taken; what had the name is gone, or has the other."""
    if _exchanged(folder, path):
        return
    aside = _aside(path)
    path.replace(aside)
    try:
        folder.replace(path)
    except BaseException:
        aside.replace(path)
        raise
    remove(aside)


def put_back(path: Path) -> None:
    """Undo a replacement that was stopped between its two renames."""
    aside = _aside(path)
    if not aside.exists():
        return
    if path.exists():
        remove(aside)
    else:
        aside.replace(path)


def _aside(path: Path) -> Path:
    return path.with_name(f".wellgram-aside.{path.name}")


def _exchanged(first: Path, second: Path) -> bool:
    """Exchange what two names stand for; False where the system or the disk cannot."""
    library = ctypes.CDLL(None)
    names = os.fsencode(first), os.fsencode(second)
    if hasattr(library, "renameat2"):
        return bool(library.renameat2(_HERE, names[0], _HERE, names[1], _EXCHANGE) == 0)
    if hasattr(library, "renamex_np"):
        return bool(library.renamex_np(*names, _EXCHANGE) == 0)
    return False
