"""The doors of the accelerator, each in a process of its own, on scikit-learn."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is absent (pip install scikit-learn)")

SCRIPT = """\
import sys
import numpy as np
from sklearn.metrics.pairwise import cosine_similarity
x = np.random.default_rng(0).normal(size=(180, 40))
print(sys.argv[1:], __name__, hasattr(cosine_similarity.__wrapped__, "__wrapped__"))
print(cosine_similarity(x).shape)
"""


@pytest.fixture
def run(tmp_path):
    """Runs Python in a folder with a script that prints whether it is accelerated."""
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "stacker.py").write_text(
        "import runpy, sys\n"
        "if __name__ == '__main__':\n"
        "    assert sys.argv[1] == '-m'\n"
        "    sys.argv[:] = sys.argv[2:]\n"
        "    runpy.run_module(sys.argv[0], run_name='__main__')\n"
    )

    def run(*arguments, code=0, **environment):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=os.environ | {"WELLGRAM_ACCEL_SMALL": "1"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


ACCELERATED = "['a', '-b'] __main__ True\n(180, 180)\n"
AS_IT_IS = "['a', '-b'] __main__ False\n(180, 180)\n"


@pytest.mark.parametrize(
    "door",
    [
        ("-m", "wellgram.accel", "script.py"),
        ("-m", "wellgram.accel", "-m", "script"),
        ("-m", "stacker", "-m", "wellgram.accel", "script.py"),
        ("-m", "wellgram.accel", "-m", "stacker", "-m", "script"),
    ],
    ids=" ".join,
)
def test_a_script_runs_accelerated_with_its_own_arguments(run, door):
    assert run(*door, "a", "-b").stdout == ACCELERATED


def test_the_environment_is_a_door(run):
    assert run("script.py", "a", "-b").stdout == AS_IT_IS
    assert run("script.py", "a", "-b", WELLGRAM_ACCEL="0").stdout == AS_IT_IS
    found = run("-c", "import sys; print('wellgram.accel' in sys.modules)", WELLGRAM_ACCEL="1")
    if found.stdout == "False\n":
        pytest.skip("wellgram is not installed with its line in site-packages")
    assert run("script.py", "a", "-b", WELLGRAM_ACCEL="1").stdout == ACCELERATED


def test_verbose_and_profile_tell_where_calls_ran_and_why(run, tmp_path):
    name = "sklearn.metrics.pairwise.cosine_similarity"
    (tmp_path / "more.py").write_text(SCRIPT + "cosine_similarity(x[:2], x)\n")
    done = run("-m", "wellgram.accel", "-v", "--profile", "more.py", "a", "-b")
    assert done.stdout == ACCELERATED
    assert f"wellgram.accel: {name} ran here: " in done.stderr
    why = f"{name}: the original, because of two sets of rows"
    assert why in done.stderr
    assert "(more.py:7)" in done.stderr
    table = done.stderr.splitlines()[-3:]
    assert table[0].split() == ["ran", "calls", "seconds", "saved", "function"]
    assert {line.split()[0] for line in table[1:]} == {"wellgram", "original"}


def test_an_error_shows_the_line_of_the_script(run, tmp_path):
    (tmp_path / "fails.py").write_text(
        "import numpy as np\n"
        "from sklearn.metrics.pairwise import cosine_similarity\n"
        "from wellgram.accel.sklearn import cosine_matrix\n"
        "cosine_matrix.get_backend = lambda: 1 / 0\n"
        "cosine_similarity(np.ones((180, 40)))  # here\n"
    )
    error = run("-m", "wellgram.accel", "fails.py", code=1).stderr
    assert 'fails.py", line 5' in error
    assert "# here" in error
    assert "raised in place of sklearn.metrics.pairwise.cosine_similarity, which was" in error


def test_no_script_is_said_in_a_sentence(run):
    assert "name a script, or a module with -m" in run("-m", "wellgram.accel", code=2).stderr


def test_importing_it_costs_next_to_nothing(run):
    """Before a library is imported, none of what it needs is: NumPy, pandas, the library's rest."""
    code = "import sys, wellgram.accel; wellgram.accel.install(); print(*sys.modules)"
    loaded = run("-c", code).stdout.split()
    roots = {name.partition(".")[0] for name in loaded}
    assert not roots & {"numpy", "pandas", "scipy", "sklearn", "logging", "inspect"}
    ours = {name for name in loaded if name.startswith("wellgram.")}
    assert all(name.startswith("wellgram.accel") for name in ours)


def test_a_library_that_is_not_installed_is_no_error(run, tmp_path):
    (tmp_path / "absent.py").write_text(
        "import sys\n"
        "sys.path[:] = [p for p in sys.path if 'site-packages' not in p]\n"
        "try:\n    import copairs.map.average_precision\n"
        "except ImportError as error:\n    print(error)\n"
    )
    assert "copairs" in run("-m", "wellgram.accel", "absent.py").stdout


def test_notebooks_have_an_extension_and_a_magic(run):
    pytest.importorskip("IPython", reason="IPython is absent (pip install ipython)")
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell()\n"
        "shell.run_cell('from sklearn.metrics.pairwise import cosine_similarity')\n"
        "shell.run_line_magic('load_ext', 'wellgram.accel')\n"
        "shell.run_cell_magic('wellgram.accel.profile', '', "
        "'import numpy as np; cosine_similarity(np.ones((180, 40)))')\n"
        "shell.run_line_magic('unload_ext', 'wellgram.accel')\n"
        "shell.run_cell('print(hasattr(cosine_similarity.__wrapped__, \"__wrapped__\"))')\n"
    )
    done = run("-c", code, IPYTHONDIR=".ipython")
    assert "wellgram       1" in done.stderr
    assert done.stdout.endswith("False\n")
