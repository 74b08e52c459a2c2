"""Average precision against a plain implementation, pair by pair, and what it finds."""

import warnings
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from helpers.small_screens import plate, write_csv
from wellgram import (
    InputError,
    PCACenterScale,
    PerturbationMap,
    Wells,
    average_precision,
    build_map,
    mean_average_precision,
    open_wells,
    read_map,
    read_wells,
    write_map,
)
from wellgram.errors import TiesWarning
from wellgram.metrics.ranking import (
    chance_precision,
    expected_by_negatives,
    expected_by_positives,
)
from wellgram.nulls import every_precision, random_precisions
from wellgram.simulate import rxrx3_core

# Screens of few values, and rules by which a pair is a positive and a negative, have ties.
pytestmark = [
    pytest.mark.filterwarnings("ignore::wellgram.errors.TiesWarning"),
    pytest.mark.filterwarnings("ignore::wellgram.errors.IdenticalRowsWarning"),
]

SIMILARITIES = {
    "cosine": lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
    "abs_cosine": lambda a, b: abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b),
    "correlation": lambda a, b: np.corrcoef(a, b)[0, 1],
    "euclidean": lambda a, b: -np.linalg.norm(a - b),
}


def plain(x, meta, similarity, pos_sameby=(), pos_diffby=(), neg_sameby=(), neg_diffby=()):
    """AP, positives and all of each profile: every pair is looked at, every ranking made."""
    rows = meta.to_dict("records")

    def paired(i, j, same, differ):
        return i != j and all(rows[i][c] == rows[j][c] for c in same) and all(
            rows[i][c] != rows[j][c] for c in differ
        )  # fmt: skip

    found = []
    for i in range(len(x)):
        ranking = []
        for j in range(len(x)):
            if paired(i, j, pos_sameby, pos_diffby):
                ranking.append((similarity(x[i], x[j]), 1))
            if paired(i, j, neg_sameby, neg_diffby):
                ranking.append((similarity(x[i], x[j]), 0))
        found.append(precision_of(ranking))
    return found


def precision_of(ranking):
    """The expectation over random orders of equals, rank by rank."""
    labels = np.array([label for _, label in ranking])
    if not labels.any() or labels.all():
        return np.nan, int(labels.sum()), len(labels)
    total, before, above = 0.0, 0, 0
    for value in sorted({value for value, _ in ranking}, reverse=True):
        equal = [label for other, label in ranking if other == value]
        m, p = len(equal), sum(equal)
        for i in range(m):
            expected = before + 1 + (i * (p - 1) / (m - 1) if m > 1 else 0)
            total += p / m * expected / (above + i + 1)
        before, above = before + p, above + m
    return total / before, before, above


def with_any_order(positives, negatives):
    """The mean average precision over all orders of equals: (value, ...) of both kinds."""
    items = [(value, 1) for value in positives] + [(value, 0) for value in negatives]
    found = []
    for order in permutations(range(len(items))):
        ranked = sorted(order, key=lambda k: -items[k][0])  # a stable sort keeps the order
        labels = np.array([items[k][1] for k in ranked])
        found.append((np.cumsum(labels) / np.arange(1, len(labels) + 1))[labels == 1].mean())
    return np.mean(found)


@pytest.mark.parametrize("seed", range(12))
def test_the_expectation_is_the_mean_over_all_orders(seed):
    rng = np.random.default_rng(seed)
    positives, negatives = (np.sort(rng.integers(0, 3, size)) for size in rng.integers(1, 5, 2))
    expected = with_any_order(positives, negatives)
    ranking = [(value, 1) for value in positives] + [(value, 0) for value in negatives]
    assert precision_of(ranking)[0] == pytest.approx(expected, rel=1e-12)

    def above(of, among):
        return np.array([(among > value).sum() for value in of])

    def up_to(of, among):
        return np.array([(among >= value).sum() for value in of])

    listed = expected_by_positives(
        np.array([0, len(positives)]), above(positives, negatives), up_to(positives, negatives)
    )
    counted = expected_by_negatives(
        np.array([0, len(negatives)]),
        above(negatives, positives),
        up_to(negatives, positives),
        np.array([len(positives)]),
    )
    np.testing.assert_allclose([*listed, *counted], expected, rtol=1e-12)


