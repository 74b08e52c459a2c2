"""What is given in place of a map, of wells or of a table is refused, and what makes the one."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg

GENES = [f"g{i}" for i in range(60)]
PAIRS = pd.DataFrame({"entity1": GENES[:20], "entity2": GENES[20:40]})
SETS = {f"set {i}": GENES[12 * i : 12 * i + 12] for i in range(4)}
ARMS = pd.DataFrame({"gene": GENES, "chromosome_arm": [f"{i % 4}p" for i in range(60)]})
TARGETS = pd.DataFrame(
    [
        (compound, gene, 10.0 if i % 5 == k % 5 else 1e5)
        for k, compound in enumerate(GENES[:10])
        for i, gene in enumerate(GENES[10:])
    ],
    columns=["treatment", "gene_symbol", "nM_value"],
)
MEANS = pd.DataFrame({"perturbation": GENES, "cells": np.arange(60.0)})
OF_MAPS = {
    "recall": lambda m: wg.relationship_recall(m, PAIRS, same="moa").table,
    "comparison": lambda m: wg.compare_recall(m, m, PAIRS).table,
    "matched recall": lambda m: wg.matched_recall(m, MEANS, PAIRS),
    "drug targets": lambda m: wg.drug_targets(m, TARGETS).table,
    "separation": lambda m: wg.gene_set_separation(m, SETS),
    "similarity": lambda m: wg.gene_set_similarity(m, SETS).table,
    "proximity bias": lambda m: wg.proximity_bias(m, ARMS, min_pairs=3).table,
    "projection": lambda m: wg.pca_projection(m).table,
    "agreement": lambda m: wg.replicate_agreement(m, m).table,
    "precision": lambda m: wg.average_precision(m, pos_sameby="moa", neg_diffby="moa").table,
    "neighbors": lambda m: wg.neighbors(m, 3).table,
    "neighbors of one": lambda m: wg.neighbors_of(m, "g3", 3).table,
    "cosines": lambda m: pd.DataFrame(wg.cosine_matrix(m)),
    "histogram": lambda m: wg.pair_histogram(m).table,
    "quantiles": lambda m: pd.DataFrame(wg.pair_quantiles(m, [0.1, 0.5]).cosines),
    "ranks": lambda m: wg.pair_ranks(m, [0, 1], [2, 3]).table,
}
OF_WELLS = {
    "map": wg.build_map,
    "consistency": wg.consistency,
    "magnitude": wg.magnitude,
    "batch effects": wg.batch_effects,
    "probe": wg.linear_probe,
    "neighbor accuracy": wg.neighbor_accuracy,
    "guides": lambda wells: wg.guide_agreement(wells, "guide"),
    "matching": lambda wells: wg.match_wells(wells, "cells"),
    "covariate wells": lambda wells: wg.covariate_wells(wells, "cells"),
    "covariate means": lambda wells: wg.covariate_means(wells, "cells"),
    "study": wg.batch_study,
    "score": wg.score,
}


class AnnDataLike:
    """What an AnnData object has."""

    obs = pd.DataFrame()
    X = np.ones((2, 2))


@pytest.fixture
def map_(rng):
    labels = pd.DataFrame({"perturbation": GENES, "moa": [f"m{i % 7}" for i in range(60)]})
    return wg.PerturbationMap(rng.normal(size=(60, 12)).astype("f4"), labels, {"align": "none"})


@pytest.fixture
def wells(rng):
    names = [f"g{i % 20}" for i in range(80)]
    return wg.Wells.from_arrays(rng.normal(size=(80, 12)), names, control="g0")


@pytest.mark.parametrize("suffix", [".parquet", ".h5", ".npz"])
def test_a_map_on_disk_goes_wherever_one_in_memory_does(map_, tmp_path, suffix):
    wg.write_map(map_, tmp_path / f"map{suffix}")
    opened = wg.open_map(tmp_path / f"map{suffix}")
    for metric in OF_MAPS.values():
        pd.testing.assert_frame_equal(metric(opened), metric(map_))
    wg.write_map(opened, tmp_path / f"again{suffix}")
    again = wg.read_map(tmp_path / f"again{suffix}")
    assert again.provenance == map_.provenance
    pd.testing.assert_frame_equal(again.labels, map_.labels)


@pytest.mark.parametrize("name", OF_MAPS)
def test_what_is_no_map(wells, name):
    for given, words in (
        (wells, "not wells; make one with wellgram.build_map"),
        (AnnDataLike(), "wellgram.read_map"),
        ("map.parquet", "'map.parquet'; read the file with wellgram.read_map or wellgram.open_map"),
        (None, "NoneType"),
    ):
        if name == "precision" and given is wells:
            continue  # of wells there is an average precision too
        with pytest.raises(wg.InputError, match=words):
            OF_MAPS[name](given)


@pytest.mark.parametrize("name", OF_WELLS)
def test_what_is_no_wells(map_, name):
    for given, words in (
        (map_, "not a map; give the wells that the map was made of"),
        (AnnDataLike(), "read_wells"),
        (pd.DataFrame({"gene": ["a"]}), "read_wells"),
        ("wells.parquet", "'wells.parquet'; read the files with wellgram.read_wells"),
        (np.ones((3, 3)), "from_arrays"),
    ):
        with pytest.raises(wg.InputError, match=words):
            OF_WELLS[name](given)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m, x: wg.drug_targets(m, x), "table of targets is a table of pandas"),
        (lambda m, x: wg.proximity_bias(m, x), "table of genes is a table of pandas"),
        (lambda m, x: wg.matched_recall(m, x, PAIRS), "covariate_means returns is a table"),
        (lambda m, x: wg.gene_set_separation(m, x), "gene sets are lists of genes by the name"),
        (lambda m, x: wg.gene_set_similarity(m, x), "gene sets are lists of genes by the name"),
        (lambda m, x: wg.associations(x, "score", "cells"), "table of scores is a table of pandas"),
        (lambda m, x: wg.mean_average_precision(x), "what average_precision returns"),
        (lambda m, x: wg.compare_drug_targets(x, x), "what drug_targets returns"),
        (lambda m, x: wg.split_by_arm(x, ARMS), "known pairs are"),
    ],
)
@pytest.mark.parametrize("given", [7, None, "pairs.csv", np.ones(3)])
def test_what_is_no_table(map_, call, words, given):
    if given is None and words == "known pairs are":
        return  # no sources
    with pytest.raises(wg.InputError, match=words):
        call(map_, given)


@pytest.mark.parametrize(
    "read", [wg.read_gene_sets, wg.read_relationships, wg.read_targets, wg.relationship_sources]
)
@pytest.mark.parametrize("given", [7, None, PAIRS, np.ones(3), {"a": 1}])
def test_what_is_no_name_of_a_file(read, given):
    with pytest.raises(wg.InputError, match="the name of a file is needed, not"):
        read(given)


def test_genes_are_lists(map_):
    with pytest.raises(wg.InputError, match="gene set 'a' is a list of genes, not 'g1 g2'"):
        wg.gene_set_separation(map_, {"a": "g1 g2"})
    with pytest.raises(wg.InputError, match="universe is a list of genes"):
        wg.enrichment(["g1"], "g1", SETS)
    for metric in (wg.gene_set_separation, wg.gene_set_similarity):
        with pytest.raises(wg.InputError, match="12 are there but for case or blanks: 'G0' for"):
            metric(map_, {"a": [gene.upper() for gene in GENES[:12]]})
