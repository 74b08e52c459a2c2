"""Proximity bias against SciPy's Brunner-Munzel test, and where it is planted."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import brunnermunzel

from helpers.maps_and_wells import map_of, shuffled
from wellgram import InputError, PerturbationMap, ProximityCorrection, proximity_bias
from wellgram.metrics.rank_test import brunner_munzel


def genes_on_arms(rng, sizes=(30, 20, 12, 3), bias=0.0, d=10):
    """A map of genes on arms, each with a vector of its own; a compound; a gene without an arm."""
    arms = np.repeat([f"{k + 1}p" for k in range(len(sizes))], sizes)
    genes = pd.DataFrame({"gene": [f"G{i}" for i in range(len(arms))], "chromosome_arm": arms})
    x = rng.normal(size=(len(arms), d))
    x += bias * np.repeat(rng.normal(size=(len(sizes), d)), sizes, axis=0)
    x = np.concatenate([x, rng.normal(size=(2, d))])
    return shuffled(rng, map_of(x, [*genes["gene"], "aspirin", "G999"])), genes


def by_hand(map_, genes):
    """The cosines within and between arms, of all and of each."""
    arm = genes.set_index("gene")["chromosome_arm"].reindex(map_.labels["perturbation"]).to_numpy()
    kept = np.flatnonzero(pd.notna(arm))
    x, arm = map_.embeddings[kept].astype(np.float64), arm[kept]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    i, j = np.triu_indices(len(x), 1)
    cosines, same = (x @ x.T)[i, j], arm[i] == arm[j]
    yield "all arms", cosines[same], cosines[~same]
    for name in np.unique(arm):
        own = (arm[i] == name) & (arm[j] == name)
        yield name, cosines[own], cosines[(arm[i] == name) ^ (arm[j] == name)]


@pytest.mark.parametrize("bias", [0.0, 0.5])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_equal_to_scipy(rng, bias, backend):
    map_, genes = genes_on_arms(rng, bias=bias)
    table = proximity_bias(map_, genes, backend=backend).table.set_index("chromosome_arm")
    for name, within, between in by_hand(map_, genes):
        row = table.loc[name]
        assert (row["n_within_pairs"], row["n_between_pairs"]) == (len(within), len(between))
        if len(within) < 21:
            assert row["reason"] == "fewer than 21 pairs"
            assert np.isnan(row["probability"])
            continue
        expected = brunnermunzel(within, between)
        np.testing.assert_allclose(row["statistic"], expected.statistic, rtol=1e-9)
        np.testing.assert_allclose(row["p_value"], expected.pvalue, rtol=1e-7)
        above = (within[:, None] > between).mean()
        np.testing.assert_allclose(row["probability"], above, atol=1e-12)
        np.testing.assert_allclose(row["within_mean"], within.mean(), atol=1e-12)
    np.testing.assert_allclose(
        table["p_bonferroni"].iloc[1:4], np.minimum(1, 3 * table["p_value"].iloc[1:4])
    )
    assert np.isnan(table["p_bonferroni"].iloc[0])


@pytest.mark.parametrize("levels", [3, 8, 1000])
def test_samples_with_ties(rng, levels):
    x, y = rng.integers(0, levels, 40) / 4, rng.integers(0, levels, 70) / 4 + levels / 40
    ordered = np.sort(y)
    below, up_to = (np.searchsorted(ordered, x, side=side) for side in ("left", "right"))
    got, expected = brunner_munzel(x, below, up_to, len(y)), brunnermunzel(x, y)
    np.testing.assert_allclose(got.statistic, expected.statistic, rtol=1e-10)
    np.testing.assert_allclose(got.p_value, expected.pvalue, rtol=1e-9)
    share = (x[:, None] > y).mean() + (x[:, None] == y).mean() / 2
    np.testing.assert_allclose(got.probability, share, rtol=1e-12)


def test_bias_is_found_and_its_correction_too(rng, tmp_path):
    map_, genes = genes_on_arms(rng, sizes=(60, 50, 40, 30), bias=0.6)
    result = proximity_bias(map_, genes)
    assert result.table["probability"].iloc[0] > 0.65
    assert "of 4 arms differ from 0.5" in repr(result)
    corrected = ProximityCorrection().fit_transform(map_, genes)
    assert abs(proximity_bias(corrected, genes).table["probability"].iloc[0] - 0.5) < 0.06
    result.save(tmp_path / "bias.csv")
    assert len(pd.read_csv(tmp_path / "bias.csv")) == 5


def test_bad_input(rng):
    map_, genes = genes_on_arms(rng)
    with pytest.raises(InputError, match="no column 'chromosome_arm'"):
        proximity_bias(map_, genes[["gene"]])
    both = pd.concat([genes, pd.DataFrame({"gene": ["G0"], "chromosome_arm": ["2q"]})])
    with pytest.raises(InputError, match="is on 1p and 2q"):
        proximity_bias(map_, both)
    with pytest.raises(InputError, match="30 genes of the map are on 1 chromosome arms"):
        proximity_bias(map_, genes[genes["chromosome_arm"] == "1p"])
    with pytest.raises(InputError, match="0 genes of the map are on 0 chromosome arms"):
        proximity_bias(map_, genes.assign(gene="X" + genes["gene"]))
    names = map_.labels["perturbation"].replace("aspirin", "G3")
    with pytest.raises(InputError, match="gene 'G3' has several rows"):
        proximity_bias(PerturbationMap(map_.embeddings, names.to_frame()), genes)