def profiles(rng, n=60, d=6, classes=12):
    meta = pd.DataFrame(
        {
            "perturbation": rng.integers(0, classes, n).astype(str),
            "batch": rng.integers(0, 3, n).astype(str),
            "is_control": rng.random(n) < 0.3,
            "target": rng.integers(0, 4, n).astype(str),
        }
    )
    return rng.normal(size=(n, d)), meta


RULES = [
    {"pos_sameby": ["perturbation"], "neg_diffby": ["perturbation"]},
    {"pos_sameby": ["perturbation"], "neg_sameby": ["batch"], "neg_diffby": ["is_control"]},
    {"pos_sameby": ["target"], "pos_diffby": ["perturbation"], "neg_diffby": ["target", "batch"]},
    {"pos_sameby": ["is_control"], "neg_sameby": ["target"], "neg_diffby": ["is_control"]},
    {"pos_diffby": ["is_control"], "neg_sameby": ["perturbation"]},
    {"pos_sameby": ["perturbation", "batch"], "neg_diffby": ["perturbation", "batch", "target"]},
]


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_every_pair_by_hand(rng, rules, similarity, backend):
    x, meta = profiles(rng)
    expected = plain(x, meta, SIMILARITIES[similarity], **rules)
    result = average_precision(
        PerturbationMap(x, meta), similarity=similarity, backend=backend, **rules
    )
    table = result.table
    ap, positives, whole = map(np.array, zip(*expected, strict=True))
    np.testing.assert_array_equal(table["n_pos_pairs"], positives)
    np.testing.assert_array_equal(table["n_total_pairs"], whole)
    np.testing.assert_allclose(table["average_precision"], ap, rtol=1e-12)
    assert ((table["reason"] == "") == ~np.isnan(ap)).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 3), st.integers(1, 8))
def test_any_screen(seed, n, d, classes):
    """Few features of few values: many similarities tie."""
    rng = np.random.default_rng(seed)
    x, meta = profiles(rng, n, d, classes)
    x = np.where(np.abs(x) < 1, 1.0, np.sign(x) * 2) * 0.5  # products are exact
    rules = RULES[seed % len(RULES)]

    def negated_distance(a, b):
        return -((a - b) ** 2).sum()

    try:
        table = average_precision(PerturbationMap(x, meta), similarity="euclidean", **rules).table
    except InputError:
        return
    ap, positives, whole = map(
        np.array, zip(*plain(x - x.mean(axis=0), meta, negated_distance, **rules), strict=True)
    )
    np.testing.assert_array_equal(table["n_pos_pairs"], positives)
    np.testing.assert_array_equal(table["n_total_pairs"], whole)
    assert (np.isnan(table["average_precision"]) == np.isnan(ap)).all()


OTHERS = {"pos_sameby": "perturbation", "neg_diffby": "perturbation"}


def of_rows(x, names, **options):
    rows = PerturbationMap(np.asarray(x), pd.DataFrame({"perturbation": names}))
    return average_precision(rows, **OTHERS, **options)


def test_equals_in_expectation_or_positives_first():
    x = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1]])
    # Row 0: its positive and row 2 are as similar. Row 2: rows 0 and 1 come before its positive.
    first = of_rows(x, [*"aabb"], ties="first").table["average_precision"]
    assert first.tolist() == [1, 1, 1 / 3, 1]
    expected = of_rows(x, [*"aabb"]).table["average_precision"]
    # Row 0: first or second of two. Row 3: its positive is one of three equals.
    np.testing.assert_allclose(expected, [3 / 4, 3 / 4, 1 / 3, (1 + 1 / 2 + 1 / 3) / 3])


@pytest.mark.parametrize("listed", ["positives", "negatives"])
def test_ties_whichever_side_is_listed(listed):
    """All on one line, so that every ranking is of equals: chance, or positives first."""
    x = np.tile([[1.0, 2.0]], (6, 1))
    kind = ["a", "a", "b", "b", "b", "b"] if listed == "positives" else ["a"] * 5 + ["b"]
    first = of_rows(x, kind, ties="first").table["average_precision"].dropna()
    assert (first == 1).all()
    table = of_rows(x, kind).table.dropna()
    np.testing.assert_allclose(table["normalized_average_precision"], 0, atol=1e-12)


