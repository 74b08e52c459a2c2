"""Rules of the house that no linter checks."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest

import wellgram
from wellgram.io import FORMATS

PACKAGE = Path(wellgram.__file__).parent
ROOT = Path(__file__).parents[1]
ENTRIES = {"__init__", "__main__"}
"""Files that Python names; a package goes by the name of its folder"""
IMPORTERS = {"import_module", "__import__", "needed"}
"""Functions that import what they are given the name of"""


def modules():
    """The name of every module and package below wellgram, with its file."""
    for file in sorted(PACKAGE.rglob("*.py")):
        if file.stem not in ENTRIES:
            yield file.stem, file
        elif file.stem == "__init__" and file.parent != PACKAGE:
            yield file.parent.name, file


def floors():
    """The lines of the linter's floors, as they are written."""
    text = (ROOT / "pyproject.toml").read_text()
    (layers,) = re.findall(r"^layers = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    return [line.strip() for line in layers.splitlines()]


def test_no_two_modules_have_one_name():
    counts = Counter(name for name, _ in modules())
    assert [name for name, count in counts.items() if count > 1] == []


def test_no_module_is_named_like_what_it_defines():
    """Where `from m import m` is done, `import m` gives the function, not the module."""
    for name, file in modules():
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                assert node.name != name, file


def test_few_modules_lie_loose_at_the_top():
    loose = [file for file in PACKAGE.glob("*.py") if file.stem not in ENTRIES]
    assert len(loose) <= 9


def test_there_are_few_floors_and_each_says_what_lives_there():
    lines = floors()
    comments, names = lines[::2], lines[1::2]
    assert len(names) <= 12
    assert all(line.startswith("# ") for line in comments)
    assert all(re.fullmatch(r'"wellgram\..*",', line) for line in names)


def test_every_module_at_the_top_has_a_floor():
    loose = {file.stem for file in PACKAGE.glob("*.py")} - ENTRIES
    packages = {file.parent.name for file in PACKAGE.glob("*/__init__.py")}
    on_floors = re.findall(r"wellgram\.(\w+)", " ".join(floors()[1::2]))
    assert sorted(on_floors) == sorted(loose | packages)


def test_only_two_rooms_know_the_packages_of_dask():
    """Imports of them, at the top or within functions, by statement or by name."""
    known = set()
    for _, file in modules():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in IMPORTERS:
                names = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
            else:
                continue
            if {name.split(".")[0] for name in names} & {"dask", "distributed"}:
                known.add(file.relative_to(PACKAGE).as_posix())
    clients = {"cluster.py", "merge_tree.py", "watched_client.py"}
    assert known == {f"distributed/{name}" for name in clients} | {"io/dask.py"}


def test_only_backends_know_the_compiled_modules():
    for file in PACKAGE.rglob("*.py"):
        if "backends" not in file.relative_to(PACKAGE).parts:
            assert not re.search(r"\b_cpu\b|\b_cuda\b", file.read_text()), file.name


PASSED_BY_HAND = {
    "cli": "an option of commands",
    "distributed/cluster.py": "the name that goes to a worker",
}
"""Where a parameter ``backend`` may be another than that of `takes_backend`, and why"""


def test_a_backend_goes_by_context():
    """Only what people call has a parameter for it, by keyword, and does nothing with it."""
    for file in PACKAGE.rglob("*.py"):
        place = file.relative_to(PACKAGE)
        if {part.as_posix() for part in (place, *place.parents)} & PASSED_BY_HAND.keys():
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            where = f"{place}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.AnnAssign):
                assert ast.unparse(node.target) != "backend", f"{where}: a field"
            if isinstance(node, ast.FunctionDef) and "backend" in parameters(node.args):
                assert {"takes_backend", "overload"} & set(map(ast.unparse, node.decorator_list)), (
                    f"{where}: {node.name} is not decorated with takes_backend"
                )
                assert "backend" in [one.arg for one in node.args.kwonlyargs], where
                names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                assert "backend" not in names, f"{where}: {node.name} hands its backend on"


def parameters(given):
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


# Beside the registry and what says where files are: files that are no tables of a screen.
SUFFIXES_ARE_READ = {
    "io/formats.py", "io/places.py",
    "io/block_files.py",  # an array with an axis of blocks
    "io/gene_sets.py",
    "pairs/full_matrix.py", "pairs/neighbor_tables.py",  # what is written of pairs
}  # fmt: skip


def test_only_the_registry_chooses_a_format_by_its_suffix():
    """A format's file names its suffixes; no other asks which one a name has."""
    known = {suffix for entry in FORMATS.values() for suffix in entry.suffixes} | {".gz"}

    def asks(node):
        if isinstance(node, ast.Attribute):
            return node.attr in ("suffix", "suffixes")
        tests = isinstance(node, ast.Compare | ast.Subscript | ast.match_case) or (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", None) in ("endswith", "removesuffix")
        )
        return tests and any(
            isinstance(part, ast.Constant) and part.value in known for part in ast.walk(node)
        )

    asking = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if any(asks(node) for node in ast.walk(ast.parse(file.read_text())))
    }
    assert asking == SUFFIXES_ARE_READ


def test_importing_the_library_loads_no_optional_weight():
    code = (
        "import sys, wellgram.library; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = ["matplotlib", "sklearn", "torch", "numba", "cupy", "dask", "typer"]
    files = ["anndata", "fsspec", "h5py", "polars", "s3fs", "zarr"]
    assert not {*heavy, *files} & set(loaded)


def test_public_names_wait_until_they_are_asked_for():
    code = (
        "import sys, wellgram; print('numpy' in sys.modules); "
        "wellgram.TVN; print('numpy' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "True"]


def test_no_module_hides_a_public_name():
    """Importing a module sets its name in the package: a function of that name would be lost."""
    modules = {path.stem for path in PACKAGE.iterdir()}
    assert modules & set(wellgram.__all__) == {"simulate"}  # which is the module


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'wellgram' has no attribute 'nowhere'"):
        wellgram.nowhere  # noqa: B018


def test_public_names_are_there_and_documented():
    for name in wellgram.__all__:
        assert getattr(wellgram, name).__doc__, name


def test_the_version_is_the_same_wherever_it_is_written():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert project["version"] == version("wellgram") == cited.group(1)


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "wellgram", "info"], capture_output=True, text=True, check=True
    )
    assert version("wellgram") in done.stdout
