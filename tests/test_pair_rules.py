"""Rules of any columns, labels without a value, and several labels in a text, pair by pair."""

import warnings

import numpy as np
import pandas as pd
import pytest

from wellgram import InputError, PerturbationMap, average_precision, mean_average_precision
from wellgram.errors import LabelsWarning
from wellgram.metrics import profile_ranks

MISSING = ["", " ", "nan", "None", "NA", None, np.nan]


def make_profiles(seed=0, n=60):
    rng = np.random.default_rng(seed)
    meta = pd.DataFrame(
        {
            "perturbation": [f"c{i}" for i in range(n)],
            "a": rng.integers(0, 6, n),
            "b": rng.choice([*"uvwxyz"], n),
            "c": rng.choice([*"kl"], n),
            "d": rng.choice([*"no"], n),
        }
    )
    return PerturbationMap(rng.normal(size=(n, 7)), meta)


def pairs_of(meta, rule, alike):
    """(n, n): which profiles are equal (`alike`) or different by a rule, both having a value."""
    n = len(meta)

    def by(column):
        values = meta[column].to_numpy(object)
        equal = values[:, None] == values[None]
        known = pd.notna(values)
        return (equal if alike else ~equal) & known[:, None] & known[None]

    columns = rule if isinstance(rule, dict) else {"all": rule}
    allowed = np.ones((n, n), bool)
    for column in columns.get("all", []):
        allowed &= by(column)
    if columns.get("any"):
        allowed &= np.any([by(column) for column in columns["any"]], axis=0)
    return allowed & ~np.eye(n, dtype=bool)


def by_definition(map_, pos_sameby=(), pos_diffby=(), neg_sameby=(), neg_diffby=()):
    """Average precision and counts, every pair looked at; no two cosines are equal."""
    unit = map_.embeddings / np.linalg.norm(map_.embeddings, axis=1, keepdims=True)
    cosines, meta = unit @ unit.T, map_.labels
    positive = pairs_of(meta, pos_sameby, True) & pairs_of(meta, pos_diffby, False)
    negative = pairs_of(meta, neg_sameby, True) & pairs_of(meta, neg_diffby, False)
    precision = np.full(len(unit), np.nan)
    for i in range(len(unit)):
        if positive[i].any() and negative[i].any():
            places = cosines[i][positive[i]][:, None]
            t = (cosines[i][positive[i]] >= places).sum(axis=1)
            precision[i] = (t / (t + (cosines[i][negative[i]] > places).sum(axis=1))).mean()
    return precision, positive.sum(axis=1), (positive | negative).sum(axis=1)


RULES = [
    {"pos_sameby": {"any": ["a", "b"]}, "neg_diffby": {"all": ["a", "b"]}},
    {"pos_sameby": {"any": ["a", "b"], "all": ["c"]}, "neg_sameby": ["c"],
     "neg_diffby": ["a", "b"]},
    {"pos_sameby": {"any": ["a", "b", "c"]}, "neg_diffby": ["a", "b", "c"]},
    {"pos_sameby": {"all": ["a", "b"]}, "neg_diffby": {"any": ["a", "b"]}},
    {"pos_sameby": ["a", "b"], "neg_sameby": {"any": ["c"]}, "neg_diffby": {"any": ["a", "b"]}},
    {"pos_sameby": {"any": ["a", "b"]}, "pos_diffby": ["c"],
     "neg_sameby": {"any": ["c", "d"]}, "neg_diffby": {"all": ["a", "b"]}},
]  # fmt: skip


@pytest.mark.parametrize("at_once", [1 << 20, 40])
@pytest.mark.parametrize("rules", RULES)
def test_any_and_all_are_what_they_say(rules, at_once, monkeypatch):
    monkeypatch.setattr(profile_ranks, "_PAIRS_AT_ONCE", at_once)
    map_ = make_profiles()
    precision, positives, whole = by_definition(map_, **rules)
    table = average_precision(map_, **rules).table
    assert table["n_pos_pairs"].tolist() == positives.tolist()
    assert table["n_total_pairs"].tolist() == whole.tolist()
    np.testing.assert_allclose(table["average_precision"], precision, rtol=1e-12)