def test_many_ties_are_warned_of(rng):
    with pytest.warns(TiesWarning, match="100% of the pairs of a positive and a negative"):
        assert of_rows(np.ones((8, 4)), [*"aabbccdd"]).tied_share == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert of_rows(rng.normal(size=(8, 4)), [*"aabbccdd"]).tied_share == 0
    with pytest.raises(InputError, match="unknown ties 'last'"):
        of_rows(np.ones((8, 4)), [*"aabbccdd"], ties="last")


@pytest.mark.parametrize("values", ["signs", "six rows", "bits"])
def test_features_of_few_values_are_no_signal(rng, values):
    """Ties broken at random change nothing but noise; positives first found 64 % of signs."""
    x = {
        "signs": rng.choice([-1.0, 1.0], (240, 1)) * np.ones((1, 8)),
        "six rows": np.eye(6)[rng.integers(0, 6, 240)],
        "bits": (rng.random((240, 6)) < 0.5) + 1.0,
    }[values]
    names = ["DMSO"] * 40 + [f"c{k}" for k in range(50) for _ in range(4)]
    wells = Wells.from_arrays(x.astype(np.float32), names, control="DMSO")
    rules = {"pos_sameby": "perturbation", "neg_diffby": "is_control"}
    treated = ~wells.metadata["is_control"].to_numpy()
    result = mean_average_precision(average_precision(wells, **rules, scored=treated))
    assert result.table["below_q"].mean() < 0.05
    first = mean_average_precision(average_precision(wells, **rules, scored=treated, ties="first"))
    scores = (of.table["mean_average_precision"].mean() for of in (first, result))
    assert next(scores) > 1.15 * next(scores)  # what positives first adds here: 20 % at the least


def test_labels_shared_by_lists(rng):
    """Compounds of several targets: a ranking per target, negatives share none."""
    x, meta = profiles(rng, 40)
    names = np.array(["kinase", "tubulin", "HDAC", "proteasome", "BET", "GPCR"])
    labels = [rng.choice(names, rng.integers(0, 4), replace=False).tolist() for _ in range(40)]
    labels[3] = ["BET", "BET"]  # twice the same is once
    labels[5] = None
    meta["targets"] = labels
    table = average_precision(
        PerturbationMap(x, meta),
        pos_sameby=["targets"],
        pos_diffby=["perturbation"],
        neg_sameby=["batch"],
        neg_diffby=["targets"],
        multilabel="targets",
    ).table
    sets = [set(some or ()) for some in labels]
    expected = []
    for i, own in enumerate(sets):
        for label in dict.fromkeys(labels[i] or ()):
            ranking = []
            for j, other in enumerate(sets):
                similar = SIMILARITIES["cosine"](x[i], x[j])
                if j == i:
                    continue
                if label in other and meta["perturbation"][i] != meta["perturbation"][j]:
                    ranking.append((similar, 1))
                if not own & other and meta["batch"][i] == meta["batch"][j]:
                    ranking.append((similar, 0))
            expected.append((label, *precision_of(ranking)))
    label, ap, positives, whole = map(list, zip(*expected, strict=True))
    assert table["targets"].tolist() == label
    assert table["n_pos_pairs"].tolist() == positives
    assert table["n_total_pairs"].tolist() == whole
    np.testing.assert_allclose(table["average_precision"], ap, rtol=1e-12)


def test_lists_of_labels_travel_from_wells_to_the_map(rng, tmp_path):
    names = np.repeat([*"abcdefgh"], 4)
    wells = Wells.from_arrays(rng.normal(size=(32, 5)), names, control="a")
    targets = [["x", "y"] if name in "bcd" else ["z"] for name in names]
    given = Wells(wells.embeddings, wells.metadata.assign(targets=targets), wells.origin)
    map_ = build_map(given)
    rules = {"pos_sameby": "targets", "neg_diffby": "targets", "multilabel": "targets"}
    table = average_precision(map_, **rules).table
    assert table["targets"].tolist() == [*"xyxyxyzzzz"]
    write_map(map_, tmp_path / "map.parquet")
    read = average_precision(read_map(tmp_path / "map.parquet"), **rules).table
    np.testing.assert_array_equal(read["average_precision"], table["average_precision"])


