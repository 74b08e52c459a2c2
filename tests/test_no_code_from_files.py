"""No file runs code: nothing is unpickled, evaluated or imported because a file says so."""

import ast
import contextlib
import io
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import wellgram
from helpers.small_screens import plate
from wellgram import InputError, open_blocks, read_map, read_wells
from wellgram.align import BatchAffine
from wellgram.checksums import write_arrays
from wellgram.pairs import Scan
from wellgram.suite.archive import unpacked

PACKAGE = Path(wellgram.__file__).parent
DOORS = {
    "eval", "exec", "pickle.load", "pickle.loads", "marshal.load", "marshal.loads", "shelve.open",
    "yaml.load", "joblib.load", "torch.load", "read_pickle", "read_hdf", "PyExtensionType",
}  # fmt: skip
KNOWN = {
    # Runs the script that the user asks to be run.
    ("accel/pasted/script_runs.py", "exec"),
    # Is pandas' own, of the query that the user writes as an argument.
    ("accel/pycytominer/given_profiles.py", "eval"),
}


def calls():
    """Yield each call of the package: the file, what is called, and the call."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield file.relative_to(PACKAGE).as_posix(), ast.unparse(node.func), node


def test_no_call_runs_what_it_is_given():
    there = set()
    for file, name, _ in calls():
        for door in DOORS:
            if name == door or name.endswith(f".{door}"):
                there.add((file, door))
    assert there == KNOWN


def test_numpy_never_unpickles():
    readers = ("np.load", "np.lib.format.read_array")
    reads = [(file, node) for file, name, node in calls() if name in readers]
    assert reads
    for file, node in reads:
        options = {word.arg: ast.unparse(word.value) for word in node.keywords}
        assert options.get("allow_pickle") == "False", f"{file}, line {node.lineno}"


class Flag:
    """What makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def objects(tmp_path):
    """An array that makes a folder when it is unpickled."""
    values = np.empty((2, 30, 3), object)
    values[:] = Flag(tmp_path / "ran")
    yield values
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("member", ["embeddings", "label", "note", "wellgram"])
@pytest.mark.parametrize("read", [read_wells, read_map])
def test_npz(tmp_path, objects, member, read):
    arrays = {"embeddings": np.ones((30, 3)), "label": np.array([*"abc"] * 10)}
    arrays[member] = objects[0] if member == "embeddings" else objects[0, :, 0]
    np.savez(tmp_path / "e.npz", **arrays)
    options = {"layout": "columns", "perturbation": "label", "control": "c"}
    with pytest.raises(InputError, match="Python objects, which are never loaded"):
        read(tmp_path / "e.npz", **(options if read is read_wells else {}))


def test_npy(tmp_path, objects):
    np.save(tmp_path / "blocks.npy", objects, allow_pickle=True)
    with pytest.raises(InputError, match=r"cannot read .*Python objects"):
        open_blocks(tmp_path / "blocks.npy", plate())


@pytest.mark.parametrize("load", [BatchAffine.load, Scan.load])
def test_what_was_saved(tmp_path, objects, load):
    np.savez(tmp_path / "saved.npz", about=objects)
    with pytest.raises(InputError):
        load(tmp_path / "saved.npz")


@pytest.mark.parametrize("place", ["numpy_type", "pandas_type", "name", "field_name"])
@pytest.mark.parametrize("part", ["columns", "column_indexes"])
def test_what_pandas_wrote_into_a_parquet(tmp_path, part, place):
    code = f"__import__('os').mkdir({str(tmp_path / 'ran')!r})"
    about = {"name": "perturbation", "field_name": "perturbation", "metadata": None}
    about |= {"pandas_type": "unicode", "numpy_type": "object"}
    written = {"columns": [about], "column_indexes": [about], "index_columns": []}
    written[part] = [about | {place: code}]
    table = pa.table({"perturbation": ["a", "b"], "embedding": [[1.0, 2.0], [3.0, 4.0]]})
    table = table.replace_schema_metadata({"pandas": json.dumps(written)})
    pa.parquet.write_table(table, tmp_path / "map.parquet")
    with contextlib.suppress(InputError):
        read_map(tmp_path / "map.parquet")
    assert not (tmp_path / "ran").exists()


def test_findings_that_were_kept_import_no_module():
    buffer = io.BytesIO()
    tree = {"made": ["wellgram.__main__", "main"], "fields": {}}  # which runs the command line
    write_arrays(buffer, {"tree": tree}, {})
    with pytest.raises(ValueError, match="no result of ours"):
        unpacked(buffer.getvalue())
