"""Proximity bias: what unexpressed genes of an arm share is taken off all genes of the arm."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import map_of, shuffled
from wellgram import InputError, PerturbationMap, ProximityCorrection


@pytest.fixture
def screen(rng):
    """A map of genes on three arms, each with a vector of its own, and two compounds."""
    arms = np.repeat(["1p", "1q", "2p"], [40, 30, 6])
    genes = pd.DataFrame(
        {
            "gene": [f"G{i}" for i in range(len(arms))],
            "chromosome_arm": arms,
            "zfpkm": np.where(np.arange(len(arms)) % 4 > 0, -4.0, 1.0),
        }
    )
    bias = {arm: 5 * rng.normal(size=8) for arm in ("1p", "1q", "2p")}
    x = rng.normal(size=(len(arms) + 2, 8))
    x[:-2] += np.array([bias[arm] for arm in arms])
    return shuffled(rng, map_of(x, [*genes["gene"], "aspirin", "DMSO"])), genes


def test_the_mean_of_unexpressed_genes_is_subtracted_from_their_arm(screen):
    map_, genes = screen
    fitted = ProximityCorrection().fit(map_, genes)
    ours = fitted.transform(map_)
    table = genes.set_index("gene").reindex(map_.labels["perturbation"])
    arm, silent = table["chromosome_arm"].to_numpy(), table["zfpkm"].to_numpy() < -3
    for name in ("1p", "1q"):
        mine = arm == name
        mean = map_.embeddings[mine & silent].mean(axis=0)
        np.testing.assert_allclose(ours.embeddings[mine], map_.embeddings[mine] - mean, rtol=1e-12)
    others = ~np.isin(arm.astype(str), ["1p", "1q"])  # too few genes, and compounds
    np.testing.assert_array_equal(ours.embeddings[others], map_.embeddings[others])
    assert fitted.arms_.to_dict("list") == {
        "chromosome_arm": ["1p", "1q", "2p"],
        "n_genes": [40, 30, 6],
        "n_unexpressed": [30, 22, 5],
        "corrected": [True, True, False],
    }
    assert ours.provenance["proximity_corrected_arms"] == ["1p", "1q"]
    assert "2 of 3 arms" in repr(fitted)


def test_without_expression_all_genes_of_an_arm_count(screen):
    map_, genes = screen
    ours = ProximityCorrection(min_genes=6).fit_transform(map_, genes.drop(columns="zfpkm"))
    arm = genes.set_index("gene")["chromosome_arm"].reindex(map_.labels["perturbation"])
    for name in ("1p", "1q", "2p"):
        np.testing.assert_allclose(
            ours.embeddings[(arm == name).to_numpy()].mean(axis=0), 0, atol=1e-12
        )


def test_a_map_keeps_its_type(screen):
    map_, genes = screen
    single = PerturbationMap(map_.embeddings.astype(np.float32), map_.labels)
    assert ProximityCorrection().fit_transform(single, genes).embeddings.dtype == np.float32


def test_tables_that_cannot_be(screen):
    map_, genes = screen
    with pytest.raises(InputError, match=r"no column 'chromosome_arm'; there are \['gene'"):
        ProximityCorrection().fit(map_, genes.drop(columns="chromosome_arm"))
    twice = pd.concat([genes, genes.iloc[:1].assign(chromosome_arm="9q")])
    with pytest.raises(InputError, match="gene 'G0' is on 1p and 9q"):
        ProximityCorrection().fit(map_, twice)
    with pytest.raises(InputError, match=r"has 31 unexpressed genes \(the most: 30\)"):
        ProximityCorrection(min_genes=31).fit(map_, genes)
    with pytest.raises(InputError, match="the most: 0"):
        ProximityCorrection().fit(map_, genes.assign(gene="nobody").iloc[:1])
    with pytest.raises(InputError, match="min_genes must be 1"):
        ProximityCorrection(min_genes=0)
