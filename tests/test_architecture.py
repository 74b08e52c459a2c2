"""Rules of the house that no linter checks."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import wellgram

PACKAGE = Path(wellgram.__file__).parent


def test_only_backends_know_the_compiled_modules():
    for file in PACKAGE.rglob("*.py"):
        if "backends" not in file.relative_to(PACKAGE).parts:
            assert not re.search(r"\b_cpu\b|\b_cuda\b", file.read_text()), file.name


def test_importing_the_library_loads_no_optional_weight():
    code = "import sys, wellgram; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    for name in ("matplotlib", "sklearn", "torch", "numba", "cupy", "dask", "anndata", "typer"):
        assert name not in loaded


def test_public_names_are_there_and_documented():
    for name in wellgram.__all__:
        assert getattr(wellgram, name).__doc__, name


def test_the_version_is_the_same_wherever_it_is_written():
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    cited = re.search(r"^version: (.+)$", (root / "CITATION.cff").read_text(), re.MULTILINE)
    assert project["version"] == version("wellgram") == cited.group(1)


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "wellgram", "info"], capture_output=True, text=True, check=True
    )
    assert version("wellgram") in done.stdout
