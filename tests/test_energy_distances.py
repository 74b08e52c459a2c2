"""Energy distances between perturbations, by all pairs of wells, and their intervals."""

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import wellgram as wg
from helpers.maps_and_wells import make_wells
from wellgram import InputError, Wells

METRICS = {"euclidean": "euclidean", "squared-euclidean": "sqeuclidean", "cosine": "cosine"}


def slow(x, y, metric, self_pairs):
    """The definition, over all pairs."""

    def within(z):
        return cdist(z, z, METRICS[metric]).sum() / (len(z) * (len(z) - (not self_pairs)))

    return 2 * cdist(x, y, METRICS[metric]).mean() - within(x) - within(y)


def wells_of(wells, name):
    return wells.embeddings[(wells.metadata["perturbation"] == name).to_numpy()].astype(float)


@pytest.mark.parametrize("self_pairs", [True, False])
@pytest.mark.parametrize("metric", METRICS)
def test_every_two_are_compared_by_their_convention(rng, metric, self_pairs, dtype):
    wells = make_wells(rng, (6, 2, 9, 4), effect=1.0, dtype=dtype)
    table = wg.energy_distances(wells, metric=metric, self_pairs=self_pairs).table
    names = ["DMSO", "p0", "p1", "p2", "p3"]
    assert [*zip(table["first"], table["second"], strict=True)] == [*combinations(names, 2)]
    for row in table.itertuples():
        x, y = wells_of(wells, row.first), wells_of(wells, row.second)
        assert (row.n_first, row.n_second) == (len(x), len(y))
        expected = slow(x, y, metric, self_pairs)
        assert row.energy_distance == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_named_pairs_come_in_their_order(rng):
    wells = make_wells(rng, (6, 2, 9, 4), effect=1.0)
    pairs = [("p3", "DMSO"), ("p0", "p2"), ("p1", "DMSO"), ("p2", "p0")]
    table = wg.energy_distances(wells, pairs=pairs).table
    assert [*zip(table["first"], table["second"], strict=True)] == pairs
    for row in table.itertuples():
        expected = slow(wells_of(wells, row.first), wells_of(wells, row.second), "euclidean", True)
        assert row.energy_distance == pytest.approx(expected, rel=1e-9)


def test_against_controls_it_is_the_magnitude(rng):
    wells = make_wells(rng, (8, 9, 7), effect=1.0)
    magnitude = wg.magnitude(wells, draws=2).table.set_index("perturbation")["energy_distance"]
    pairs = [(name, "DMSO") for name in magnitude.index]
    found = wg.energy_distances(wells, pairs=pairs).table["energy_distance"]
    np.testing.assert_allclose(found, magnitude, rtol=1e-9)


def test_squared_distances_see_means_alone(rng):
    wells = make_wells(rng, (12, 7), effect=1.0)
    found = wg.energy_distances(wells, pairs=[("p0", "p1")], metric="squared-euclidean").table
    apart = wells_of(wells, "p0").mean(axis=0) - wells_of(wells, "p1").mean(axis=0)
    assert found["energy_distance"].item() == pytest.approx(2 * apart @ apart)


def test_shifted_wells_keep_their_digits(rng):
    wells = make_wells(rng, (6, 9), effect=1.0)
    for metric in ("euclidean", "squared-euclidean"):
        near = wg.energy_distances(wells, metric=metric).table["energy_distance"]
        far = Wells(wells.embeddings + 1e6, wells.metadata, wells.origin)
        # Coordinates of 1e6 keep 1e-10 of their differences.
        shifted = wg.energy_distances(far, metric=metric).table["energy_distance"]
        np.testing.assert_allclose(shifted, near, atol=1e-7)


@pytest.mark.parametrize("self_pairs", [True, False])
@pytest.mark.parametrize("metric", METRICS)
def test_intervals_lie_about_the_distance(rng, metric, self_pairs):
    """A resample repeats wells: unless that is made up for, all of them lie above."""
    wells = make_wells(rng, (12, 15, 10), effect=0.8)
    options = {"metric": metric, "self_pairs": self_pairs, "resamples": 400}
    table = wg.energy_distances(wells, **options).table
    middle = (table["ci_low"] + table["ci_high"]) / 2
    assert (table["ci_low"] < table["energy_distance"]).all()
    assert (table["energy_distance"] < table["ci_high"]).all()
    width = table["ci_high"] - table["ci_low"]
    assert (abs(middle - table["energy_distance"]) < 0.3 * width).all()
    again = wg.energy_distances(wells, pairs=[("p2", "p0")], **options).table
    same = table[(table["first"] == "p0") & (table["second"] == "p2")]
    np.testing.assert_allclose(again["ci_low"], same["ci_low"], rtol=1e-9)


def test_effects_are_found_and_their_absence_is_zero_on_average(rng):
    effect = make_wells(rng, (10,) * 12, effect=2.0)
    none = make_wells(rng, (10,) * 40)
    found = wg.energy_distances(effect, resamples=200).table
    assert (found["ci_low"] > 0).mean() > 0.95
    plain = wg.energy_distances(none, self_pairs=False).table["energy_distance"]
    biased = wg.energy_distances(none).table["energy_distance"]
    # Of 820 pairs that share perturbations, the mean errs by some 0.01.
    assert abs(plain.mean()) < 0.05
    assert biased.min() > 0
    assert biased.mean() > 10 * abs(plain.mean())


def test_one_well_has_a_reason(rng):
    wells = make_wells(rng, (6, 1))
    table = wg.energy_distances(wells, pairs=[("p0", "p1"), ("p0", "DMSO")], resamples=9).table
    assert table["reason"].tolist() == ["one well", ""]
    assert table["energy_distance"].notna().all()
    assert table["ci_low"].isna().tolist() == [True, False]
    unbiased = wg.energy_distances(wells, pairs=[("p0", "p1")], self_pairs=False).table
    assert np.isnan(unbiased["energy_distance"].item())
    assert unbiased["reason"].item() == "one well"


def test_values_of_any_column_are_compared(rng):
    wells = make_wells(rng, (6, 6), batches=3)
    table = wg.energy_distances(wells, by="batch").table
    assert len(table) == 3
    assert table["n_first"].sum() + table["n_second"].sum() == 2 * len(wells)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "manhattan"}, "unknown metric 'manhattan'"),
        ({"by": "moa"}, "no column 'moa'"),
        ({"by": "one"}, "column 'one' has 1 values: two perturbations"),
        ({"pairs": [("p0", "p9")]}, "column 'perturbation' has no 'p9'"),
        ({"pairs": [("p0", "p0")]}, "'p0' is paired with itself"),
        ({"pairs": ["p0"]}, "pairs must be pairs of names, not 'p0'"),
        ({"pairs": []}, "no pairs to compare"),
        ({"resamples": -1}, "resamples must be 0 or more"),
    ],
)
def test_bad_input_is_named(rng, options, message):
    wells = make_wells(rng, (6, 6))
    wells.metadata["one"] = "a"
    with pytest.raises(InputError, match=message):
        wg.energy_distances(wells, **options)