@pytest.mark.parametrize("missing", MISSING)
def test_any_column_may_lack_values(missing):
    map_ = make_profiles(1)
    labels = map_.labels.astype({"b": object})
    labels.loc[[3, 7, 8, 30], "b"] = missing
    blanked = PerturbationMap(map_.embeddings, labels)
    rules = {"pos_sameby": {"any": ["a", "b"], "all": ["c"]}, "neg_diffby": ["c"]}
    as_none = labels.assign(b=labels["b"].where(~labels.index.isin([3, 7, 8, 30]), None))
    expected, positives, _ = by_definition(PerturbationMap(map_.embeddings, as_none), **rules)
    table = average_precision(blanked, **rules).table
    assert table["n_pos_pairs"].tolist() == positives.tolist()
    np.testing.assert_allclose(table["average_precision"], expected, rtol=1e-12)


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("rule", ["pos_sameby", "pos_diffby", "neg_sameby", "neg_diffby"])
def test_a_label_without_a_value_makes_no_group(missing, rule):
    map_ = make_profiles(2)
    labels = map_.labels.assign(d=map_.labels["b"].astype(object))
    labels.loc[[5, 6], "d"] = missing
    rules = {"pos_sameby": "a", "neg_diffby": "a"}
    rules = {**rules, rule: "d"} if rule not in rules else {**rules, rule: ["d"]}
    with pytest.raises(InputError, match="2 of 60 profiles have no 'd'"):
        average_precision(PerturbationMap(map_.embeddings, labels), **rules)


@pytest.mark.parametrize("missing", MISSING)
def test_groups_are_of_profiles_with_a_value(missing):
    map_ = make_profiles(3)
    labels = map_.labels.assign(family=map_.labels["b"].astype(object))
    labels.loc[labels["b"].isin([*"uv"]), "family"] = missing
    scored = average_precision(
        PerturbationMap(map_.embeddings, labels), pos_sameby="a", neg_diffby="a"
    )
    groups = mean_average_precision(scored, sameby="family", null_size=100).table
    assert groups["family"].tolist() == [*"wxyz"]


def test_any_columns_make_no_group_by_themselves():
    scored = average_precision(
        make_profiles(), pos_sameby={"any": ["a", "b"], "all": "c"}, neg_diffby="c"
    )
    with pytest.raises(InputError, match=r"sameby="):
        mean_average_precision(scored, null_size=100)
    groups = mean_average_precision(scored, "a", null="labels", null_size=100).table
    assert groups["a"].tolist() == [*range(6)]
    assert (groups["null"] != "permuted labels").all()


@pytest.mark.parametrize("missing", MISSING)
def test_texts_are_parted_as_lists_are(missing):
    map_ = make_profiles(4, 40)
    rng = np.random.default_rng(5)
    lists = [list(rng.choice([*"pqrst"], rng.integers(0, 4), replace=False)) for _ in range(40)]
    texts = [" | ".join(some) if some else missing for some in lists]
    rules = {"pos_sameby": "moa", "neg_diffby": "moa", "multilabel": "moa"}
    of_lists, of_texts = (
        average_precision(
            PerturbationMap(map_.embeddings, map_.labels.assign(moa=values)), **rules, **more
        ).table
        for values, more in ((lists, {}), (texts, {"separator": "|"}))
    )
    pd.testing.assert_frame_equal(of_texts, of_lists)


def test_values_that_look_like_several_are_named():
    map_ = make_profiles()
    moa = np.where(np.arange(60) < 20, "x|y", np.where(np.arange(60) < 40, "x", "z|w"))
    rows = PerturbationMap(map_.embeddings, map_.labels.assign(moa=moa))
    with pytest.warns(LabelsWarning, match=r"2 of 3 values of 'moa' hold '\|'.*separator='\|'"):
        average_precision(rows, pos_sameby="moa", neg_diffby="moa")
    apart = PerturbationMap(map_.embeddings, map_.labels.assign(moa=np.where(moa == "x", "v", moa)))
    with warnings.catch_warnings():
        warnings.simplefilter("error", LabelsWarning)
        average_precision(apart, pos_sameby="moa", neg_diffby="moa")


def test_rules_that_cannot_be():
    map_ = make_profiles()
    lists = PerturbationMap(map_.embeddings, map_.labels.assign(moa=[["x"]] * 60))
    for rules, words in (
        ({"pos_sameby": {"either": ["a"]}, "neg_diffby": "b"}, "not by 'either'"),
        ({"pos_sameby": {"any": ["a", "nope"]}, "neg_diffby": "b"}, "no column 'nope'"),
        ({"pos_sameby": "moa", "neg_diffby": "b"}, "multilabel='moa'"),
        ({"pos_sameby": {"any": ["moa", "a"]}, "neg_diffby": "b", "multilabel": "moa"},
         "cannot be one of any columns"),
        ({"pos_sameby": "a", "neg_diffby": "b", "separator": "|"}, "multilabel="),
        ({"pos_sameby": "moa", "neg_diffby": "b", "multilabel": "moa", "separator": ""}, "empty"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            average_precision(lists, **rules)
