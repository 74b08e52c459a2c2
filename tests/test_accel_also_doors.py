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


CALLS = """
import numpy as np, pandas as pd
from scipy.spatial.distance import cdist, pdist
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

rows = np.random.default_rng(0).normal(size=(300, 20))
labels = np.arange(300) % 7
for kind in (np.float64, np.float32):
    x = rows.astype(kind)
    for method in ("pearson", "spearman"):
        pd.DataFrame(x).corr(method)
    for metric in ("euclidean", "cosine", "correlation"):
        pdist(x, metric), cdist(x, x[:90], metric)
    for metric in ("euclidean", "cosine"):
        silhouette_score(x, labels, metric=metric, sample_size=250, random_state=0)
NearestNeighbors(metric="cosine").fit(rows).kneighbors()
"""


def test_calls_are_compared_where_a_user_verifies(tmp_path, monkeypatch):
    monkeypatch.setenv("WELLGRAM_ACCEL_VERIFY", "1")
    monkeypatch.setenv("WELLGRAM_ACCEL_SMALL", "1")
    monkeypatch.setenv("WELLGRAM_ACCEL_ALSO", "scipy, pandas, sklearn")
    script = tmp_path / "script.py"
    script.write_text(CALLS)
    command = [sys.executable, "-m", "wellgram.accel", "--profile", str(script)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stderr.splitlines()
    ran = {line.split()[-1]: line.split()[:2] for line in lines if line.startswith("wellgram ")}
    assert {name: calls for name, (_, calls) in ran.items()} == {
        "pandas.DataFrame.corr": "4",
        "scipy.spatial.distance.pdist": "6",
        "scipy.spatial.distance.cdist": "6",
        "sklearn.metrics.cluster._unsupervised.silhouette_samples": "4",
        "sklearn.neighbors._base.KNeighborsMixin.kneighbors": "1",
    }
    assert not any(line.startswith("original") for line in lines)


def test_nothing_is_replaced_that_was_not_asked_for(tmp_path):
    assert replaced(tmp_path, "sklearn", []) == []
