"""Cosines lie within [-1, 1] wherever they are returned, also those of equal and opposite rows."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg


@pytest.fixture(params=["float32", "float64"])
def map_(request):
    rng = np.random.default_rng(8)
    base = rng.normal(size=(40, 97))
    rows = np.vstack([base, base * rng.uniform(0.001, 900, (40, 1)), -3.3 * base[:10]])
    labels = pd.DataFrame({"perturbation": [f"g{i}" for i in range(90)], "moa": "m"})
    return wg.PerturbationMap(rows.astype(request.param), labels)


def inside(values):
    values = np.asarray(values, np.float64)
    return bool((np.abs(values) <= 1).all())


def test_rounding_would_carry_some_past_one(map_):
    """Else the other tests say nothing."""
    rows = wg.pairs.UnitRows(map_)
    assert not inside(rows.cosines(np.arange(40), np.arange(40, 80)))


def test_tables_of_pairs(map_, tmp_path):
    neighbors = wg.neighbors(map_, 3)
    assert inside(neighbors.table["cosine"])
    assert inside(neighbors.nearest_cosines)
    for row in range(20):
        around = wg.neighbors_of(map_, row, 3)
        assert inside(around.table["cosine"])
        assert inside(np.delete(around.cosines, row))
    assert inside(wg.pair_quantiles(map_, np.linspace(0, 1, 50)).cosines)
    ranks = wg.pair_ranks(map_, np.arange(40), np.arange(40, 80))
    assert inside(ranks.table["cosine"])
    assert inside(wg.cosine_matrix(map_))
    assert inside(wg.cosine_matrix(map_, rows=np.arange(50), columns=np.arange(30, 90)))
    assert inside(wg.cosine_matrix(map_, out=tmp_path / "cosines.npy"))


def test_all_pairs_are_counted(map_):
    histogram = wg.pair_histogram(map_, bins=50)
    assert histogram.table["n_pairs"].sum() == histogram.pairs == 90 * 89 // 2


def test_recall_recalls_what_rounding_carried_past_one(map_):
    pairs = pd.DataFrame(
        {"entity1": [f"g{i}" for i in range(40)], "entity2": [f"g{i + 40}" for i in range(40)]}
    )
    result = wg.relationship_recall(map_, pairs, same="moa")
    for known in result.known.values():
        assert inside(known["cosine"])
    assert inside(result.table[["cosine_low", "cosine_high"]])
    assert (result.table.loc[result.table["source"] == "pairs", "recall"] == 1).all()


def test_scores_of_equal_wells(map_):
    rng = np.random.default_rng(9)
    rows = np.vstack([map_.embeddings, rng.normal(size=(20, 97)).astype(map_.embeddings.dtype)])
    names = [f"g{i % 40}" for i in range(80)] + [f"g{i}" for i in range(10)] + ["DMSO"] * 20
    wells = wg.Wells.from_arrays(rows, names, control="DMSO")
    assert inside(wg.consistency(wells, draws=50).table["mean_cosine"])
    agreement = wg.replicate_agreement(map_, map_)
    assert inside(agreement.table["cosine"])
    assert inside([agreement.matched_mean, agreement.unmatched_mean])
    wells.metadata["guide"] = wells.metadata["well_id"]
    assert inside(wg.guide_agreement(wells, "guide", draws=50).table["least_cosine"].dropna())


def test_partners_of_other_groups(map_):
    own = np.arange(90)
    assert inside(wg.pairs.nearest_outside(map_.embeddings, [own])[1])
    assert inside(wg.pairs.neighbors_across(map_.embeddings, own).nearest_cosines)


def test_means_of_equal_rows(map_):
    """A mean of cosines past 1 is past 1 as well."""
    pairs = {f"s{i}": [f"g{i}", f"g{i + 40}"] for i in range(40)}
    separation = wg.gene_set_separation(map_, pairs, min_genes=2)
    assert inside(separation[["within_mean", "between_mean"]])
    arms = [f"{i % 40}q" for i in range(90)]
    genes = pd.DataFrame({"gene": map_.labels["perturbation"], "chromosome_arm": arms})
    twins = wg.PerturbationMap(map_.embeddings[:80], map_.labels[:80])
    bias = wg.proximity_bias(twins, genes[:80], min_pairs=1).table
    assert inside(bias["within_mean"])


def test_the_null_of_equal_wells(map_):
    rows = np.repeat(map_.embeddings[:1], 40, axis=0)
    wells = wg.Wells.from_arrays(rows, [f"g{i % 4}" for i in range(40)])
    with pytest.warns(UserWarning, match="same embedding"):
        table = wg.consistency(wells, draws=50).table
    assert inside(table[["mean_cosine", "null_mean"]])


@pytest.mark.parametrize("d", [10, 128, 2000, 50_000])
@pytest.mark.parametrize("value", [0.7, 1.0, 1.9])
def test_the_error_of_rows_of_one_value(d, value):
    """The bound of the docstring of `scan_pairs`: a chain of d sums rounds them all one way."""
    rows = wg.pairs.UnitRows(np.full((2, d), value, np.float32))
    (cosine,) = rows.cosines(np.array([0]), np.array([1])).astype(np.float64)
    assert abs(cosine - 1) <= (d + 2) * 2.0**-24


@pytest.mark.parametrize("power", [-1000, -140, 140, 1000])
def test_rows_that_float32_cannot_hold(rng, power):
    rows = rng.normal(size=(20, 30))
    expected = wg.cosine_matrix(rows, dtype="float32")
    rows[::2] = np.ldexp(rows[::2], power)
    np.testing.assert_array_equal(wg.cosine_matrix(rows, dtype="float32"), expected)
