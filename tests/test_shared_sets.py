"""Nulls of sets that share shuffles: what they are, and what they do not depend on."""

import numpy as np
import pytest

from helpers.maps_and_wells import make_wells
from wellgram import Wells, consistency, get_backend, magnitude
from wellgram.maps.build import map_rows
from wellgram.metrics import shared_sets
from wellgram.metrics.batch_strata import batch_kinds, strata_of_null
from wellgram.metrics.exact_rows import exact_unit_rows
from wellgram.metrics.shared_sets import SetDistances, SetRows, set_means, shared_scores
from wellgram.nulls import stratum_stream

SIZES = (6, 2, 9, 6, 8, 3)


@pytest.fixture
def wells(rng):
    plain = make_wells(rng, SIZES, effect=0.3)
    batch = np.array(["b", "a", "c"])[np.arange(len(plain)) % 3]
    return Wells(plain.embeddings, plain.metadata.assign(batch=batch))


def kinds_of(wells, null):
    codes, labels = map_rows(wells)
    strata, stratum = strata_of_null(null, wells, np.flatnonzero(codes >= 0))
    return strata, batch_kinds(codes, stratum, np.ones(len(labels), bool))


def test_a_set_is_the_beginning_of_the_shuffle_of_each_of_its_batches(wells):
    """The null of one perturbation, from the shuffles of its batches, by every step."""
    strata, kinds = kinds_of(wells, "batches")
    unit = exact_unit_rows(wells.embeddings).astype(np.float64)
    nulls = {
        kind.members[0]: null
        for group, scores in shared_scores(set_means, rows_of(unit), strata, kinds, 40, seed=7)
        for kind, null in zip(group.kinds, scores, strict=True)
    }
    kind = next(kind for kind in kinds if len(kind.batches) == 3)
    sums = 0
    for b, count in zip(kind.batches, kind.counts, strict=True):
        places = get_backend().random_subsets(
            [len(strata[b])], [count], 40, seed=7, stream=stratum_stream([strata.names[b]], [0])
        )
        sums = sums + unit[strata[b][places]].sum(axis=1)
    k = sum(kind.counts)
    expected = (np.square(sums).sum(axis=1) - k) / (k * (k - 1))
    # Means are rounded to 2^-40.
    np.testing.assert_allclose(nulls[kind.members[0]], expected, rtol=0, atol=2.0**-40)


def rows_of(unit):
    return SetRows(unit, lambda wells: unit[wells], unit.strides[0])


@pytest.mark.parametrize("null", ["batches", "permutation"])
@pytest.mark.parametrize("score", [consistency, magnitude])
def test_a_null_does_not_depend_on_the_other_perturbations(wells, score, null):
    options = {"null": null, "nested": True, "draws": 99, "seed": 3}
    if score is magnitude:
        options["min_wells"] = 2
    whole = score(wells, **options).table.set_index("perturbation")
    # Without being in the map, wells are in no null: so the others stay, renamed to one row.
    only = wells.metadata["perturbation"].isin(["p2"])
    control = wells.metadata["is_control"]
    renamed = wells.metadata["perturbation"].where(only | control, "rest")
    alone = Wells(wells.embeddings, wells.metadata.assign(perturbation=renamed))
    table = score(alone, **options).table.set_index("perturbation")
    for column in ("p_value", "null_mean"):
        # Distances of a null are added up in other parts.
        assert table.loc["p2", column] == pytest.approx(whole.loc["p2", column], rel=1e-9)


@pytest.mark.parametrize("most", [1, 700, 5000])
@pytest.mark.parametrize("null", ["batches", "permutation"])
@pytest.mark.parametrize("score", [set_means, SetDistances(np.zeros(16))])
def test_rows_that_are_made_some_at_a_time_give_the_same_bits(
    wells, score, null, most, monkeypatch
):
    strata, kinds = kinds_of(wells, null)
    unit = exact_unit_rows(wells.embeddings.astype(np.float32))

    def scores(rows):
        return {
            tuple(kind.members): scored
            for group, found in shared_scores(score, rows, strata, kinds, 50, seed=7)
            for kind, scored in zip(group.kinds, found, strict=True)
        }

    at_hand = scores(rows_of(unit))
    monkeypatch.setattr(shared_sets, "_BYTES_AT_ONCE", most)
    some = scores(SetRows(None, lambda wells: unit[wells], unit.strides[0]))
    assert some.keys() == at_hand.keys()
    for members, null_scores in at_hand.items():
        np.testing.assert_array_equal(some[members], null_scores)


def test_kinds_are_taken_a_few_at_a_time(wells, monkeypatch):
    strata, kinds = kinds_of(wells, "batches")
    unit = exact_unit_rows(wells.embeddings)
    monkeypatch.setattr(shared_sets, "_SCORES_AT_ONCE", 25)
    groups = list(shared_scores(set_means, rows_of(unit), strata, kinds, 20, seed=7))
    assert [len(group.kinds) for group, _ in groups] == [1] * len(kinds)


def test_sums_of_exact_rows_are_equal_in_any_order(rng):
    unit = exact_unit_rows(rng.normal(size=(3000, 40)).astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, rtol=0, atol=1e-6)
    wide = unit.astype(np.float64)
    order = rng.permutation(len(unit))
    np.testing.assert_array_equal(wide.sum(axis=0), wide[order].cumsum(axis=0)[-1])


def test_magnitude_by_shared_sets_finds_what_other_sets_find(rng):
    wells = make_wells(rng, (8,) * 40, effect=1.5)
    options = {"draws": 2000, "seed": 2}
    plain, shared = (magnitude(wells, nested=n, **options).table for n in (False, True))
    np.testing.assert_array_equal(plain["energy_distance"], shared["energy_distance"])
    # Two draws of 2,000 from one null: p-values differ by their own error, 0.011 at p = 1/2.
    np.testing.assert_allclose(plain["p_value"], shared["p_value"], atol=0.05)
