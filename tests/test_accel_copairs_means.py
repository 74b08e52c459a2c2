"""Means of average precision and their p-values: the same table in every release."""

import numpy as np
import pandas as pd
import pytest

from helpers.accelerated import Pair, equal, outcome, same_error
from wellgram.accel.copairs.copairs_releases import VERSIONS, copairs_release
from wellgram.accel.releases import version_of

pytest.importorskip(
    "copairs.map",
    reason="copairs is absent (pip install --no-deps copairs==0.5 duckdb==1.3.2 statsmodels patsy "
    "tqdm)",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # the peer divides by zero, and draws progress


MEANS = {"null_size": 500, "threshold": 0.05, "seed": 3}


@pytest.fixture(scope="module")
def scores():
    """Scores of 200 profiles, some of them missing, with an index that repeats."""
    rng = np.random.default_rng(0)
    pos = rng.integers(0, 4, size=200)
    precision = np.where(pos > 0, rng.choice([1.0, 0.5, 1 / 3, 0.2, 0.07], size=200), np.nan)
    table = pd.DataFrame({"moa": [f"m{k % 7}" for k in range(200)], "dose": np.arange(200) % 3})
    table["moa"] = table["moa"].astype(object)
    table["n_pos_pairs"], table["n_total_pairs"] = pos, pos + rng.integers(5, 8, size=200)
    table["average_precision"] = precision
    table["normalized_average_precision"] = precision - 0.1
    return table.set_axis(np.arange(200) % 30)


@pytest.fixture
def both(tmp_path):
    """Return a function that runs both with folders of their own, and compares."""

    def run(name, *args, **kwargs):
        pair = Pair(name)
        theirs = outcome(pair.original, *args, cache_dir=tmp_path / "theirs", **kwargs)
        why, ours = pair.declines(*args, cache_dir=tmp_path / "ours", **kwargs)
        if same_error(theirs, ours):
            return type(ours).__name__
        equal(theirs, ours, within=0)
        return why

    return run


MISSING = np.arange(200) % 9 == 0
TABLES = {
    "as it is": lambda t: t,
    "None in labels": lambda t: t.assign(moa=t["moa"].where(~MISSING, None)),
    "NaN in numbers": lambda t: t.assign(moa=pd.Series(np.arange(200) % 5.0).where(~MISSING).array),
    "categories": lambda t: t.assign(moa=t["moa"].astype("category")),
    "categories that do not occur": lambda t: t.assign(
        moa=pd.Categorical(t["moa"], ["m9", *(f"m{k}" for k in range(6))])
    ),
    "texts": lambda t: t.assign(moa=t["moa"].astype("string")),
    "truth values": lambda t: t.assign(moa=t["moa"] == "m1"),
    "dates": lambda t: t.assign(moa=pd.Timestamp("2020-01-01") + pd.to_timedelta(t["dose"], "D")),
    "a group": lambda t: t.assign(moa="m"),
    "a row": lambda t: t.dropna().iloc[:1],
    "counts that are unsigned": lambda t: t.astype({"n_pos_pairs": np.uint32}),
    "named columns": lambda t: t.rename_axis(columns="column"),
}


@pytest.mark.parametrize("sameby", [["moa"], ["moa", "dose"]], ids=str)
@pytest.mark.parametrize("case", TABLES)
def test_means_are_equal(both, scores, case, sameby):
    assert both(":mean_average_precision", TABLES[case](scores), sameby, **MEANS) is None


OUTSIDE = {
    "no scores": lambda t: t.assign(average_precision=np.nan),
    "no labels": lambda t: t.assign(moa=None),
    "counts as read": lambda t: t.astype({"n_pos_pairs": float, "n_total_pairs": float}),
    "no counts": lambda t: t.drop(columns="n_total_pairs"),
    "no rows": lambda t: t.iloc[:0],
    "a column twice": lambda t: pd.concat([t, t[["dose"]]], axis=1),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_tables_outside_of_the_domain_end_as_in_the_original(both, scores, case):
    assert both(":mean_average_precision", OUTSIDE[case](scores), ["moa"], **MEANS)


@pytest.mark.parametrize("sameby", ["moa", ("moa",), [], ["nothing"], ["moa", "moa"]], ids=repr)
def test_groups_outside_of_the_domain_end_as_in_the_original(both, scores, sameby):
    assert both(":mean_average_precision", scores, sameby, **MEANS)


def test_columns_are_those_of_the_release(both, scores, tmp_path):
    pair = Pair(":mean_average_precision")
    ours = pair.stand_in(scores, ["moa"], cache_dir=tmp_path, **MEANS)
    assert ("moa" in ours) == copairs_release().columns_of_sameby
    assert ("mean_normalized_average_precision" in ours) == copairs_release().normalizes


def test_the_release_that_is_installed_is_known():
    assert version_of("copairs") in VERSIONS
    assert all(version_of("copairs") in Pair(name).entry.versions for name in (
        "average_precision:average_precision", ":mean_average_precision", ":get_null_dists"
    ))  # fmt: skip


def test_missing_normalized_scores_end_as_in_the_original(both, scores):
    table = scores.drop(columns="normalized_average_precision")
    why = both(":mean_average_precision", table, ["moa"], **MEANS)
    assert (why is not None) == copairs_release().normalizes


def test_a_progress_bar_may_be_left_out(both, scores):
    if not Pair(":mean_average_precision").takes("progress_bar"):
        pytest.skip("this release of copairs always draws progress")
    why = both(":mean_average_precision", scores, ["moa"], **MEANS, progress_bar=False)
    assert why == ("TypeError" if copairs_release().silent_means_fail else None)


class TestHierarchical:
    """Corrections within groups of groups."""

    pytestmark = pytest.mark.skipif(
        version_of("copairs") in VERSIONS[:4], reason="only copairs 0.5.4 and later has them"
    )

    @pytest.mark.parametrize("by", [["moa"], ["dose"], ["moa", "dose"], ["other"], "moa"], ids=str)
    @pytest.mark.parametrize("case", ["as it is", "categories", "None in labels"])
    def test_means_are_equal(self, both, scores, case, by):
        why = both(
            ":mean_average_precision_hierarchical",
            TABLES[case](scores),
            ["moa", "dose"],
            **MEANS,
            hierarchical_by=by,
        )
        assert why == (None if by in (["moa"], ["dose"]) else "ValueError")

    def test_p_values_alone_are_equal(self, both, scores):
        assert both(":get_map_pvalue", scores, ["moa"], null_size=300, seed=1) is None

    def test_corrections_alone_are_equal(self):
        rng = np.random.default_rng(1)
        table = pd.DataFrame({"a": rng.integers(40, size=300), "b": np.arange(300)})
        table["p_value"] = rng.uniform(size=300) ** 6
        equal(*Pair(":apply_hierarchical_fdr_correction")(table, ["a"], ["a", "b"]), within=0)
