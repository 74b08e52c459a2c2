"""What is given in place of a number is refused by the name of its parameter."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg
from wellgram import nulls, pairs

GENES = [f"g{i}" for i in range(30)]
RNG = np.random.default_rng(0)
MAP = wg.PerturbationMap(RNG.normal(size=(30, 5)), pd.DataFrame({"perturbation": GENES}))
UNIT = pairs.unit_embeddings(MAP.embeddings)
WELLS = wg.Wells.from_arrays(
    RNG.normal(size=(80, 5)), [f"g{i % 10}" for i in range(80)],
    batch=[f"b{i // 40}" for i in range(80)], control="g0",
)  # fmt: skip
PRECISIONS = wg.average_precision(WELLS, pos_sameby="perturbation", neg_diffby="perturbation")
SOURCES = {"p": pd.DataFrame({"entity1": GENES[:4], "entity2": GENES[4:8]})}
ARMS = pd.DataFrame({"gene": GENES, "chromosome_arm": ["1p", "1q"] * 15})
MEANS = pd.DataFrame({"perturbation": GENES, "n_cells": np.arange(30.0)})
TARGETS = pd.DataFrame({"treatment": ["g1"], "gene_symbol": ["g2"], "nM_value": [1.0]})
STRATA = [np.arange(5), np.arange(5, 9)]

WHOLE = [
    ("bins", lambda v: wg.pair_histogram(MAP, bins=v)),
    ("bins", lambda v: pairs.Histogram(-1, 1, v)),
    ("nearest", lambda v: pairs.Nearest(v)),
    ("farthest", lambda v: pairs.Nearest(2, v)),
    ("capacity", lambda v: pairs.Bracket(0, 1, v)),
    ("k", lambda v: pairs.neighbors_across(MAP.embeddings, np.arange(30) % 3, v)),
    ("ranks", lambda v: pairs.order_statistics(pairs.UnitRows(MAP), [v])),
    ("n", pairs.pair_count),
    ("tiles", lambda v: wg.scan_pairs(MAP, [pairs.Histogram()], tiles=(0, v))),
    ("positives", lambda v: nulls.every_precision(v, 6)),
    ("total", lambda v: nulls.every_precision(2, v)),
    ("positives", lambda v: nulls.random_precisions(v, 6, 10)),
    ("total", lambda v: nulls.random_precisions(2, v, 10)),
    ("draws", lambda v: nulls.random_precisions(2, 6, v)),
    ("pool", lambda v: nulls.random_subsets(v, 2, 3)),
    ("size", lambda v: nulls.random_subsets(5, v, 3)),
    ("draws", lambda v: nulls.random_subsets(5, 2, v)),
    ("stream", lambda v: nulls.random_subsets(5, 2, 3, stream=v)),
    ("sizes", lambda v: nulls.mean_cosine_nulls(UNIT, [v], 4)),
    ("draws", lambda v: nulls.mean_cosine_nulls(UNIT, [2], v)),
    ("taken", lambda v: nulls.stratified_null(UNIT, STRATA, [2, v], 4, names=["a", "b"])),
    ("draws", lambda v: nulls.stratified_null(UNIT, STRATA, [2, 2], v, names=["a", "b"])),
    ("taken", lambda v: nulls.mean_angle_null(UNIT, STRATA, [2, v], 4, seed=0, stream=0)),
    ("draws", lambda v: nulls.mean_angle_null(UNIT, STRATA, [2, 2], v, seed=0, stream=0)),
    ("groups", lambda v: nulls.mean_angles(UNIT, np.arange(30) % 3, v)),
    ("sample", lambda v: wg.batch_effects(WELLS, sample=v)),
    ("resamples", lambda v: wg.relationship_recall(MAP, SOURCES, resamples=v)),
    ("resamples", lambda v: wg.matched_recall(MAP, MEANS, SOURCES, resamples=v)),
    ("min_genes", lambda v: wg.enrichment(GENES[:3], GENES, {"a": GENES}, min_genes=v)),
    ("most", lambda v: wg.gene_set_similarity(MAP, {"a": GENES[:5]}, most=v)),
    ("folds", lambda v: wg.linear_probe(WELLS, folds=v)),
    ("resamples", lambda v: wg.linear_probe(WELLS, resamples=v)),
    ("resamples", lambda v: wg.neighbor_accuracy(WELLS, resamples=v)),
    ("min_wells", lambda v: wg.magnitude(WELLS, min_wells=v)),
    ("max_controls", lambda v: wg.magnitude(WELLS, max_controls=v)),
    ("max_wells", lambda v: wg.magnitude(WELLS, max_wells=v)),
    ("resamples", lambda v: wg.drug_targets(MAP, TARGETS, resamples=v)),
    ("min_pairs", lambda v: wg.proximity_bias(MAP, ARMS, min_pairs=v)),
]

NUMBERS = [
    ("low", lambda v: wg.pair_histogram(MAP, low=v)),
    ("high", lambda v: wg.pair_histogram(MAP, high=v)),
    ("low", lambda v: pairs.Bracket(v, 1, 4)),
    ("high", lambda v: pairs.Bracket(0, v, 4)),
    ("thresholds", lambda v: pairs.CountBelow((0.5, v))),
    ("shares", lambda v: wg.pair_quantiles(MAP, v)),
    ("shares", lambda v: wg.pair_quantiles(MAP, [v])),
    ("observed", lambda v: nulls.empirical_p([v], [1.0])),
    ("null", lambda v: nulls.empirical_p([1.0], [v])),
    ("p", lambda v: nulls.benjamini_hochberg([v])),
    ("tails", lambda v: wg.relationship_recall(MAP, SOURCES, tails=[(0.05, v)])),
    ("tails", lambda v: wg.matched_recall(MAP, MEANS, SOURCES, tails=[(0.05, v)])),
    ("penalty", lambda v: wg.linear_probe(WELLS, penalty=[v])),
    ("penalty", lambda v: wg.linear_probe(WELLS, penalty=v)),
    ("threshold", lambda v: wg.mean_average_precision(PRECISIONS, threshold=v)),
    ("active", lambda v: wg.drug_targets(MAP, TARGETS, active=v)),
    ("inactive", lambda v: wg.drug_targets(MAP, TARGETS, inactive=v)),
    ("quantiles", lambda v: wg.drug_targets(MAP, TARGETS, quantiles=[v])),
]

SEVERAL = [
    ("thresholds", pairs.CountBelow),
    ("ranks", lambda v: pairs.order_statistics(pairs.UnitRows(MAP), v)),
    ("tiles", lambda v: wg.scan_pairs(MAP, [pairs.Histogram()], tiles=v)),
    ("sizes", lambda v: nulls.mean_cosine_nulls(UNIT, v, 4)),
    ("tails", lambda v: wg.relationship_recall(MAP, SOURCES, tails=v)),
    ("tails", lambda v: wg.relationship_recall(MAP, SOURCES, tails=[v])),
    ("quantiles", lambda v: wg.drug_targets(MAP, TARGETS, quantiles=v)),
]


@pytest.mark.parametrize("wrong", ["5", 2.5, True, None])
@pytest.mark.parametrize(("name", "call"), WHOLE)
def test_whole_numbers(name, call, wrong):
    with pytest.raises(wg.InputError, match=rf"^(each of )?{name} must be a whole number, not "):
        call(wrong)


@pytest.mark.parametrize("wrong", ["0.5", True])
@pytest.mark.parametrize(("name", "call"), NUMBERS)
def test_numbers(name, call, wrong):
    with pytest.raises(wg.InputError, match=rf"^(each of )?{name} must be a number, not "):
        call(wrong)


@pytest.mark.parametrize("wrong", ["5", 2.5, True])
@pytest.mark.parametrize(("name", "call"), SEVERAL)
def test_several_numbers(name, call, wrong):
    with pytest.raises(wg.InputError, match=rf"^{name} must be (several numbers|pairs of)"):
        call(wrong)


def test_numbers_of_other_kinds_are_numbers():
    counts = wg.pair_histogram(MAP, bins=np.int32(4), low=np.float32(-1), high=1).counts
    assert counts.tolist() == wg.pair_histogram(MAP, bins=4).counts.tolist()
    assert np.isnan(nulls.empirical_p([None, 0.5], [1, 2])).tolist() == [True, False]
    p = pd.Series([0.25, 1.0], dtype="Float64")
    assert nulls.benjamini_hochberg(p).tolist() == [0.5, 1.0]


def test_p_values_are_shares():
    with pytest.raises(wg.InputError, match=r"each of p must lie in \[0, 1\], not 2.5"):
        nulls.benjamini_hochberg([0.5, 2.5])
