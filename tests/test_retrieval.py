"""Retrieval of perturbations in another map, against its definition over the whole matrix."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import wellgram as wg
from helpers.maps_and_wells import make_map, map_of, shuffled
from wellgram import InputError


def own_ranks(first, second, reference):
    """How many others are more similar than the own one, ties half: rows are matched by place."""
    x, y = first.embeddings.astype(np.float64), second.embeddings.astype(np.float64)
    if reference == "perturbed-mean":
        x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y))
    cosines = x @ y.T
    own = np.diag(cosines)[:, None]
    return (cosines > own).sum(axis=1) + ((cosines == own).sum(axis=1) - 1) / 2


@pytest.mark.parametrize("reference", ["perturbed-mean", "none"])
def test_the_rank_is_that_of_the_whole_matrix(rng, reference, dtype):
    first, second = (make_map(rng, 80, 6, dtype=dtype) for _ in range(2))
    second.embeddings[:] += first.embeddings
    table = wg.retrieval(first, shuffled(rng, second), reference=reference).table
    ranks = own_ranks(first, second, reference)
    np.testing.assert_array_equal(table["own_rank"], ranks)
    np.testing.assert_allclose(table["retrieval"], 1 - ranks / 80)
    np.testing.assert_allclose(table["p_value"], (1 + ranks) / 80)


def test_a_map_finds_itself_and_its_opposite_finds_nothing(rng):
    map_ = make_map(rng, 50, 20)
    itself = wg.retrieval(map_, map_)
    assert itself.score == itself.normalized == 1
    opposite = wg.retrieval(map_of(-map_.embeddings), map_)
    assert opposite.score == pytest.approx(1 / 50)
    assert opposite.normalized == 0


def test_noise_scores_as_chance_and_its_p_values_are_uniform(rng):
    result = wg.retrieval(make_map(rng, 800, 40), make_map(rng, 800, 40), resamples=400)
    low, high = result.interval
    assert low < result.score < high
    assert abs(result.score - result.no_skill) < 0.05
    assert result.no_skill == 0.5 + 0.5 / 800
    assert kstest(result.table["p_value"], "uniform").pvalue > 0.01
    assert (result.table["q_value"] < 0.05).sum() == 0


def test_what_all_perturbations_share_tells_none_apart(rng):
    """Systema's point: without the reference nothing changes but similarities, and ranks suffer."""
    effects = rng.normal(size=(60, 10))
    share = 30 * rng.normal(size=10)
    first, second = (map_of(effects + share + rng.normal(size=(60, 10))) for _ in range(2))
    centred = wg.retrieval(first, second)
    raw = wg.retrieval(first, second, reference="none")
    assert raw.table["own_cosine"].min() > 0.98
    assert centred.score > 0.85 > raw.score


@pytest.mark.parametrize("reference", ["perturbed-mean", "none"])
def test_a_prediction_of_the_mean_has_no_skill(rng, reference):
    """All its rows are one: all others tie, whatever rounding leaves of them."""
    measured = make_map(rng, 40, 12)
    mean = map_of(np.tile(measured.embeddings.mean(axis=0) + 1, (40, 1)))
    result = wg.retrieval(mean, measured, reference=reference)
    assert result.score == pytest.approx(0.5 + 0.5 / 40, abs=0.01)
    better = wg.retrieval(measured, measured, reference=reference, no_skill=mean)
    assert better.no_skill == result.score
    assert better.normalized == 1


def test_perturbations_are_matched_by_their_labels(rng):
    first = make_map(rng, 6, 4, perturbation_type="CRISPR")
    second = wg.PerturbationMap(first.embeddings[2:], first.labels.iloc[2:].reset_index(drop=True))
    table = wg.retrieval(first, second).table
    assert table["perturbation"].tolist() == ["G2", "G3", "G4", "G5"]
    assert table["own_rank"].tolist() == [0.0] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": "controls"}, "unknown reference 'controls'"),
        ({"second": map_of(np.eye(3))}, "4 and 3 features"),
        ({"second": map_of(np.eye(4), [*"abcd"])}, "share 0 perturbations"),
        ({"second": map_of(np.eye(4), ["G0", "G0", "G1", "G2"])}, "'G0' twice"),
        ({"second": map_of(np.full((4, 4), np.nan))}, "row 0 of the second map holds a NaN"),
        ({"no_skill": pd.DataFrame()}, "a map is needed"),
        ({"resamples": 1.5}, "resamples"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {"first": map_of(np.eye(4)), "second": map_of(np.eye(4))} | change
    with pytest.raises(InputError, match=message):
        wg.retrieval(given.pop("first"), given.pop("second"), **given)
