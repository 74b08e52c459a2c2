"""Rules of the house that no linter checks."""

import re
import subprocess
import sys
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
    heavy = ["matplotlib", "sklearn", "torch", "numba", "cupy", "dask", "typer"]
    files = ["anndata", "fsspec", "h5py", "polars", "s3fs", "zarr"]
    assert not {*heavy, *files} & set(loaded)


def test_public_names_are_there_and_documented():
    for name in wellgram.__all__:
        assert getattr(wellgram, name).__doc__, name
