"""CHAMMI's score: macro F1 of the nearest well's class, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier

from helpers.class_wells import toy
from wellgram import InputError, neighbor_accuracy
from wellgram.metrics.class_f1 import macro_f1


@pytest.fixture(scope="module")
def wells():
    """Wells of eight batches, the last two of which are of another distribution."""
    return toy(
        batches=8,
        classes=6,
        repeats=4,
        side=lambda batch, code: np.where(batch < "b4", "train", "test"),
        distribution=lambda batch, code: np.where(batch < "b6", "in", "out"),
    )


def test_it_is_scikit_learns_in_and_out_of_distribution(wells):
    result = neighbor_accuracy(wells, split="side", kind="distribution", score="macro-f1")
    labels = wells.metadata["perturbation"].astype(str).to_numpy()
    train = (wells.metadata["side"] == "train").to_numpy()
    model = KNeighborsClassifier(1, metric="cosine")
    told = model.fit(wells.embeddings[train], labels[train]).predict(wells.embeddings)
    distribution = wells.metadata["distribution"].to_numpy()
    table = result.table.set_index("tested")["macro_f1"]
    assert table.index.tolist() == ["all", "in", "out"]
    for name in table.index:
        some = ~train if name == "all" else ~train & (distribution == name)
        expected = f1_score(labels[some], told[some], average="macro")
        assert table[name] == pytest.approx(expected, rel=1e-12)
    assert result.macro_f1 == table["all"]


def test_neighbors_of_other_batches_give_the_accuracy_too(wells):
    accuracy = neighbor_accuracy(wells)
    result = neighbor_accuracy(wells, score="macro-f1")
    assert (result.predicted == result.codes).mean() == accuracy.top_1
    low, high = result.table.loc[0, ["ci_low", "ci_high"]]
    assert low < result.macro_f1 < high


def test_rare_classes_count_as_much_as_common_ones():
    codes = np.array([0] * 98 + [1, 1])
    told = np.zeros(100, np.int64)
    expected = (2 * 98 / (98 + 100) + 0) / 2
    batch = np.zeros(100, np.int64)
    assert macro_f1(codes, told, batch, np.ones((1, 1)))[0] == pytest.approx(expected)


def test_a_resample_counts_batches_as_often_as_they_are_drawn(rng):
    codes, told, batch = (rng.integers(0, 4, 60) for _ in range(3))
    weights = np.array([[1.0, 1, 1, 1], [0, 2, 0, 2], [4, 0, 0, 0]])
    for weight, found in zip(weights, macro_f1(codes, told, batch, weights), strict=True):
        often = np.repeat(np.arange(60), weight[batch].astype(int))
        assert found == pytest.approx(f1_score(codes[often], told[often], average="macro"))


def test_shuffled_classes_are_told_by_chance(rng):
    wells = toy(batches=6, classes=5, repeats=8)
    wells.metadata["shuffled"] = rng.permutation(wells.metadata["perturbation"])
    found = neighbor_accuracy(wells, score="macro-f1").macro_f1
    chance = neighbor_accuracy(wells, label="shuffled", score="macro-f1").macro_f1
    # A fifth by chance; its standard error is 0.026 with 240 wells.
    assert abs(chance - 0.2) < 0.1
    assert found > 0.5


def test_an_unknown_score_is_refused(wells):
    with pytest.raises(InputError, match="unknown score 'f1'; choose 'accuracy' or 'macro-f1'"):
        neighbor_accuracy(wells, score="f1")