def test_lists_of_one_label_are_labels(rng):
    x, meta = profiles(rng)
    meta["targets"] = [[label] for label in meta["target"]]
    rows = PerturbationMap(x, meta)
    one = average_precision(rows, pos_sameby="target", neg_diffby="target").table
    many = average_precision(
        rows, pos_sameby="targets", neg_diffby="targets", multilabel="targets"
    ).table
    np.testing.assert_allclose(one["average_precision"], many["average_precision"], rtol=1e-14)
    only = average_precision(
        rows, pos_sameby="target", neg_diffby="targets", multilabel="targets"
    ).table
    np.testing.assert_allclose(one["average_precision"], only["average_precision"], rtol=1e-14)


def test_only_some_are_scored(rng):
    x, meta = profiles(rng)
    rows = PerturbationMap(x, meta)
    whole = average_precision(rows, **RULES[1]).table
    scored = ~meta["is_control"].to_numpy()
    some = average_precision(rows, scored=scored, **RULES[1])
    pd.testing.assert_frame_equal(some.table[scored], whole[scored])
    assert (some.table["reason"][~scored] == "not scored").all()
    groups = mean_average_precision(some).table
    assert set(groups["perturbation"]) == set(meta["perturbation"][scored])


def test_wells_are_aligned_and_streamed(tmp_path):
    path = write_csv(tmp_path / "plate.csv", plate())
    options = {"layout": "cell-painting", "perturbation": "Metadata_broad_sample"}
    rules = {"pos_sameby": "perturbation", "neg_diffby": "is_control"}
    held, stream = read_wells(path, **options), open_wells(path, **options)
    first = average_precision(held, **rules).table
    pd.testing.assert_frame_equal(average_precision(stream, **rules).table, first)
    assert (first["n_pos_pairs"][4:] == 1).all()
    assert (first["n_total_pairs"][4:] == 5).all()


def test_rounding_of_float32_changes_little(rng):
    x, meta = profiles(rng, 300, 40)
    exact, rounded = (
        average_precision(PerturbationMap(x.astype(kind), meta), **RULES[0]).table
        for kind in (np.float64, np.float32)
    )
    differ = (exact["average_precision"] - rounded["average_precision"]).abs()
    assert (differ < 1e-12).mean() > 0.99  # but for similarities nearer than 1e-7
    assert differ.max() < 1e-2


def test_bad_input(rng):
    x, meta = profiles(rng)
    meta["label"] = [["a"], *["b|c"] * 59]
    meta.loc[3, "target"] = None
    rows = PerturbationMap(x, meta)
    both = {"pos_sameby": "perturbation", "neg_diffby": "perturbation"}
    for change, said in (
        ({"pos_sameby": "moa"}, "no column 'moa' to pair profiles by; there are perturbation"),
        ({"pos_sameby": "target"}, "1 of 60 profiles have no 'target'"),
        ({"pos_diffby": "perturbation"}, "both equal and different in 'perturbation'"),
        ({"neg_diffby": ()}, "name a column that negative pairs"),
        ({"similarity": "manhattan"}, "unknown similarity 'manhattan'"),
        ({"scored": np.ones(3, bool)}, "scored has shape"),
        ({"multilabel": "batch"}, "no rule speaks of the labels 'batch'"),
        ({"neg_sameby": "label", "multilabel": "label"}, "lists of labels such as 'label'"),
        ({"pos_sameby": "label", "multilabel": "label"}, "holds the text 'b|c'"),
    ):
        with pytest.raises(InputError, match=said.replace("|", r"\|")):
            average_precision(rows, **{**both, **change})
    meta["each"] = np.arange(60)
    with pytest.raises(InputError, match="no pair of 60 profiles is positive"):
        average_precision(rows, pos_sameby="each", neg_diffby="perturbation")
    meta["one"] = 1
    with pytest.raises(InputError, match="no pair of 60 profiles is negative"):
        average_precision(rows, pos_sameby="perturbation", neg_diffby="one")
    x[4] = 1
    with pytest.raises(InputError, match=r"1 profiles are the same in all features.*row 4"):
        average_precision(PerturbationMap(x, meta), **both, similarity="correlation")
    x[4] = 0
    with pytest.raises(InputError, match="row 4"):
        average_precision(PerturbationMap(x, meta), **both)


