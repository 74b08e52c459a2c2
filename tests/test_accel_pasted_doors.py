"""Copies of functions that are replaced: where they may be defined, and what is run."""

from functools import partial

import pytest

from helpers.pasted import CALL, IMPORTS, PROFILED, definition, ran, run_files, source_file

pytest.importorskip("sklearn", reason="scikit-learn is absent (pip install scikit-learn)")
if source_file("efaar_benchmarking.efaar") is None:
    pytest.skip("efaar_benchmarking is absent", allow_module_level=True)

BOTH = IMPORTS + definition("centerscale_on_controls") + definition("tvn_on_controls")
LAST = """\
y = tvn_on_controls(x, wells, "gene", "none", "batch")
"""
NAME = "tvn_on_controls (copy of efaar_benchmarking 1.0)"


@pytest.fixture
def run(tmp_path):
    """Writes files and runs Python on them."""
    return partial(run_files, tmp_path)


@pytest.mark.parametrize("door", [("script.py",), ("-m", "script")])
def test_copies_in_a_script_are_replaced(run, door):
    output = run(*PROFILED, *door, script=BOTH + CALL + LAST)
    assert ran(output, f"__main__.{NAME}") == ("wellgram", "")


def test_copies_in_modules_of_a_script_are_replaced(run, tmp_path):
    script = "from tools import tvn_on_controls\n" + CALL + LAST
    output = run(*PROFILED, "script.py", script=script, tools=BOTH)
    assert ran(output, f"tools.{NAME}") == ("wellgram", "")
    assert not list(tmp_path.rglob("*.pyc"))  # nothing of ours is kept


def test_files_of_compiled_code_stay_and_are_not_used(run, tmp_path):
    run("-c", "import tools", tools=BOTH)
    (kept,) = tmp_path.rglob("tools.*.pyc")
    before = kept.read_bytes()
    output = run(*PROFILED, "script.py", script="from tools import *\n" + CALL + LAST)
    assert ran(output, f"tools.{NAME}") == ("wellgram", "")
    assert kept.read_bytes() == before


def test_copies_that_were_defined_before_are_replaced(run):
    script = f"{BOTH}{CALL}import wellgram.accel\nwith wellgram.accel.profile(), "
    script += f"wellgram.accel.accelerated():\n    {LAST}"
    script += "assert not hasattr(tvn_on_controls, '__wrapped__')\n"
    assert ran(run("script.py", script=script), f"__main__.{NAME}") == ("wellgram", "")


def test_an_error_shows_the_lines_of_the_script(run):
    script = BOTH + "try:\n    tvn_on_controls(None, None, None, None)\n"
    script += "except AttributeError:\n    import traceback; traceback.print_exc()\n"
    output = run(*PROFILED, "script.py", script=script)
    line = BOTH.splitlines().index("    embeddings = embeddings.copy()", 60) + 1
    assert f'script.py", line {line}, in tvn_on_controls' in output


def test_copies_go_to_workers(run):
    pytest.importorskip("joblib", reason="joblib is absent (pip install joblib)")
    script = BOTH + CALL + "from joblib import Parallel, delayed\n"
    script += "def both(k):\n    return tvn_on_controls(x, wells, 'gene', 'none', 'batch')\n"
    script += "y, z = Parallel(2)(delayed(both)(k) for k in range(2))\nassert (y == z).all()\n"
    script += (
        "import pickle; assert pickle.loads(pickle.dumps(tvn_on_controls)) is tvn_on_controls\n"
    )
    run(*PROFILED, "script.py", script=script)


def test_cells_of_a_notebook_are_searched(run):
    pytest.importorskip("IPython", reason="IPython is absent (pip install ipython)")
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from pathlib import Path\n"
        "shell = InteractiveShell()\n"
        "shell.run_line_magic('load_ext', 'wellgram.accel')\n"
        "shell.run_cell(Path('cells.py').read_text())\n"
        "shell.run_cell_magic('wellgram.accel.profile', '', Path('call.py').read_text())\n"
        "shell.run_line_magic('unload_ext', 'wellgram.accel')\n"
        "shell.run_cell('print(hasattr(tvn_on_controls, \"__wrapped__\"))')\n"
    )
    output = run("-c", code, cells=BOTH, call=CALL + LAST)
    assert ran(output, f"__main__.{NAME}") == ("wellgram", "")
    assert "False\n" in output


def test_a_module_without_copies_is_compiled_as_ever(run, tmp_path):
    """Nothing that takes time is imported for it."""
    script = "import sys, tools\nprint('wellgram.accel.pasted.pasted_functions' in sys.modules)\n"
    assert run("-m", "wellgram.accel", "script.py", script=script, tools="x = 1\n") == "False\n"
    assert list(tmp_path.rglob("tools.*.pyc"))
