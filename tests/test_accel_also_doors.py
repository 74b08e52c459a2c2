"""Libraries that a script asks for are replaced, whichever it imports first; others are not."""

import subprocess
import sys

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is absent")

SCRIPT = """
import {first}
import pandas, scipy.spatial, sklearn.metrics, sklearn.neighbors
functions = {{
    "scipy": [scipy.spatial.distance.pdist, scipy.spatial.distance.cdist],
    "pandas": [pandas.DataFrame.corr],
    "scikit-learn": [
        sklearn.metrics.silhouette_samples,
        sklearn.metrics.cluster._unsupervised.silhouette_samples,
        sklearn.neighbors.NearestNeighbors.kneighbors,
    ],
}}
for library, those in functions.items():
    replaced = {{f.__globals__["__name__"] == "wellgram.accel.stand_ins" for f in those}}
    if replaced == {{True}}:
        print(library)
"""
FIRST = [
    "pandas",
    "scipy.spatial.distance",
    "scipy.cluster.hierarchy",
    "sklearn",
    "sklearn.metrics",
]


def replaced(tmp_path, first, options):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(first=first))
    command = [sys.executable, "-m", "wellgram.accel", *options, str(script)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("first", FIRST)
def test_all_that_is_asked_for_is_replaced(tmp_path, first):
    # What ours needs may be in the middle of its own import then.
    asked = replaced(tmp_path, first, ["--also", "scipy,pandas,scikit-learn"])
    assert asked == ["scipy", "pandas", "scikit-learn"]


@pytest.mark.parametrize("library", ["scipy", "pandas", "scikit-learn"])
def test_one_library_alone(tmp_path, library):
    assert replaced(tmp_path, "sklearn", ["--also", library]) == [library]


def test_nothing_is_replaced_that_was_not_asked_for(tmp_path):
    assert replaced(tmp_path, "sklearn", []) == []