@pytest.mark.parametrize(("p", "n"), [(1, 1), (1, 6), (3, 7), (6, 7), (4, 12)])
def test_every_ranking(p, n):
    expected = [
        np.mean([(t + 1) / (place + 1) for t, place in enumerate(places)])
        for places in combinations(range(n), p)
    ]
    got = every_precision(p, n)
    np.testing.assert_allclose(np.sort(got), np.sort(expected), rtol=1e-14)
    np.testing.assert_allclose(got.mean(), chance_precision(p, n), rtol=1e-12)


@pytest.mark.parametrize(("p", "n"), [(2, 30), (27, 30), (9, 900)])
def test_random_rankings_are_even(p, n):
    draws = random_precisions(p, n, 20_000, seed=5)
    error = draws.std() / np.sqrt(len(draws))
    assert abs(draws.mean() - chance_precision(p, n)) < 4 * error
    if p == 2:
        assert kstest(draws, every_precision(p, n)).pvalue > 0.01


def test_p_values_of_profiles_without_effect_are_even(rng):
    """One profile of each of many groups, so that p-values hardly depend on each other."""
    x, n = rng.normal(size=(1200, 30)), 1200
    meta = pd.DataFrame({"perturbation": np.arange(n) // 4, "each": np.arange(n)})
    scored = np.arange(n) % 4 == 0
    ap = average_precision(
        PerturbationMap(x, meta),
        pos_sameby="perturbation",
        neg_diffby="perturbation",
        scored=scored,
    )
    table = mean_average_precision(ap, "each", null_size=5000, seed=3).table
    assert kstest(table["p_value"], "uniform").pvalue > 0.01
    assert not table["below_q"].any()
    np.testing.assert_allclose(table["normalized_average_precision"].mean(), 0, atol=2e-3)


def test_planted_effects_are_found_and_false_ones_rare(rng):
    groups, planted = 200, 50
    center = np.zeros((groups, 24))
    center[:planted] = rng.normal(size=(planted, 24))
    label = np.repeat(np.arange(groups), 5)
    x = center[label] + rng.normal(size=(len(label), 24))
    meta = pd.DataFrame({"perturbation": label})
    ap = average_precision(
        PerturbationMap(x, meta), pos_sameby="perturbation", neg_diffby="perturbation"
    )
    table = mean_average_precision(ap, seed=1).table
    found = table["below_q"].to_numpy()
    assert found[:planted].mean() > 0.9
    assert found[planted:].sum() <= 0.05 * found.sum() + 3
    assert table["median_average_precision"][:planted].mean() > 0.3


def test_small_groups_have_exact_p_values():
    """One positive among four: the best ranking is one of four, and no rarer."""
    x = np.array([[1.0, 0], [1, 0.1], [-1, 0], [-1, 0.2], [-1, -0.3]])
    meta = pd.DataFrame({"perturbation": ["a", "a", "b", "c", "d"]})
    ap = average_precision(
        PerturbationMap(x, meta), pos_sameby="perturbation", neg_diffby="perturbation"
    )
    row = mean_average_precision(ap).table.iloc[0]
    assert (row["mean_average_precision"], row["p_value"], row["null"]) == (
        1,
        0.25,
        "every ranking",
    )
    copairs = mean_average_precision(ap, p_form="plus-one-above").table.iloc[0]
    assert copairs["p_value"] == 1 / 10_001
    sampled = mean_average_precision(ap, null_size=3, seed=8).table.iloc[0]
    assert sampled["null"] == "random rankings"
    table = mean_average_precision(ap).table
    assert table["reason"].tolist() == ["", "no positives", "no positives", "no positives"]
    assert table["p_value"].isna().tolist() == [False, True, True, True]


def test_groups_of_several_kinds_of_ranking(rng):
    """The null of a group is the mean of its profiles' nulls, draw by draw."""
    x, meta = profiles(rng, 90)
    ap = average_precision(PerturbationMap(x, meta), **RULES[1])
    result = mean_average_precision(ap, "target", null_size=500, seed=6)
    for row in result.table.itertuples():
        own = ap.table[(ap.table["target"] == row.target) & ap.table["average_precision"].notna()]
        null = np.mean(
            [
                random_precisions(r.n_pos_pairs, r.n_total_pairs, 500, seed=6)
                for r in own.itertuples()
            ],
            axis=0,
        )
        assert row.p_value == (1 + (null >= row.mean_average_precision - 1e-11).sum()) / 501
        assert row.null_mean == pytest.approx(null.mean(), rel=1e-12)
        assert row.mean_average_precision == pytest.approx(own["average_precision"].mean())


def test_p_values_do_not_depend_on_backend_or_threads(rng, monkeypatch):
    x, meta = profiles(rng, 80)
    tables = []
    for backend, threads in (("reference", "1"), ("cpu", "1"), ("cpu", "2")):
        monkeypatch.setenv("WELLGRAM_NUM_THREADS", threads)
        ap = average_precision(PerturbationMap(x, meta), backend=backend, **RULES[1])
        tables.append(mean_average_precision(ap, null_size=300, seed=2, backend=backend).table)
    for other in tables[1:]:
        np.testing.assert_array_equal(other["p_value"], tables[0]["p_value"])
    again = mean_average_precision(ap, null_size=300, seed=3).table
    assert (again["p_value"] != tables[0]["p_value"]).any()


def test_bad_parameters_of_the_mean(rng):
    x, meta = profiles(rng)
    ap = average_precision(PerturbationMap(x, meta), **RULES[0])
    with pytest.raises(InputError, match="null_size must be 1"):
        mean_average_precision(ap, null_size=0)
    with pytest.raises(InputError, match="no column 'moa'"):
        mean_average_precision(ap, "moa")
    with pytest.raises(InputError, match="seed must be a whole number"):
        mean_average_precision(ap, seed=1.5)
    with pytest.raises(InputError, match="unknown form"):
        mean_average_precision(ap, p_form="plus-two")


def test_planted_complexes_are_found_and_shuffled_ones_not(tmp_path):
    screen = rxrx3_core(scale=0.2, seed=1, features=64)
    map_ = build_map(screen.wells(), PCACenterScale())
    # Every pair of a complex is listed, so its least member stands for it.
    pairs = screen.relationships.apply(sorted, axis=1, result_type="expand")
    least = pairs.groupby(1)[0].min()
    name = map_.labels["perturbation"]
    genes = name.isin(pairs.to_numpy().ravel()).to_numpy()
    labels = map_.labels[genes].assign(complex=name.map(least).fillna(name)[genes])
    shuffled = labels["complex"].sample(frac=1, random_state=0).to_numpy()
    found = []
    for names in (labels, labels.assign(complex=shuffled)):
        ap = average_precision(
            PerturbationMap(map_.embeddings[genes], names.reset_index(drop=True)),
            pos_sameby="complex",
            neg_diffby="complex",
        )
        result = mean_average_precision(ap)
        found.append(result.table["below_q"].mean())
    assert found[0] > 0.5
    assert found[1] < 0.05
    result.save(tmp_path / "map.csv")
    ap.save(tmp_path / "ap.csv")
    assert len(pd.read_csv(tmp_path / "map.csv")) == len(result.table)
    assert "Mean average precision of" in repr(result)
    assert "same complex" in repr(ap)
    assert result.plot().get_ylabel() == "p-value"


def test_an_empty_null_is_refused():
    with pytest.raises(InputError, match="a ranking needs 1 to 4 positives"):
        every_precision(0, 4)
    with pytest.raises(InputError, match="a ranking needs 1 to 4 positives"):
        random_precisions(5, 4, 10)


def test_wells_from_arrays(rng):
    """The least a user has: embeddings, labels, and which are controls."""
    labels = np.repeat(["a", "b", "DMSO"], 8)
    wells = Wells.from_arrays(rng.normal(size=(24, 4)), labels, control="DMSO")
    table = average_precision(wells, pos_sameby="perturbation", neg_diffby="is_control").table
    assert table["n_total_pairs"].tolist() == [15] * 16 + [23] * 8
