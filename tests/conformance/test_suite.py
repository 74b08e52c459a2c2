"""The suite itself: a backend that cannot run is shown as skipped, or fails where required."""

import os
import subprocess
import sys
from pathlib import Path

from wellgram.backends import BACKENDS, available_backends

HERE = Path(__file__).parent


def run_without_cpu(*options):
    """One test of the suite where the cpu backend cannot run, for want of its instruction set."""
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        [*command, str(HERE / "test_pairs.py"), "-k", "test_no_pairs and 0"],
        cwd=HERE.parents[1],
        env=os.environ | {"WELLGRAM_ISA": "mmx", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unavailable_backend_is_skipped_with_its_reason():
    result = run_without_cpu()
    assert result.returncode == 0, result.stdout
    assert "WELLGRAM_ISA=mmx is not an instruction set" in result.stdout
    there = set(available_backends()) - {"cpu"}
    assert f"{len(there)} passed, {len(BACKENDS) - len(there)} skipped" in result.stdout


def test_a_required_backend_fails_with_its_reason():
    result = run_without_cpu("--require", "cpu")
    assert result.returncode == 1, result.stdout
    assert "WELLGRAM_ISA=mmx is not an instruction set" in result.stdout
    assert f"{len(set(available_backends()) - {'cpu'})} passed" in result.stdout
    assert "1 error" in result.stdout


def test_requiring_a_backend_that_is_none_is_refused():
    result = run_without_cpu("--require", "gpu")
    assert result.returncode == 4
    assert f"there is no backend 'gpu' (there are {', '.join(BACKENDS)})" in result.stderr
