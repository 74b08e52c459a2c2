"""Copies of functions that are replaced, pasted into scripts: replaced as they are defined.

A copy is known by its name and its shape (`function_shapes`). Its definition gets a decorator
before it is compiled; lines stay where they are, and nothing is written. Each call then looks up
what the names that the copy uses mean in its module. Where one means something else than in the
original, or a function beside it is no copy of the original's, the copy runs as it is.
"""

import ast
import builtins
import functools
import linecache
import sys
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from wellgram.accel.bindings import bind_anew, remember
from wellgram.accel.declined import Declined
from wellgram.accel.pasted.function_shapes import shape_of
from wellgram.accel.pasted.known import Known
from wellgram.accel.pasted.known_functions import KNOWN
from wellgram.accel.registry import ENTRIES, Entry

Function = Callable[..., Any]

_BY_NAME: dict[str, list[Known]] = {}
for _known in KNOWN:
    _BY_NAME.setdefault(_known.name, []).append(_known)
_ALONE = {"efaar_benchmarking"}
"""Libraries whose functions are replaced without anything of the library"""


class Copy(NamedTuple):
    """Which function of the table a function is a copy of."""

    known: int
    """Its place in the table"""
    names: tuple[str, ...]
    """The names of its module that it uses, in the order of their meanings; empty where it imports
    the same itself"""
    has_defaults: bool
    """Whether its defaults are those of the original"""


def marked_code(source: bytes, path: str) -> CodeType | None:
    """Return the code of a module in which copies are replaced; None where there is none."""
    try:
        tree = ast.parse(source, path)
        if not mark(tree):
            return None
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
    except Exception:  # in doubt it is left alone; Python says what is wrong with it
        return None
    return code


def mark(tree: ast.Module) -> bool:
    """Decorate the definitions of copies in a module; return whether there are any."""
    marked = False
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name in _BY_NAME:
            copy = copy_of(statement)
            if copy is not None:
                decorator = ast.parse(
                    f"__import__({__name__!r}, None, None, ['pasted']).pasted{tuple(copy)!r}",
                    mode="eval",
                ).body
                for node in ast.walk(decorator):
                    ast.copy_location(node, statement)
                statement.decorator_list.append(decorator)
                marked = True
    return marked


def copy_of(definition: ast.FunctionDef) -> Copy | None:
    """Return what a definition is a copy of, None where it is not known."""
    shape = shape_of(definition)
    if shape is None:
        return None
    for place, known in enumerate(KNOWN):
        if known.name != definition.name or known.digest != shape.digest:
            continue
        meanings = dict(zip(shape.names, known.meanings, strict=True))
        if all(meanings.get(name) == path for name, path in shape.imports.items()):
            names = tuple("" if name in shape.imports else name for name in shape.names)
            return Copy(place, names, shape.defaults == known.defaults)
    return None


_copies: dict[FunctionType, tuple[FunctionType, Copy]] = {}
"""By what a name is bound to: the function as it was written, and what it is a copy of"""
_stand_ins: dict[FunctionType, Function] = {}
"""By the function as it was written: what takes its place, made when it is first called"""


def pasted(known: int, names: tuple[str, ...], has_defaults: bool) -> Function:
    """Return the decorator of a copy."""
    return functools.partial(replaced, copy=Copy(known, names, has_defaults))


def replaced(function: Any, copy: Copy) -> Any:
    """Return what takes the place of a copy: itself, where it is but called by others."""
    if not isinstance(function, FunctionType):
        return function
    if _entry(KNOWN[copy.known]) is None:
        _copies[function] = function, copy
        return function

    # Its closure holds what can be pickled by value, as functions of `__main__` are for workers.
    @functools.wraps(function)
    def accelerated(*args: Any, **kwargs: Any) -> Any:
        return call_copy(function, copy, args, kwargs)

    _copies[accelerated] = function, copy  # type: ignore[index]
    remember(accelerated, function)
    return accelerated


