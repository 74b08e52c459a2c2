"""The small examples that the public tools test themselves with."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import make_map
from wellgram import (
    CenterScale,
    InputError,
    Standardize,
    Wells,
    consistency,
    drug_targets,
    magnitude,
)
from wellgram.backends import get_backend
from wellgram.io.relationships import clean_pairs
from wellgram.metrics.ranking import chance_precision
from wellgram.nulls import empirical_p


@pytest.mark.parametrize(("tails", "recall"), [((0.1, 0.9), 0.0), ((0.2, 0.8), 1.0)])
def test_recall_of_the_ends_of_a_null(tails, recall):
    null, query = np.arange(1, 6), np.array([1, 5])
    right = (null[:, None] <= query).mean(axis=0)
    left = (null[:, None] < query).mean(axis=0)
    assert ((right <= tails[0]) | (left >= tails[1])).mean() == recall


def test_pairs_are_cleaned():
    pairs = pd.DataFrame(["AB", "BA", "AA", "CD", "DC"]).iloc[:, 0]
    table = pd.DataFrame({"entity1": pairs.str[0], "entity2": pairs.str[1]})
    assert clean_pairs(table).to_numpy().tolist() == [["A", "B"], ["C", "D"]]


@pytest.mark.parametrize(
    ("scores", "expected"), [([0.9, 0.8, 0.3, 0.2], (0.75, 0.5)), ([0.5] * 4, (0.5, 0.5))]
)
def test_average_precision_and_auc(scores, expected):
    found = get_backend().list_scores(np.array([scores]), np.array([0, 3]), np.array([[1, 2]]))
    assert np.allclose([part[0, 0] for part in found], expected)


def targets(values):
    names = [f"G{k}" for k in range(len(values))]
    return pd.DataFrame({"treatment": "aspirin", "gene_symbol": names, "nM_value": values})


def test_an_in_between_gene_is_never_drawn(rng):
    """100, 5,000 and 15,000 nM and a pool of five: one positive, the second gene left out."""
    truth = targets([100.0, 5000.0, 15000.0, 20000.0, 20000.0, 20000.0])
    names = ["aspirin", *truth["gene_symbol"]]
    map_ = make_map(rng, 7, names=names)
    item = drug_targets(map_, truth, min_negatives=2, draws=50).items.iloc[0]
    assert (item["n_actives"], item["n_negatives"]) == (1, 2)


def test_a_truth_of_nothing(rng):
    map_ = make_map(rng, 2, names=["a", "G0"])
    with pytest.raises(InputError, match="no rows"):
        drug_targets(map_, targets([]))
    with pytest.raises(InputError):  # efaar_benchmarking has rows of zeros here, which hide why
        drug_targets(map_, targets([20000.0]))


def test_energy_distances():
    row, far = np.tile([1.0, 2, 3, 4, 5], (5, 1)), np.tile([6.0, 7, 8, 9, 10], (5, 1))
    wells = Wells.from_arrays(np.concatenate([row, row, far]), [*"aaaaacccccbbbbb"], control="c")
    found = magnitude(wells, draws=1).table.set_index("perturbation")["energy_distance"]
    assert found["a"] == pytest.approx(0, abs=1e-6)
    assert found["b"] == pytest.approx(22.36, abs=5e-3)


@pytest.mark.filterwarnings("ignore::wellgram.errors.IdenticalRowsWarning")
def test_consistency_of_identical_rows():
    wells = Wells.from_arrays(np.tile([1.0, 2, 3], (5, 1)), ["a"] * 5, control=None)
    score = consistency(wells, draws=1).table["mean_cosine"].iloc[0]
    assert score == pytest.approx(1)
    assert empirical_p(1.0, [1, 2, 3, 4, 5], "share") == 1


def test_center_scale_by_controls():
    x = np.arange(1.0, 10).reshape(3, 3)
    y = CenterScale().fit_transform(x, control=[True, False, True])
    np.testing.assert_allclose(y, [[-1] * 3, [0] * 3, [1] * 3])


def test_standardize_by_batch():
    """A batch of one well has no spread and is refused unless allowed, as the public code does."""
    x = np.arange(1.0, 10).reshape(3, 3)
    y = Standardize(min_controls=1).fit_transform(x, batch=[*"112"])
    np.testing.assert_allclose(y, [[-1] * 3, [1] * 3, [0] * 3])
    with pytest.raises(InputError, match="only one well in batch '2'"):
        Standardize().fit_transform(x, batch=[*"112"])


@pytest.mark.parametrize(
    ("positives", "chance"), [(1, 0.174), (5, 0.294), (10, 0.402), (30, 0.363)]
)
def test_chance_by_the_number_of_actives(positives, chance):
    """Simulated by the published rule: max(2 actives, 20) negatives."""
    total = positives + max(2 * positives, 20)
    assert chance_precision(positives, total) == pytest.approx(chance, abs=2e-3)
