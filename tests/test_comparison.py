"""Comparisons of two embeddings: what the difference is, and that its interval covers."""

import numpy as np
import pandas as pd
import pytest

from wellgram import (
    InputError,
    PCACenterScale,
    PerturbationMap,
    build_map,
    compare_drug_targets,
    compare_recall,
    drug_targets,
    relationship_recall,
)
from wellgram.simulate import rxrx3_core


@pytest.fixture(scope="module")
def screen():
    return rxrx3_core(scale=0.2, seed=1, features=48)


@pytest.fixture(scope="module")
def map_(screen):
    return build_map(screen.wells(), PCACenterScale())


def noisy(map_, amount, seed=0):
    noise = np.random.default_rng(seed).normal(size=map_.embeddings.shape)
    noise *= amount * np.linalg.norm(map_.embeddings, axis=1, keepdims=True) / 7
    return PerturbationMap(map_.embeddings + noise, map_.labels)


def test_recalls_and_their_difference(screen, map_, tmp_path):
    worse = noisy(map_, 2.0)
    sources = {"planted": screen.relationships}
    result = compare_recall(map_, worse, sources, resamples=200)
    for which, of in (("first", map_), ("second", worse)):
        alone = relationship_recall(of, sources).table
        np.testing.assert_allclose(result.table[which], alone["recall"])
    table = result.table
    np.testing.assert_allclose(table["difference"], table["second"] - table["first"])
    assert (table["difference"] < -0.1).all()
    assert (table["ci_high"] < 0).all()
    assert (table["ci_low"] <= table["difference"]).all()
    assert (table["p_value"] < 0.05).all()
    result.save(tmp_path / "comparison.csv")
    assert len(pd.read_csv(tmp_path / "comparison.csv")) == len(table)
    assert "Second less first, genes resampled" in repr(result)


def test_a_map_does_not_differ_from_itself(screen, map_):
    """Whatever the order of its rows, their scale, or what else is in it."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(map_))
    other = PerturbationMap(3 * map_.embeddings[order], map_.labels.iloc[order])
    fewer = PerturbationMap(map_.embeddings[5:], map_.labels.iloc[5:])
    table = compare_recall(fewer, other, {"planted": screen.relationships}, resamples=50).table
    assert (table["difference"] == 0).all()
    assert (table[["ci_low", "ci_high"]] == 0).all(axis=None)
    assert (table["p_value"] == 1).all()


def test_what_genes_do_to_both_maps_cancels(screen, map_):
    """Two maps of the same quality: the interval of their difference is narrower than theirs."""
    sources = {"planted": screen.relationships}
    one, other = noisy(map_, 0.2, 1), noisy(map_, 0.2, 2)
    table = compare_recall(one, other, sources, resamples=300).table
    own = relationship_recall(one, sources, resamples=300).table
    width = table["ci_high"] - table["ci_low"]
    assert (width < (own["ci_high"] - own["ci_low"])).all()
    assert (table["ci_low"] < 0).all()
    assert (table["ci_high"] > 0).all()


def test_drug_targets_are_paired_by_compound(screen, map_):
    truth = screen.compound_targets
    first, second = (drug_targets(m, truth, draws=5) for m in (map_, noisy(map_, 1.5)))
    table = compare_drug_targets(first, second, resamples=300).table
    for row in table.itertuples():
        of = [r.items[r.items["concentration"] == row.concentration] for r in (first, second)]
        assert row.n_items == len(of[0])
        assert row.first == pytest.approx(of[0]["average_precision"].mean())
        assert row.second == pytest.approx(of[1]["average_precision"].mean())
        assert row.ci_low <= row.difference <= row.ci_high
    assert table["p_value"].iloc[-1] < 0.05


def test_bad_input(screen, map_):
    sources = {"planted": screen.relationships}
    renamed = map_.labels.assign(perturbation="x" + map_.labels["perturbation"])
    with pytest.raises(InputError, match="the maps share 0 perturbations"):
        compare_recall(map_, PerturbationMap(map_.embeddings, renamed), sources)
    with pytest.raises(InputError, match="resamples must be 1 or more"):
        compare_recall(map_, map_, sources, resamples=0)
    by_compound, by_gene = (
        drug_targets(map_, screen.compound_targets, by=by, draws=1) for by in ("compound", "gene")
    )
    with pytest.raises(InputError, match="the first is by compound and the second by gene"):
        compare_drug_targets(by_compound, by_gene)
