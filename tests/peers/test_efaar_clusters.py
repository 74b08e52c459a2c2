"""Clusters and enrichment against efaar_benchmarking, with the clusters of CORUM it ships."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from wellgram import PerturbationMap, enrichment, gene_set_separation, read_gene_sets


@pytest.fixture(scope="module")
def corum(efaar_benchmarks):
    place = find_spec("efaar_benchmarking").submodule_search_locations[0]
    return Path(place) / "benchmark_annotations"


@pytest.fixture(scope="module")
def genes(corum):
    """Genes of CORUM, most of them."""
    gene_sets = read_gene_sets(corum / "CORUM_clusters.tsv")
    every = sorted({gene for members in gene_sets.values() for gene in members})
    return np.random.default_rng(0).choice(every, 900, replace=False)


def test_cluster_separation_equals_efaar(efaar_benchmarks, corum, genes):
    rows = np.random.default_rng(1).normal(size=(len(genes), 20))
    labels = pd.DataFrame({"perturbation": genes})
    theirs = efaar_benchmarks.cluster_benchmark(
        Bunch(features=pd.DataFrame(rows), metadata=labels),
        "perturbation",
        benchmark_data_dir=str(corum),
    ).set_index("cluster")
    gene_sets = read_gene_sets(corum / "CORUM_clusters.tsv")
    ours = gene_set_separation(PerturbationMap(rows, labels), gene_sets).set_index("gene_set")
    assert set(ours.index) == set(theirs.index)
    theirs = theirs.loc[ours.index]
    for mine, other in (
        ("within_mean", "within_cossim_mean"),
        ("between_mean", "between_cossim_mean"),
        ("ks_statistic", "ks_stat"),
        ("p_value", "ks_pval"),
    ):
        np.testing.assert_allclose(ours[mine], theirs[other].astype(float), rtol=1e-9, atol=1e-12)
    assert [sorted(of) for of in ours["genes"]] == [sorted(of) for of in theirs["genes"]]


def test_enrichment_equals_efaar(efaar_benchmarks, corum, genes):
    listed = sorted(genes)[:40]
    theirs = efaar_benchmarks.enrichment(
        listed, list(genes), "CORUM", str(corum), pval_thr=2, corrected=True
    ).set_index("cluster")
    ours = enrichment(listed, genes, read_gene_sets(corum / "CORUM_clusters.tsv"))
    ours = ours.set_index("gene_set")
    assert set(ours.index) == set(theirs.index)
    theirs = theirs.loc[ours.index]
    np.testing.assert_allclose(ours["p_bonferroni"], theirs["pval"], rtol=1e-12)
    np.testing.assert_allclose(ours["jaccard"], theirs["jaccard"], rtol=1e-12)
