"""Average precision of copairs where profiles have several labels: the same rows, in order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.accelerated import Pair, equal, outcome, same_error
from wellgram.accel.copairs.copairs_releases import copairs_release

pytest.importorskip(
    "copairs.map",
    reason="copairs is absent (pip install --no-deps copairs==0.5 duckdb==1.3.2 statsmodels patsy "
    "tqdm)",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # the peer divides by zero, and draws progress


LABELS = ["targets"]
RULES = {
    "labels alone": (LABELS, [], [], LABELS),
    "other compounds": (LABELS, ["compound"], [], ["compound", *LABELS]),
    "on other plates": (LABELS, ["plate"], ["plate"], LABELS),
}


@pytest.fixture(scope="module")
def multilabel():
    return Pair("multilabel:average_precision")


@pytest.fixture(scope="module")
def profiles():
    rng = np.random.default_rng(3)
    compound = np.arange(90) // 3
    labels = [["b", "ab"], ["a"], ["ü", "a", "B"], ["b"], [""]]
    meta = pd.DataFrame({"compound": compound, "plate": np.arange(90) % 4})
    meta["targets"] = pd.Series([labels[k % 5] for k in compound], dtype=object)
    return meta.set_axis(np.arange(90)[::-1] + 7), rng.normal(size=(90, 20))


@pytest.mark.parametrize("distance", ["cosine", "abs_cosine", "euclidean"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rules", RULES)
def test_average_precision_is_equal(multilabel, profiles, rules, dtype, distance):
    meta, x = profiles
    x = (x > 0).astype(dtype) + dtype(0.25)  # which tie
    arguments = (meta, x, *RULES[rules], "targets")
    theirs = outcome(multilabel.original, *arguments, distance=distance)
    why, ours = multilabel.declines(*arguments, distance=distance)
    if not same_error(theirs, ours):
        equal(theirs, ours, within=0)
        assert why is None or not copairs_release().ranks_by_label


@given(
    labels=st.lists(
        st.lists(st.sampled_from("abcd"), unique=True, max_size=3), min_size=12, max_size=12
    ),
    plate=st.lists(st.integers(0, 2), min_size=12, max_size=12),
    rules=st.sampled_from(list(RULES)),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=40)
def test_any_labels_are_equal_or_the_originals(multilabel, labels, plate, rules, seed):
    meta = pd.DataFrame({"compound": np.arange(12) // 2, "plate": plate})
    meta["targets"] = pd.Series(labels, dtype=object)
    x = np.random.default_rng(seed).choice([-1.0, 0.5, 2.0], size=(12, 3))
    theirs = outcome(multilabel.original, meta, x, *RULES[rules], "targets")
    _, ours = multilabel.declines(meta, x, *RULES[rules], "targets")
    if not same_error(theirs, ours):
        equal(theirs, ours, within=0)


CELLS = {
    "tuples": tuple,
    "arrays": np.array,
    "sets": set,
    "texts": ",".join,
    "numbers": lambda labels: [len(label) for label in labels],
    "a label twice": lambda labels: [*labels, labels[0]],
    "a missing label": lambda labels: [*labels, None],
    "missing lists": lambda labels: labels if len(labels) > 1 else None,
}


@pytest.mark.parametrize("case", CELLS)
def test_other_labels_are_left_to_the_original(multilabel, profiles, case):
    meta, x = profiles
    meta = meta.assign(targets=meta["targets"].map(CELLS[case]))
    theirs = outcome(multilabel.original, meta, x, *RULES["labels alone"], "targets")
    why, ours = multilabel.declines(meta, x, *RULES["labels alone"], "targets")
    if not same_error(theirs, ours):
        assert why
        equal(theirs, ours, within=0)
