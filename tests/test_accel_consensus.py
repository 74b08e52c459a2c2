"""The stand-ins for pycytominer's consensus and aggregation beside the originals."""

import numpy as np
import pandas as pd
import pytest

from helpers.accelerated import Pair, equal, outcome, same_error

pytest.importorskip(
    "pycytominer",
    reason="pycytominer, or what it imports, is absent (pip install --no-deps pycytominer; "
    "pip install pyyaml clevercsv sqlalchemy fire)",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own

NAMES = [f"Cells_F{k}" for k in range(9)]
STRATA = ["Metadata_Plate", "Metadata_Well"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small tables are aggregated here too."""
    monkeypatch.setenv("WELLGRAM_ACCEL_SMALL", "1")


@pytest.fixture(scope="module")
def table():
    """Profiles of two plates, replicates of 20 wells, some of them without a name."""
    rng = np.random.default_rng(3)
    n = 160
    wells = [None if k % 20 == 7 else f"w{k % 20}" for k in range(n)]
    table = pd.DataFrame(rng.normal(size=(n, 9)), columns=NAMES)
    table.insert(0, "Metadata_Well", wells)
    table.insert(1, "Metadata_Plate", np.repeat(["b", "a"], n // 2))
    table.insert(2, "Metadata_dose", np.where(np.arange(n) % 4, np.arange(n) % 3, np.nan))
    table.attrs["screen"] = "x"
    return table.set_axis(rng.permutation(n) + 3)


CHANGES = {
    "as it is": lambda t: t,
    "float32": lambda t: t.astype(dict.fromkeys(NAMES, np.float32)),
    "some float32": lambda t: t.astype(dict.fromkeys(NAMES[:4], np.float32)),
    "whole numbers": lambda t: t.assign(Cells_F1=np.arange(len(t)) % 7),
    "columns with a name": lambda t: t.rename_axis(columns="feature"),
    "the other order": lambda t: t[t.columns[::-1]],
    "no missing label": lambda t: t.dropna(),
    "labels as objects": lambda t: t.astype({"Metadata_Well": object}),
}


@pytest.mark.parametrize("strata", [["Metadata_Well"], STRATA, STRATA[::-1], ["Metadata_dose"]])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("operation", ["median", "modz"])
def test_consensus_is_equal(table, operation, change, strata):
    changed = CHANGES[change](table)
    theirs, ours = Pair(":consensus")(changed, strata, operation)
    pd.testing.assert_frame_equal(theirs, ours, rtol=1e-9, atol=1e-9)
    assert theirs.attrs == ours.attrs


@pytest.mark.parametrize("change", CHANGES)
def test_aggregates_are_equal(table, change):
    changed = CHANGES[change](table).assign(ImageNumber=1, Cells_F8=1.0)
    options = {"strata": STRATA, "features": [*NAMES, "ImageNumber"]}
    theirs, ours = Pair("pycytominer.aggregate:aggregate")(changed, **options)
    pd.testing.assert_frame_equal(theirs, ours, rtol=1e-12, atol=1e-12)
    assert theirs.attrs == ours.attrs


@pytest.mark.parametrize("index", [{"labels": np.arange(160) % 4}, {"labels": [*"ab"] * 80}])
def test_a_repeated_index_does_not_matter_to_medians(table, index):
    theirs, ours = Pair(":consensus")(table.set_axis(**index), STRATA, "median")
    equal(theirs, ours, within=1e-12)


def test_few_values_are_left_to_pandas(table, monkeypatch):
    monkeypatch.delenv("WELLGRAM_ACCEL_SMALL")
    why, _ = Pair("pycytominer.aggregate:aggregate").declines(table)
    assert why == "there is too little to do"


def test_missing_features_are_aggregated_by_pandas(table):
    gaps = table.copy()
    gaps.loc[gaps.index[::5], NAMES[2]] = np.nan
    gaps[NAMES[5]] = np.nan
    theirs, ours = Pair("pycytominer.aggregate:aggregate")(gaps, STRATA)
    equal(theirs, ours, within=1e-12)


def test_weights_follow_their_options(table):
    for method in ("spearman", "Pearson"):
        for options in ({"min_weight": 0.3}, {"precision": 2}, {"min_weight": 0, "precision": 6}):
            arguments = {"method": method, **options}
            both = Pair(":consensus")(table, ["Metadata_Well"], "modz", modz_args=arguments)
            equal(*both, within=1e-9)


def test_replicates_that_nothing_agrees_with_have_the_weights_of_the_release():
    """All correlations are negative, so weights of zero are divided by their sum of zero."""
    x = np.array([[1.0, 2, 3, 4], [4, 3, 2, 1.5]])
    table = pd.DataFrame(x, columns=NAMES[:4]).assign(Metadata_Well="a")
    table = pd.concat([table, table.iloc[::-1].assign(Metadata_Well="b")], ignore_index=True)
    options = {"modz_args": {"min_weight": 0}, "features": NAMES[:4]}
    equal(*Pair(":consensus")(table, ["Metadata_Well"], "modz", **options), within=1e-12)


OUTSIDE = {
    "no replicates": (["Metadata_Well"], {}, lambda t: t.iloc[:20].dropna()),
    "a replicate alone, by values": (
        ["Metadata_Well"],
        {"modz_args": {"method": "pearson"}},
        lambda t: t.iloc[:21],
    ),
    "an operation in capitals": (["Metadata_Well"], {"operation": "MODZ"}, None),
    "no such operation": (["Metadata_Well"], {"operation": "mode"}, None),
    "one name": ("Metadata_Well", {}, None),
    "no such label": (["nowhere"], {}, None),
    "categories": (["Metadata_Well"], {}, lambda t: t.astype({"Metadata_Well": "category"})),
    "a profile that is the same": (["Metadata_Well"], {}, lambda t: t.assign(**{NAMES[0]: 1.0})),
    "missing values": (["Metadata_Well"], {}, lambda t: t.assign(Cells_F1=np.nan)),
    "very large values": (["Metadata_Well"], {}, lambda t: t.assign(Cells_F1=t["Cells_F1"] * 1e20)),
    "one feature": (["Metadata_Well"], {"features": NAMES[:1]}, None),
    "all labels missing": (["Metadata_Well"], {}, lambda t: t.assign(Metadata_Well=None)),
    "a repeated index": (["Metadata_Well"], {}, lambda t: t.set_axis(np.arange(len(t)) % 4)),
    "an index with a name": (["Metadata_Well"], {}, lambda t: t.rename_axis("row")),
    "no profiles": (["Metadata_Well"], {}, lambda t: t.iloc[:0]),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(table, case):
    strata, options, change = OUTSIDE[case]
    if change:
        table = change(table)
    options = {"operation": "modz", **options}
    both = Pair(":consensus")
    theirs = outcome(both.original, table.copy(), strata, **options)
    _, ours = both.declines(table.copy(), strata, **options)
    if not same_error(theirs, ours):
        pd.testing.assert_frame_equal(theirs, ours, rtol=1e-9, atol=1e-9)
