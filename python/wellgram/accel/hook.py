"""Putting stand-ins where the originals are: at import, or later wherever they are bound."""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wellgram.accel.bindings import bind_stand_ins, put_originals_back
from wellgram.accel.libraries_asked_for import asked_libraries
from wellgram.accel.pasted.script_modules import (
    may_hold_copies,
    replace_copies,
    replace_loaded_copies,
)
from wellgram.accel.profiling import logger
from wellgram.accel.registry import ENTRIES, Entry

if TYPE_CHECKING:  # what is imported here is paid for by every script
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_MODULES: dict[str, list[Entry]] = {}
for _entry in ENTRIES:
    _MODULES.setdefault(_entry.module, []).append(_entry)


class _Finder:
    """Finds what other finders find, and accelerates it once it has been executed."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None", target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if name not in _MODULES and not may_hold_copies(name, path):
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            if not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is None or spec.loader is None:
                continue
            if name not in _MODULES:
                replace_copies(spec)
                return spec
            execute = spec.loader.exec_module

            def exec_module(
                module: "ModuleType", execute: "Callable[[ModuleType], None]" = execute
            ) -> None:
                execute(module)
                if _finder in sys.meta_path:
                    _accelerate(module)

            # On the instance: its own class, and all it can be asked, stay what they are.
            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
            return spec
        return None


_finder = _Finder()
_asked: set[str] = set()
"""Libraries that are replaced because a script asked for them"""
_waiting: "list[ModuleType]" = []
"""Modules whose stand-ins are being put in their place, one after another"""


def install(log_level: int | str | None = None, *, also: "Iterable[str]" = ()) -> None:
    """Accelerate what is imported from now on, and what has been imported before.

    Names that a script has bound already (``from x import y``) are bound anew in every module; a
    function that was put elsewhere, in a list or a class, stays as it is. Copies of functions that
    are replaced are replaced too, in modules outside of installed packages.

    Parameters
    ----------
    log_level
        What is told of each call, to stderr: ``"INFO"`` for where it ran, and why.
    also
        Libraries for every kind of work that are replaced only where they are asked for:
        ``"pandas"``, ``"scipy"``, ``"scikit-learn"``, ``"scib-metrics"``. Those that the variable
        ``WELLGRAM_ACCEL_ALSO`` of the environment names, with commas between, come on top.

    Raises
    ------
    InputError
        If ``also`` names a library of which nothing is replaced.
    """
    if log_level is not None:
        import logging

        log = logger()
        if not log.handlers:
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("wellgram.accel: %(message)s"))
            log.addHandler(handler)
        log.setLevel(log_level)
    newly_asked = asked_libraries(also) - _asked
    if _finder in sys.meta_path and not newly_asked:
        return
    _asked.update(newly_asked)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    for name in _MODULES:
        if name in sys.modules:
            _accelerate(sys.modules[name])
    replace_loaded_copies()


def uninstall() -> None:
    """Put all originals back, wherever a stand-in is bound."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    _asked.clear()
    put_originals_back()


@contextmanager
def accelerated(
    log_level: int | str | None = None, *, also: "Iterable[str]" = ()
) -> "Iterator[None]":
    """Accelerate within a block; as before after it."""
    before, asked = _finder in sys.meta_path, set(_asked)
    install(log_level, also=also)
    try:
        yield
    finally:
        if not before or _asked != asked:
            uninstall()
        if before and _finder not in sys.meta_path:
            install(also=asked)


def _accelerate(module: "ModuleType") -> None:
    """Put the stand-ins of a module in their place.

    Making stand-ins imports other modules. Those wait until the stand-ins of this one are made.
    """
    _waiting.append(module)
    if len(_waiting) > 1:
        return
    try:
        for waiting in _waiting:  # to which more may be added meanwhile
            _put_stand_ins(waiting)
    finally:
        _waiting.clear()


def _put_stand_ins(module: "ModuleType") -> None:
    entries = [  # a loader may serve several modules
        entry
        for entry in _MODULES.get(module.__name__, ())
        if not entry.also or entry.library in _asked
    ]
    if entries:
        library = entries[0].library
        versions = {
            version
            for others in _MODULES.values()
            for other in others
            if other.library == library
            for version in other.versions
        }
        bind_stand_ins(module, entries, versions)
