"""Copies of functions that are replaced, in scripts: replaced where they are what they seem."""

import ast
from functools import partial

import pytest

from helpers.pasted import CALL, IMPORTS, PROFILED, definition, ran, run_files, source_file
from wellgram.accel.pasted.known_functions import KNOWN
from wellgram.accel.pasted.pasted_functions import mark

pytest.importorskip("sklearn", reason="scikit-learn is absent (pip install scikit-learn)")
if source_file("efaar_benchmarking.efaar") is None:
    pytest.skip("efaar_benchmarking is absent", allow_module_level=True)

CENTERED = definition("centerscale_on_controls")
BOTH = IMPORTS + CENTERED + definition("tvn_on_controls")
LAST = """\
y = tvn_on_controls(x, wells, "gene", "none", "batch")
"""
NAME = "tvn_on_controls (copy of efaar_benchmarking 1.0)"


@pytest.fixture
def run(tmp_path):
    """Writes files and runs Python on them."""
    return partial(run_files, tmp_path)


@pytest.mark.parametrize("module", ["efaar", "benchmarking"])
def test_a_file_that_is_copied_whole_is_known_in_all_its_functions(module):
    tree = ast.parse(source_file(f"efaar_benchmarking.{module}").read_bytes())
    assert mark(tree)
    marked = {statement.name for statement in tree.body if getattr(statement, "decorator_list", 0)}
    known = {k.name for k in KNOWN if k.path.startswith(f"efaar_benchmarking.{module}.")}
    assert marked == known


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("batches", "plates"),
        ("from scipy import linalg\n", "import scipy.linalg as linalg\n"),
        ("import numpy as np", "import numpy"),
        ("control_key: str,", "control_key,"),
        ("batch_col: str | None = None", "batch_col='batch'"),
        ("from sklearn.preprocessing", "from sklearn.preprocessing._data"),
    ],
)
def test_what_is_spelled_otherwise_is_replaced(run, old, new):
    text = BOTH.replace(old, new)
    if new == "import numpy":
        text = text.replace("np.", "numpy.")
    if old.startswith("batch_col"):  # of one that others rely on, defaults are part of what it does
        text = BOTH[::-1].replace(old[::-1], new[::-1], 1)[::-1]
    assert ran(run(*PROFILED, "script.py", script=text + CALL + LAST), NAME)[0] == "wellgram"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("StandardScaler().fit", "StandardScaler(with_std=False).fit", "centerscale_on_controls"),
        ("batch_col: str | None = None", "batch_col='batch'", "centerscale_on_controls"),
        (
            "from sklearn.decomposition import PCA\n",
            "import sklearn.decomposition\n"
            "class PCA(sklearn.decomposition.PCA):\n    def __init__(self): super().__init__(3)\n",
            "PCA",
        ),
    ],
)
def test_names_that_mean_something_else_leave_a_copy_alone(run, old, new, why):
    text = (IMPORTS + CENTERED).replace(old, new) + definition("tvn_on_controls")
    who, reason = ran(run(*PROFILED, "script.py", script=text + CALL + LAST), NAME)
    assert who == "original"
    assert reason.startswith(f"({why} is not ")


def test_names_are_looked_up_at_each_call(run):
    script = BOTH + CALL + LAST + "PCA = lambda: StandardScaler()\n" + LAST
    lines = [
        line.split()[0] for line in run(*PROFILED, "script.py", script=script).splitlines()[1:]
    ]
    assert sorted(lines) == ["original", "wellgram"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("0.5 * np", "0.1 * np"),
        lambda text: text.replace("def tvn", "@staticmethod\ndef tvn"),
        lambda text: text.replace("embeddings: np.ndarray", "features").replace(
            "embeddings", "features"
        ),
        lambda text: text.replace("tvn_on_controls", "tvn"),
    ],
    ids=["another number", "a decorator", "other parameters", "another name"],
)
def test_what_is_no_copy_is_left_alone(run, change):
    script = IMPORTS + CENTERED + change(definition("tvn_on_controls")) + CALL
    script += "tvn = globals().get('tvn') or tvn_on_controls\n"
    script += LAST.replace("tvn_on_controls", "tvn")
    assert NAME not in run(*PROFILED, "script.py", script=script)
