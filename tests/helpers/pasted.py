"""What tests of pasted functions share: the source of functions, read from installed libraries."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

IMPORTS = """\
import numpy as np
import pandas as pd
from scipy import linalg
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler


"""
CALL = """\
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
x = rng.normal(size=(300, 8))
wells = pd.DataFrame({"gene": rng.choice(["none", "a", "b"], 300), "batch": np.arange(300) // 100})
"""
"""Wells to call the functions of alignments with"""
PROFILED = ("-m", "wellgram.accel", "--profile")


def source_file(module):
    """Return the file of a module, without importing it; None where it is not installed."""
    library, *rest = module.split(".")
    spec = importlib.util.find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0], *rest).with_suffix(".py")


def definition(path, module="efaar_benchmarking.efaar"):
    """Return the text of a function's definition."""
    text = source_file(module).read_text()
    (found,) = (
        statement
        for statement in ast.parse(text).body
        if isinstance(statement, ast.FunctionDef) and statement.name == path
    )
    return ast.get_source_segment(text, found) + "\n\n\n"


def run_files(folder, *arguments, **files):
    """Write files, and run Python on them; return what it prints and says."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"WELLGRAM_ACCEL_VERIFY": "1", "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def ran(output, name):
    """Return who ran the calls of a function, and why."""
    (line,) = (line for line in output.splitlines() if name in line)
    return line.split()[0], line.partition(name)[2].strip()
