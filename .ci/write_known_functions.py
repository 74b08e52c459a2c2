"""Write the table of functions that copies are known by: ``accel/pasted/known_functions.py``.

Run ``python .ci/write_known_functions.py [FOLDER ...]``, then ``ruff format``. Each folder holds
releases as ``pip install --target`` leaves them; without one, those that are installed are read.
Sources are read and never imported. ``--check`` writes nothing, and fails where a function that
was read is not in the table.
"""

import argparse
import ast
import dis
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from types import CodeType

from wellgram.accel.pasted.function_shapes import Shape, imported_names, shape_of
from wellgram.accel.registry import ENTRIES

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "python/wellgram/accel/pasted/known_functions.py"
HEADER = '''"""Functions that copies are known by; ``.ci/write_known_functions.py`` writes this."""

from wellgram.accel.pasted.known import Known

'''

Row = tuple[str, str, str, tuple[str, ...]]


def targets() -> set[str]:
    """Return the dotted paths of functions that are replaced, methods left aside."""
    return {e.name for e in ENTRIES if "." not in e.function and not e.also}


class Sources:
    """The sources of one release."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._modules: dict[str, ast.Module | None] = {}

    def rows(self, paths: set[str]) -> Iterator[Row]:
        """Describe functions, and those of the same library that they call, and so on."""
        waiting, seen = sorted(paths), set(paths)
        while waiting:
            path = waiting.pop()
            row = self._row(path)
            if row is None:
                continue
            yield row
            library = path.partition(".")[0]
            called = {name for name in row[3] if name.partition(".")[0] == library} - seen
            seen |= called
            waiting += sorted(called)

    def _row(self, path: str) -> Row | None:
        module_name, _, name = path.rpartition(".")
        module = self._module(module_name)
        if module is None:
            return None
        same = [s for s in module.body if isinstance(s, ast.FunctionDef) and s.name == name]
        if len(same) != 1:
            return None
        shape = shape_of(same[0])
        if shape is None or _mixes_scopes(same[0], shape):
            return None
        meanings = self._meanings(module_name, module)
        return (
            path,
            shape.digest,
            shape.defaults,
            tuple(
                shape.imports.get(free) or meanings.get(free) or f"builtins.{free}"
                for free in shape.names
            ),
        )

    def _module(self, name: str) -> ast.Module | None:
        if name not in self._modules:
            path = self._folder.joinpath(*name.split("."))
            path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            self._modules[name] = ast.parse(path.read_bytes()) if path.is_file() else None
        return self._modules[name]

    def _meanings(self, module_name: str, module: ast.Module) -> dict[str, str]:
        """Return what each name of a module stands for, as a dotted path."""
        meanings: dict[str, str] = {}
        for statement in module.body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                meanings[statement.name] = f"{module_name}.{statement.name}"
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        meanings[target.id] = f"{module_name}.{target.id}"
            else:
                meanings |= imported_names(_absolute(statement, module_name)) or {}
        return meanings


def _absolute(statement: ast.stmt, module_name: str) -> ast.stmt:
    """Return an import that begins with dots as one that does not."""
    if not isinstance(statement, ast.ImportFrom) or not statement.level:
        return statement
    parents = module_name.split(".")[: -statement.level]
    parents += [statement.module] if statement.module else []
    return ast.ImportFrom(".".join(parents), statement.names, 0)


def _mixes_scopes(function: ast.FunctionDef, shape: Shape) -> bool:
    """Whether a name is a local in one place and one of the module in another."""
    code = compile(ast.Module([function], []), "source", "exec")
    (body,) = (c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == function.name)
    return not _globals_of(body) <= set(shape.names)


def _globals_of(code: CodeType) -> set[str]:
    names = {
        i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return names.union(*map(_globals_of, inner))


def known_rows(folders: list[Path]) -> dict[Row, list[str]]:
    """Return the functions of all releases in some folders, with the versions that have them."""
    rows: dict[Row, list[str]] = {}
    libraries = {path.partition(".")[0] for path in targets()}
    for folder in folders:
        versions = {
            d.metadata["Name"].replace("-", "_").lower(): d.version
            for d in distributions(path=[str(folder)])
        }
        for library in sorted(libraries & versions.keys()):
            paths = {path for path in targets() if path.partition(".")[0] == library}
            for row in _whole(list(Sources(folder).rows(paths)), library):
                rows.setdefault(row, []).append(versions[library])
    return rows


def _whole(rows: list[Row], library: str) -> list[Row]:
    """Leave out what uses more of its library than functions: it is not copied without that.

    Functions that are replaced remain, and those that they call.
    """
    uses = {row[0]: {name for name in row[3] if name.partition(".")[0] == library} for row in rows}
    while lacking := {path for path, names in uses.items() if not names <= uses.keys()}:
        uses = {path: names for path, names in uses.items() if path not in lacking}
    needed: set[str] = set()
    waiting = targets() & uses.keys()
    while waiting:
        needed |= waiting
        waiting = set[str]().union(*(uses[path] for path in waiting)) - needed
    return [row for row in rows if row[0] in needed]


def written(rows: dict[Row, list[str]]) -> str:
    """Return the table as the text of its module."""
    lines = ["KNOWN = ("]
    for (path, digest, defaults, meanings), versions in sorted(rows.items()):
        lines.append(f"Known({path!r}, {tuple(sorted(versions))!r}, {digest!r}, {defaults!r},")
        lines.append(f"{meanings!r},),")
    return HEADER + "\n".join(
        [*lines, ")", '"""Functions that are replaced, and their helpers"""', ""]
    )


def absent_from_table(folders: list[Path]) -> list[str]:
    """Return the functions of releases in some folders that the table does not have."""
    from wellgram.accel.pasted.known_functions import KNOWN

    table = {(k.path, k.digest, k.defaults, k.meanings): k.versions for k in KNOWN}
    return [
        f"{row[0]} {version}"
        for row, versions in known_rows(folders).items()
        for version in versions
        if version not in table.get(row, ())
    ]


def main() -> None:
    """Write the table, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    folders = options.folders or [Path(path) for path in sys.path if path]
    if not options.check:
        TABLE.write_text(written(known_rows(folders)))
    elif absent := absent_from_table(folders):
        sys.exit("not in the table of known functions: " + ", ".join(absent))


if __name__ == "__main__":
    main()
