"""The shape of a function's source: what is equal in a copy of it that computes the same.

Comments, docstrings, annotations, defaults, names of locals and the spelling of imports are left
out. Names that the function takes from its module are listed, so that what they mean there can be
looked up.
"""

import ast
import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

_LEFT_OUT = {"annotation", "returns", "type_comment", "ctx", "kind", "type_params"}
_UNREADABLE = (ast.Global, ast.Nonlocal, ast.ClassDef, ast.Match, ast.Await)
_SEES_NAMES = {"locals", "vars", "eval", "exec", "dir", "globals", "duckdb"}
"""What may see how locals are called"""


class Shape(NamedTuple):
    """What a function is, whatever its locals are called."""

    digest: str
    """Of its parameters and its body"""
    defaults: str
    """Of the defaults of its parameters"""
    names: tuple[str, ...]
    """Names of its module and of Python that it uses, in the order of their first use"""
    imports: dict[str, str]
    """Names among them that it imports itself, and the dotted paths that they are imported from"""


def shape_of(function: ast.FunctionDef) -> Shape | None:
    """Return the shape of a function, None where its names cannot be told apart for certain."""
    if function.decorator_list or getattr(function, "type_params", None):
        return None
    body = _Body(function)
    if not body.readable:
        return None
    text = [_signature(function.args), *(body.written(part) for part in body.statements)]
    defaults = [*function.args.defaults, *function.args.kw_defaults]
    return Shape(
        _digest("\n".join(text)),
        _digest("\n".join("" if value is None else ast.unparse(value) for value in defaults)),
        tuple(body.free),
        body.imports,
    )


def imported_names(statement: ast.stmt) -> dict[str, str] | None:
    """Return the names that an import binds, with dotted paths; None where they are not known."""
    if isinstance(statement, ast.ImportFrom):
        if statement.level or statement.module is None:
            return None
        return {a.asname or a.name: f"{statement.module}.{a.name}" for a in statement.names}
    if isinstance(statement, ast.Import):
        if any(a.asname is None and "." in a.name for a in statement.names):
            return None
        return {a.asname or a.name: a.name for a in statement.names}
    return {}


class _Body:
    """The body of a function, whose names are written by what they are."""

    def __init__(self, function: ast.FunctionDef):
        self.free: list[str] = []
        self.imports: dict[str, str] = {}
        self.readable = True
        self.statements: list[ast.stmt] = []
        for statement in function.body:
            names = imported_names(statement)
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self.readable &= names is not None and not self.imports.keys() & names.keys()
                self.imports.update(names or {})
            elif not _is_text(statement):
                self.statements.append(statement)
        nodes = [node for statement in self.statements for node in ast.walk(statement)]
        self._kept = {argument.arg for argument in _arguments(function.args)}
        self._kept |= {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}
        self._bound = {name for node in nodes for name in _bound_by(node)}
        self._numbers: dict[str, int] = {}
        loaded = {node.id for node in nodes if isinstance(node, ast.Name)}
        texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        if (
            any(isinstance(node, _UNREADABLE) or _is_unreadable(node) for node in nodes)
            or self.imports.keys() & (self._bound | self._kept)
            or loaded & _SEES_NAMES
            or any("@" in text for text in texts)  # which pandas reads as the name of a local
        ):
            self.readable = False

    def written(self, node: Any) -> str:
        """Return a node as text that is equal for equal code, in any version of Python."""
        if isinstance(node, list):
            return "[" + ",".join(self.written(part) for part in node if not _is_text(part)) + "]"
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Constant):
            return f"{type(node.value).__name__}:{node.value!r}"
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            node = ast.Assign([node.target], node.value)
        if not isinstance(node, ast.AST):
            return repr(node)
        parts = []
        for field, value in ast.iter_fields(node):
            if field in _LEFT_OUT or value is None or value == []:
                continue
            is_name = isinstance(value, str) and value in _bound_by(node)
            parts.append(f"{field}={self._name(value) if is_name else self.written(value)}")
        return f"{type(node).__name__}({','.join(parts)})"

    def _name(self, name: str) -> str:
        if name in self._kept:
            return f"kept {name}"
        if name in self._bound:
            return f"local {self._numbers.setdefault(name, len(self._numbers))}"
        if name not in self.free:
            self.free.append(name)
        return f"free {self.free.index(name)}"


def _signature(arguments: ast.arguments) -> str:
    """Return the names and kinds of parameters."""
    kinds = [
        [argument.arg for argument in some]
        for some in (arguments.posonlyargs, arguments.args, arguments.kwonlyargs)
    ]
    starred = [None if some is None else some.arg for some in (arguments.vararg, arguments.kwarg)]
    return repr((kinds, starred))


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (some for some in (arguments.vararg, arguments.kwarg) if some is not None)


def _bound_by(node: ast.AST) -> set[str]:
    """Return the names that a node binds, those below it left aside."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Load) else {node.id}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.ExceptHandler):
        return {node.name} if node.name else set()
    return {node.arg} if isinstance(node, ast.arg) else set()


def _is_unreadable(node: ast.AST) -> bool:
    if isinstance(node, ast.AnnAssign):
        return node.value is None or not isinstance(node.target, ast.Name)
    return isinstance(node, ast.Import | ast.ImportFrom)  # below the statements of the body


def _is_text(part: Any) -> bool:
    """Whether a statement is a docstring or another bare text."""
    return (
        isinstance(part, ast.Expr)
        and isinstance(part.value, ast.Constant)
        and isinstance(part.value.value, str)
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
