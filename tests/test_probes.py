"""Probes of wells: splits that keep batches together, accuracies, intervals, and bad input."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from helpers.class_wells import Cheat, toy
from wellgram import CenterScale, InputError, Wells, linear_probe, neighbor_accuracy
from wellgram.metrics.blinding import HIDDEN, aligned_blind, blinded
from wellgram.metrics.penalties import standardized
from wellgram.probes import LDAProbe, Logistic, LogisticProbe, RidgeProbe
from wellgram.probes.accuracy import Outcomes
from wellgram.probes.splits import column_split, group_splits, held_out
from wellgram.simulate import rxrx1


@pytest.fixture(scope="module")
def wells():
    return rxrx1(0.08, seed=1, features=48).wells()


def by_batch(train):
    return lambda batch, code: np.where(np.isin(batch, train), "train", "test")


def test_a_column_split_follows_the_column(wells):
    split = column_split(wells, "dataset")
    assert (split.train == (wells.metadata["dataset"] == "train")).all()
    assert not (split.train & split.test).any()


@pytest.mark.parametrize("within", [None, "cell_type"])
def test_groups_are_each_tested_once_and_never_parted(wells, within):
    splits = group_splits(wells, "batch", folds=3, within=within, seed=3)
    assert (np.sum([split.test for split in splits], axis=0) == 1).all()
    batches, _ = wells.batches()
    for split in splits:
        assert not set(batches[split.train]) & set(batches[split.test])
        assert (split.train == ~split.test).all()
        if within:
            assert wells.metadata[within][split.test].nunique() == 4


def test_folds_depend_on_the_seed_alone(wells):
    one, same, other = (group_splits(wells, "batch", seed=seed) for seed in (0, 0, 1))
    assert all((a.test == b.test).all() for a, b in zip(one, same, strict=True))
    assert any((a.test != b.test).any() for a, b in zip(one, other, strict=True))


def test_cell_types_can_be_held_out(wells):
    result = linear_probe(wells, CenterScale(), split="cell_type", method="lda", penalty=0.2)
    assert "'cell_type' held out in 4 folds" in result.said
    assert len(result.outcomes.codes) == len(wells)


def test_a_split_that_parts_a_batch_is_refused(wells):
    with pytest.raises(InputError, match=r"'plate' parts the wells of .* batches"):
        linear_probe(wells, split="plate")
    mixed = toy(dataset=lambda batch, code: np.where(code % 2, "train", "test"))
    with pytest.raises(InputError, match="parts the wells of 6 batches"):
        neighbor_accuracy(mixed, split="dataset")


def test_a_penalty_is_chosen_on_batches_held_out_of_those_fitted_on(wells):
    split = column_split(wells, "dataset")
    choice = held_out(wells, split, seed=0)
    batches, _ = wells.batches()
    parts = [set(batches[mask]) for mask in (choice.train, choice.test, split.test)]
    for one, other in combinations(parts, 2):
        assert not one & other
    rows = CenterScale().fit_transform(wells)
    labels = pd.factorize(wells.metadata["perturbation"], sort=True)[0]
    train, out = (np.flatnonzero(mask) for mask in (choice.train, choice.test))
    x, other = standardized(rows, train, out)
    tried = [1e6, 1e4, 1e2, 1e0, 1e-2]
    classes = int(labels.max()) + 1
    losses = [
        Logistic(x, labels[train], classes).fit(one).classifier.log_loss(other, labels[out])
        for one in tried
    ]
    turn = np.flatnonzero(np.diff(losses) > 0)
    best = tried[turn[0]] if len(turn) else tried[-1]
    result = linear_probe(wells, CenterScale(), split="dataset", penalty=sorted(tried))
    assert result.penalties == [best]


@pytest.mark.parametrize("method", ["logistic", "ridge", "lda"])
def test_probes_find_what_is_planted_and_chance_where_nothing_is(wells, method):
    found = linear_probe(wells, CenterScale(), split="dataset", method=method)
    assert found.top_1 > 20 * found.table["chance"].iloc[0]
    shuffled = wells.metadata.assign(
        perturbation=np.random.default_rng(0).permutation(wells.metadata["perturbation"])
    )
    blind = linear_probe(
        Wells(wells.embeddings, shuffled, wells.origin), split="dataset", method=method
    )
    # The largest class, the untreated, is 4 in 40 wells: a probe may do no better than name it.
    assert blind.top_1 < 0.15


def test_figures_follow_from_ranks():
    tested = Outcomes(
        np.array([0, 0, 5, 4, 1, 0]), np.array([0, 0, 0, 0, 1, 1]), np.array([7, 7, 7, 9, 9, 9]),
        np.arange(6),
    )  # fmt: skip
    np.testing.assert_allclose(tested.accuracies(), [3 / 6, 5 / 6, (2 / 4 + 1 / 2) / 2])
    by_class = tested.by_class(["a", "b"])
    assert by_class["class"].tolist() == ["a", "b"]
    assert by_class["top_1"].tolist() == [0.5, 0.5]
    drawn = tested.resampled(400, seed=0)
    # Batches 7 and 9: two of one, two of the other, or one of each.
    assert set(np.round(drawn[0], 6)) == {round(2 / 3, 6), round(1 / 3, 6), 0.5}


def test_results_are_the_same_for_the_same_seed(wells):
    one, same = (
        linear_probe(wells, CenterScale(), split="batch", method="ridge", penalty=10.0, seed=2)
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(one.table, same.table)
    assert one.by_kind["cell_type"].tolist() == ["HEPG2", "HUVEC", "RPE", "U2OS"]
    assert one.by_kind["n_wells"].sum() == len(wells)
    assert (one.by_kind["ci_low"] <= one.by_kind["top_1"]).all()
    assert (one.by_kind["top_1"] <= one.by_kind["ci_high"]).all()


def test_an_interval_covers_the_accuracy_and_widens_with_batches_that_differ():
    steady = linear_probe(toy(batches=8), method="ridge", penalty=1.0, folds=8)
    low, high = steady.table.loc[0, ["ci_low", "ci_high"]]
    assert low <= steady.top_1 <= high
    uneven = toy(batches=8)
    spoiled = np.isin(uneven.metadata["batch"], ["b0", "b1", "b2"])
    uneven.embeddings[spoiled] = np.random.default_rng(1).normal(size=(int(spoiled.sum()), 8))
    wide = linear_probe(uneven, method="ridge", penalty=1.0, folds=8)
    assert np.ptp(wide.table.loc[0, ["ci_low", "ci_high"]]) > high - low + 0.1


def test_progress_rises_to_the_whole(wells):
    shares = []
    linear_probe(wells, split="dataset", method="ridge", progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 2


def test_neighbours_are_sought_in_other_batches():
    """Where a batch is all that wells share, neighbours within it would find nothing but it."""
    wells = toy(effect=3.0)
    batches, _ = wells.batches()
    shifts = 50 * np.random.default_rng(4).normal(size=(6, 8))
    shifted = Wells(wells.embeddings + shifts[batches], wells.metadata)
    assert neighbor_accuracy(wells).top_1 > 0.95
    result = neighbor_accuracy(shifted)
    x = shifted.embeddings / np.linalg.norm(shifted.embeddings, axis=1, keepdims=True)
    cosines = x @ x.T
    cosines[batches[:, None] == batches] = -9
    labels = wells.metadata["perturbation"].to_numpy()
    assert result.top_1 == pytest.approx((labels[cosines.argmax(axis=1)] == labels).mean())


def test_neighbours_may_be_sought_among_other_values_of_a_label():
    """Nothing is fitted to labels: a batch may be of one class, and parted by the split."""
    rng = np.random.default_rng(2)
    compound = np.repeat(np.arange(12), 4)
    wells = Wells.from_arrays(
        rng.normal(size=(3, 8))[compound % 3] + rng.normal(size=(48, 8)),
        [f"c{k}" for k in compound],
        control=["c0"],
        batch=np.where(compound % 3 == 2, "b2", np.tile(["b0", "b1"], 24)),
        controls_in_map=True,
    )
    wells.metadata["moa"] = [f"m{k % 3}" for k in compound]
    result = neighbor_accuracy(wells, label="moa", split="perturbation")
    assert result.said == "nearest wells of another 'perturbation', of the same batch too"
    x = wells.embeddings / np.linalg.norm(wells.embeddings, axis=1, keepdims=True)
    nearest = np.where(compound[:, None] != compound, x @ x.T, -9).argmax(axis=1)
    assert result.top_1 == (compound[nearest] % 3 == compound % 3).mean()
    assert len(result.outcomes.codes) == 48
    with pytest.raises(InputError, match="of one class only"):
        linear_probe(wells, label="moa")


def test_labels_that_say_nothing_are_no_class():
    wells = toy()
    wells.metadata["moa"] = wells.metadata["perturbation"].replace({"p3": "nan", "p2": " "})
    for result in (
        neighbor_accuracy(wells, label="moa"),
        linear_probe(wells, label="moa", method="ridge", penalty=1.0),
    ):
        assert result.by_class["class"].tolist() == ["p0", "p1"]


def test_neighbours_of_test_wells_are_train_wells():
    wells = toy(dataset=by_batch(["b0", "b1", "b2"]))
    result = neighbor_accuracy(wells, split="dataset")
    assert set(wells.metadata["batch"].to_numpy()[result.outcomes.wells]) == {"b3", "b4", "b5"}
    assert result.top_1 > 0.9


def test_a_class_that_was_never_trained_is_named_and_left_out():
    wells = toy(dataset=by_batch(["b0", "b1", "b2", "b3"]))
    only_tested = (wells.metadata["batch"] == "b5") & (wells.metadata["perturbation"] == "p3")
    wells.metadata.loc[only_tested, "perturbation"] = "new"
    for result in (
        linear_probe(wells, split="dataset", method="ridge", penalty=1.0),
        neighbor_accuracy(wells, split="dataset"),
    ):
        assert result.untrained == ["new"]
        assert result.excluded == 2
        assert "new" not in result.by_class["class"].tolist()
        assert len(result.outcomes.codes) == 2 * 8 - 2
        assert "2 of untrained classes left out" in repr(result)


def test_a_class_of_one_batch_has_no_neighbour_to_be_found():
    wells = toy()
    alone = (wells.metadata["batch"] == "b5") & (wells.metadata["perturbation"] == "p3")
    wells.metadata.loc[alone, "perturbation"] = "new"
    result = neighbor_accuracy(wells)
    assert (result.untrained, result.excluded) == (["new"], 2)


def confounded():
    """Classes p0 and p1 in batches b0 to b3, p2 and p3 in b4 alone."""
    wells = toy(batches=5)
    first = wells.metadata["batch"] != "b4"
    kept = wells.metadata["perturbation"].isin(["p0", "p1"]) == first
    return Wells(wells.embeddings[kept], wells.metadata[kept].reset_index(drop=True))


@pytest.mark.parametrize("method", ["ridge", "logistic", "lda"])
def test_a_fold_without_a_trained_class_does_not_stop_a_probe(method):
    """Batch by batch: that of classes found nowhere else is left out, the others as without it."""
    wells = confounded()
    result = linear_probe(wells, method=method, penalty=0.5)
    assert result.left_out.to_dict("list") == {"class": ["p2", "p3"], "n_wells": [2, 2]}
    assert (result.untrained, result.excluded) == (["p2", "p3"], 4)
    assert "5 folds, 1 of which test no class that was trained" in result.said
    assert "4 of untrained classes left out" in repr(result)
    assert result.by_class["n_wells"].tolist() == [8, 8]
    assert len(result.penalties) == 4
    # By hand: each other batch is told from all the rest.
    batch, code = (pd.factorize(wells.metadata[c])[0] for c in ("batch", "perturbation"))
    solver = {"ridge": RidgeProbe, "lda": LDAProbe, "logistic": LogisticProbe}[method](0.5)
    right = 0
    for b in range(4):
        train, test = np.flatnonzero(batch != b), np.flatnonzero(batch == b)
        x, other = standardized(wells.embeddings, train, test)
        right += (solver.fit(x, code[train]).predict(other) == code[test]).sum()
    assert result.top_1 == right / 16


def test_a_penalty_is_chosen_by_batches_that_share_a_class_with_the_others():
    """One batch in eight is held out to choose by; that of p2 and p3 would tell nothing."""
    wells = confounded()
    for seed in range(12):
        result = linear_probe(wells, method="ridge", seed=seed)
        assert (result.excluded, len(result.penalties)) == (4, 4)


def test_a_choice_that_cannot_be_made_names_the_remedy():
    wells = confounded()  # of b4 and one other batch, neither shares a class with the other
    wells.metadata["dataset"] = wells.metadata["batch"].map(
        {"b0": "train", "b4": "train", "b1": "test", "b2": "test", "b3": "test"}
    )
    with pytest.raises(InputError, match=r"share no class with the others; name one penalty"):
        linear_probe(wells, split="dataset")
    assert linear_probe(wells, split="dataset", penalty=1.0).excluded == 0


def test_folds_of_which_none_tests_a_trained_class_are_refused():
    wells = toy(batches=3)
    wells.metadata["perturbation"] += " of " + wells.metadata["batch"]
    with pytest.raises(InputError, match="no class that is tested was trained"):
        linear_probe(wells)


def test_no_class_in_common_is_refused():
    wells = toy(dataset=by_batch(["b0", "b1", "b2"]))
    tested = wells.metadata["dataset"] == "test"
    wells.metadata.loc[tested, "perturbation"] += " again"
    with pytest.raises(InputError, match="no class that is tested was trained"):
        linear_probe(wells, split="dataset")


def test_a_batch_of_one_class_is_refused():
    wells = toy()
    wells.metadata.loc[wells.metadata["batch"] == "b2", "perturbation"] = "p1"
    with pytest.raises(InputError, match=r"batch 'b2' .* are of one class only, 'p1'"):
        linear_probe(wells)


@pytest.mark.parametrize(
    ("column", "values", "word"),
    [("dataset", "train", "one value, 'train'"), ("dataset", ["x"] * 47 + [None], "no value")],
)
def test_a_split_column_that_leaves_nothing_to_test_is_refused(column, values, word):
    with pytest.raises(InputError, match=word):
        linear_probe(toy(**{column: values}), split=column)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"split": "nothing"}, "no column 'nothing' to split"),
        ({"label": "nothing"}, "no column 'nothing'"),
        ({"kind": "nothing"}, "no column 'nothing'"),
        ({"method": "forest"}, "unknown probe 'forest'"),
        ({"penalty": 0.0}, "above 0, not 0"),
        ({"penalty": []}, "there is none"),
        ({"method": "lda", "penalty": 2.0}, "up to 1, not 2"),
        ({"folds": 1}, "folds must be 2"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, word):
    with pytest.raises(InputError, match=word):
        linear_probe(toy(), **options)


def test_one_tested_batch_has_no_interval():
    result = linear_probe(
        toy(dataset=by_batch(["b0", "b1", "b2", "b3", "b4"])), split="dataset", penalty=1.0
    )
    assert result.table[["ci_low", "ci_high"]].isna().all(axis=None)
    assert "nan" not in repr(result)


def test_one_batch_cannot_choose_a_penalty():
    wells = toy(batches=2)
    with pytest.raises(InputError, match="name one penalty"):
        linear_probe(wells)
    linear_probe(wells, penalty=1.0)


def test_a_correction_that_is_fitted_on_labels_gains_nothing_by_it(wells):
    """Shown all labels it would be perfect; as it is shown none of tested wells, it is useless."""
    cheated = Cheat().aligned(wells)
    perfect = neighbor_accuracy(cheated, split="dataset").top_1
    honest = neighbor_accuracy(wells, CenterScale(), split="dataset").top_1
    caught = neighbor_accuracy(wells, Cheat(), split="dataset").top_1
    assert perfect == 1
    assert caught < honest / 2


def test_a_correction_fitted_before_is_refused(wells):
    align = CenterScale()
    align.fit(wells)
    for tried in (align, align.affine_):
        with pytest.raises(InputError, match="was fitted before"):
            linear_probe(wells, tried, split="dataset")


def test_nothing_that_tells_labels_is_left_in_blinded_wells(wells):
    tested = (wells.metadata["dataset"] == "test").to_numpy()
    seen = blinded(wells, tested)
    assert set(seen.metadata) == {"well_id", "batch", "is_control", "in_map", "perturbation"}
    assert set(seen.metadata["perturbation"][tested]) == {HIDDEN}
    assert HIDDEN not in set(seen.metadata["perturbation"][~tested])
    align = CenterScale()
    rows = aligned_blind(wells, align, tested)
    assert not align.is_fitted
    np.testing.assert_array_equal(rows, CenterScale().fit_transform(wells))


def test_the_table_is_saved_and_drawn(tmp_path):
    result = linear_probe(toy(), method="ridge", penalty=1.0)
    result.save(tmp_path / "probe.csv")
    assert pd.read_csv(tmp_path / "probe.csv")["figure"].tolist() == ["top_1", "top_5", "balanced"]
    assert result.plot().get_ylabel() == "accuracy"
