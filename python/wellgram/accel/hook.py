"""Putting stand-ins where the originals are: at import, or later wherever they are bound."""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wellgram.accel.declined import Declined
from wellgram.accel.profiling import logger
from wellgram.accel.registry import ENTRIES, Entry

if TYPE_CHECKING:  # what is imported here is paid for by every script
    from collections.abc import Callable, Iterator, Sequence
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
        if name not in _MODULES:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is None or spec.loader is None:
                continue
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
_replaced: dict[int, tuple[Any, Any]] = {}
"""By the id of a stand-in: itself and the original"""


def install(log_level: int | str | None = None) -> None:
    """Accelerate what is imported from now on, and what has been imported before.

    Names that a script has bound already (``from x import y``) are bound anew in every module; a
    function that was put elsewhere, in a list or a class, stays as it is.

    Parameters
    ----------
    log_level
        What is told of each call, to stderr: ``"INFO"`` for where it ran, and why.
    """
    if log_level is not None:
        import logging

        log = logger()
        if not log.handlers:
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("wellgram.accel: %(message)s"))
            log.addHandler(handler)
        log.setLevel(log_level)
    if _finder in sys.meta_path:
        return
    sys.meta_path.insert(0, _finder)
    for name in _MODULES:
        if name in sys.modules:
            _accelerate(sys.modules[name])


def uninstall() -> None:
    """Put all originals back, wherever a stand-in is bound."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    _bind(_replaced)
    _replaced.clear()


@contextmanager
def accelerated(log_level: int | str | None = None) -> "Iterator[None]":
    """Accelerate within a block; as before after it."""
    before = _finder in sys.meta_path
    install(log_level)
    try:
        yield
    finally:
        if not before:
            uninstall()


def _accelerate(module: "ModuleType") -> None:
    """Put the stand-ins of a module in their place, and wherever else the originals are bound."""
    from wellgram.accel.stand_ins import stand_in

    new: dict[int, tuple[Any, Any]] = {}
    for entry in _MODULES.get(module.__name__, ()):  # a loader may serve several modules
        original = vars(module).get(entry.function)
        if original is None or id(original) in _replaced:
            continue  # this version does not have it, or it was imported twice
        try:
            accelerated = stand_in(entry, original)
        except Declined as reason:
            logger().info("%s stays as it is: %s", entry.name, reason)
            continue
        new[id(original)] = (original, accelerated)
        _replaced[id(accelerated)] = (accelerated, original)
    _bind(new)


def _bind(new: dict[int, tuple[Any, Any]]) -> None:
    """Bind other values to the names of all modules that are bound to some."""
    if not new:
        return
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        for name, value in list(names.items()):
            found = new.get(id(value))
            if found is not None and found[0] is value:
                names[name] = found[1]
