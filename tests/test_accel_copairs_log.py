"""The steps that copairs tells its logger are told accelerated too."""

import logging

import numpy as np
import pandas as pd
import pytest

from helpers.accelerated import Pair
from wellgram.accel.copairs.copairs_releases import VERSIONS, copairs_release
from wellgram.accel.releases import version_of

pytest.importorskip(
    "copairs.map", reason="copairs is absent (pip install copairs duckdb statsmodels tqdm)"
)
pytestmark = pytest.mark.filterwarnings("ignore")  # the peer divides by zero, and draws progress


@pytest.fixture
def profiles():
    meta = pd.DataFrame({"kind": np.arange(24) // 3, "labels": [["a"], ["b", "a"]] * 12})
    return meta, np.random.default_rng(0).normal(size=(24, 5))


def steps(caplog, function, *args, **kwargs):
    """Return what a call tells, and its result."""
    caplog.clear()
    with caplog.at_level(logging.INFO, "copairs"):
        result = function(*args, **kwargs)
    return [record.getMessage() for record in caplog.records if record.name == "copairs"], result


def check(caplog, name, *args, **kwargs):
    pair = Pair(name)
    theirs, result = steps(caplog, pair.original, *args, **kwargs)
    ours, _ = steps(caplog, pair.stand_in, *args, **kwargs)
    assert ours == theirs
    assert ours
    return result


def test_steps_of_precisions_and_means_are_told(caplog, profiles, tmp_path):
    rules = (["kind"], [], [], ["kind"])
    scores = check(caplog, "average_precision:average_precision", *profiles, *rules)
    means = {"null_size": 20, "threshold": 0.05, "seed": 0, "cache_dir": tmp_path}
    check(caplog, ":mean_average_precision", scores, ["kind"], **means)
    if version_of("copairs") in VERSIONS[:4]:
        return
    scores["half"] = scores["kind"] % 2
    check(caplog, ":mean_average_precision_hierarchical", scores, ["kind", "half"], **means,
          hierarchical_by=["half"])  # fmt: skip


def test_steps_of_labels_are_told(caplog, profiles):
    meta, x = profiles
    meta["labels"] = [["a"], ["b"], ["c", "a"]] * 8
    rules = (["labels"], [], [], ["labels"])
    if not copairs_release().ranks_by_label:
        rules = (["kind"], [], [], ["kind"])
    check(caplog, "multilabel:average_precision", meta, x, *rules, "labels")
