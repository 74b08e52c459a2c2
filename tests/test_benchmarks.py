"""The programs of `benchmarks/` load: they use names of the library that no user has to."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))
SAYS_WHAT_IT_LACKS = "ModuleNotFoundError: No module named"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_a_program_loads(program):
    code = f"import sys; sys.path.insert(0, {str(program.parent)!r}); import {program.stem}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    lines = run.stderr.splitlines()
    if run.returncode and SAYS_WHAT_IT_LACKS in lines[-1] and "wellgram" not in lines[-1]:
        pytest.skip(lines[-1])
    assert run.returncode == 0, run.stderr
