"""The table of functions that copies are known by, against the libraries that are installed."""

import importlib.util
import sys
from pathlib import Path

import pytest

from wellgram.accel.pasted.known_functions import KNOWN
from wellgram.accel.registry import ENTRIES

ROOT = Path(__file__).parents[1]


@pytest.fixture
def writer():
    spec = importlib.util.spec_from_file_location("writer", ROOT / ".ci/write_known_functions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_installed_functions_are_in_the_table(writer):
    folders = [Path(path) for path in sys.path if path]
    if not writer.known_rows(folders):
        pytest.skip("no library that is replaced is installed")
    assert writer.absent_from_table(folders) == [], "run .ci/write_known_functions.py"


def test_the_table_is_as_its_writer_writes_it(writer):
    text = writer.TABLE.read_text()
    assert text.startswith(writer.HEADER)
    assert sorted(KNOWN) == list(KNOWN)


def test_all_functions_of_a_library_that_scripts_copy_are_in_the_table():
    known = {k.path for k in KNOWN}
    copied = {
        entry.name
        for entry in ENTRIES
        if entry.library == "efaar_benchmarking" and "1.0" in entry.versions
    }
    assert copied <= known


def test_digests_tell_functions_of_a_name_apart():
    keys = [(k.name, k.digest) for k in KNOWN]
    assert len(set(keys)) == len(keys)