def call_copy(
    function: FunctionType, copy: Copy, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call what takes the place of a copy."""
    stand_in = _stand_ins.get(function)
    if stand_in is None:
        stand_in = _stand_ins[function] = _stand_in(function, copy)
    return stand_in(*args, **kwargs)


def _stand_in(function: FunctionType, copy: Copy) -> Function:
    from wellgram.accel.releases import version_of
    from wellgram.accel.stand_ins import in_place_of, replacement_of

    known = KNOWN[copy.known]
    entry = _entry(known)
    assert entry is not None
    replacement, domain = replacement_of(entry)

    def check(**arguments: Any) -> None:
        _check_meanings(function, copy)
        if domain is not None:
            domain(**arguments)

    @functools.wraps(replacement)
    def run(**arguments: Any) -> Any:
        try:
            return replacement(**arguments)
        except ImportError as error:  # of the library, which a copy can do without
            raise Declined(str(error)) from None

    module = function.__module__
    named = entry._replace(
        target=f"{module}:{function.__name__} (copy of {known.library} {_version(known)})",
        # It has the code of a release that was tested, so nothing is on trial.
        versions=(version_of(module.partition(".")[0]),),
    )
    try:
        return in_place_of(named, function, run, check)
    except Declined:
        return function


def _entry(known: Known) -> Entry | None:
    """Return the entry of a function, None for one that is not replaced."""
    return next((entry for entry in ENTRIES if entry.name == known.path), None)


@functools.cache
def _version(known: Known) -> str:
    """Return the version that a copy is of: the installed one, or the newest."""
    from wellgram.accel.releases import version_of

    version = version_of(known.library)
    return version if version in known.versions else known.versions[-1]


def _check_meanings(function: FunctionType, copy: Copy) -> None:
    """Decline where a name of a copy means something else than in the original."""
    known = KNOWN[copy.known]
    other = _other_release(known)
    if other:
        raise Declined(other)
    space = function.__globals__
    for name, path in zip(copy.names, known.meanings, strict=True):
        if name and not _means(space.get(name, vars(builtins).get(name)), path):
            raise Declined(f"{name} is not {path} there")


@functools.cache
def _other_release(known: Known) -> str:
    """Return what is wrong with the release of the library that is installed, if anything is."""
    from wellgram.accel.releases import version_of

    version = version_of(known.library)
    if version in known.versions or (version == "unknown" and known.library in _ALONE):
        return ""
    return f"it is a copy of {known.library} {known.versions[-1]}; version {version} is installed"


def _means(value: Any, path: str) -> bool:
    """Whether a value is what a dotted path stands for, or a copy of that function."""
    if value is None:
        return False
    if isinstance(value, FunctionType) and value in _copies:
        function, copy = _copies[value]
        known = KNOWN[copy.known]
        if known.path != path or not copy.has_defaults:
            return False
        try:
            _check_meanings(function, copy)
        except Declined:
            return False
        return True
    named = _named(path)
    if named is None:
        return False
    return value is named or value is getattr(named, "__wrapped__", named)


def _named(path: str) -> Any:
    """Return what a dotted path stands for among the modules that are imported, or None."""
    if path in sys.modules:
        return sys.modules[path]
    home, _, name = path.rpartition(".")
    return getattr(sys.modules.get(home), name, None)


def replace_loaded(module: ModuleType) -> None:
    """Replace the copies in a module that was executed before, wherever they are bound."""
    new: dict[int, tuple[Any, Any]] = {}
    for name in _BY_NAME.keys() & vars(module).keys():
        function = vars(module)[name]
        if type(function) is FunctionType and function not in _copies:
            copy = _copy_from_source(function)
            if copy is not None:
                new[id(function)] = (function, replaced(function, copy))
    bind_anew(new)


def _copy_from_source(function: FunctionType) -> Copy | None:
    """Return what a function is a copy of, by its source; None where that is not what runs."""
    code = function.__code__
    try:
        text = "".join(linecache.getlines(code.co_filename, function.__globals__))
        tree = ast.parse(text)
        compiled = compile(tree, code.co_filename, "exec", dont_inherit=True)
    except Exception:
        return None
    if code not in compiled.co_consts:
        return None
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.lineno == code.co_firstlineno:
            return copy_of(statement)
    return None
