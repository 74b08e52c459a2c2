"""Gene sets and enrichment against SciPy, and on maps where they are planted."""

import numpy as np
import pytest
from scipy.stats import fisher_exact, ks_2samp

from helpers.maps_and_wells import make_map
from wellgram import InputError, enrichment, gene_set_separation, read_gene_sets


def map_with(rng, n=60, d=6, gene_sets=(), strength=2.0, **labels):
    """A map of genes G0 ..., the members of each gene set drawn together."""
    map_ = make_map(rng, n, d, **labels)
    for members in gene_sets:
        map_.embeddings[members] += strength * rng.normal(size=d)
    return map_


def names(*members):
    return [f"G{k}" for k in members]


def test_it_is_the_test_of_scipy(rng):
    map_ = map_with(rng)
    gene_sets = {"a": names(*range(12), 99), "small": names(1, 2)}
    table = gene_set_separation(map_, gene_sets, min_genes=5)
    assert table["gene_set"].tolist() == ["a"]
    row = table.iloc[0]
    assert (row["n_genes"], row["n_rest"], row["genes"]) == (12, 48, names(*range(12)))
    unit = map_.embeddings / np.linalg.norm(map_.embeddings, axis=1, keepdims=True)
    within = (unit[:12] @ unit[:12].T)[np.triu_indices(12, 1)]
    between = (unit[:12] @ unit[12:].T).ravel()
    expected = ks_2samp(within, between)
    assert row["ks_statistic"] == pytest.approx(expected.statistic)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert row["within_mean"] == pytest.approx(within.mean())
    assert row["between_mean"] == pytest.approx(between.mean())


def test_planted_gene_sets_are_found_and_random_ones_are_not(rng):
    planted = [np.arange(10 * k, 10 * k + 10) for k in range(5)]
    map_ = map_with(rng, n=200, d=16, gene_sets=planted)
    chosen = {f"planted {k}": names(*members) for k, members in enumerate(planted)}
    chosen |= {f"random {k}": names(*rng.choice(np.arange(50, 200), 10, False)) for k in range(5)}
    table = gene_set_separation(map_, chosen).set_index("gene_set")
    found = table["q_value"] < 1e-3
    assert found.index[found].tolist() == [f"planted {k}" for k in range(5)]
    assert (table.loc[found, "within_mean"] > table.loc[found, "between_mean"] + 0.3).all()


def test_genes_alone_are_the_rest_where_there_are_compounds(rng):
    kinds = ["CRISPR"] * 40 + ["COMPOUND"] * 20
    map_ = map_with(rng, perturbation_type=kinds)
    sizes = [
        gene_set_separation(map_, {"a": names(*range(10))}, null=null)["n_rest"][0]
        for null in (None, "genes", "all")
    ]
    assert sizes == [30, 30, 50]


@pytest.mark.parametrize(
    ("gene_sets", "options", "words"),
    [
        ({"a": names(1, 2)}, {}, "has 10 genes"),
        ({}, {}, "none of the 0 gene sets"),
        ({"all": names(*range(60))}, {}, "a rest to compare with"),
        ({"a": names(*range(12))}, {"min_genes": 1}, "min_genes must be 2"),
        ({"a": names(*range(12))}, {"null": "genes"}, "no gene"),
    ],
)
def test_gene_sets_that_cannot_be_compared(rng, gene_sets, options, words):
    with pytest.raises(InputError, match=words):
        gene_set_separation(map_with(rng), gene_sets, **options)


def test_enrichment_is_fishers_exact_test():
    universe = names(*range(100))
    sets = {"rich": names(*range(15)), "poor": names(*range(50, 80)), "few": names(1, 2, 500)}
    table = enrichment(names(*range(8), 60, 90), universe, sets).set_index("gene_set")
    assert table.index.tolist() == ["rich", "poor"]
    for name, shared, size in (("rich", 8, 15), ("poor", 1, 30)):
        odds = [[shared, 10 - shared], [size - shared, 90 - size + shared]]
        expected = fisher_exact(odds, alternative="greater").pvalue
        assert table.loc[name, "p_value"] == pytest.approx(expected)
        assert table.loc[name, "p_bonferroni"] == pytest.approx(min(1, 2 * expected))
        assert table.loc[name, "jaccard"] == pytest.approx(shared / (10 + size - shared))
        assert len(table.loc[name, "shared"]) == shared


@pytest.mark.parametrize(
    ("genes", "universe", "words"),
    [
        ([], ["a"], "a list of genes"),
        (["a"], [], "a list of genes"),
        (["a", "x"], ["a"], "first: 'x'"),
        (["a"], ["a", "b"], "no gene set has 10 genes"),
    ],
)
def test_lists_that_cannot_be_tested(genes, universe, words):
    with pytest.raises(InputError, match=words):
        enrichment(genes, universe, {"c": ["a", "b"]})


def test_gene_sets_from_both_kinds_of_file(tmp_path):
    (tmp_path / "a.tsv").write_text("one\tB A A\n\ntwo\tC\n")
    (tmp_path / "a.gmt").write_text("one\thttp://\tB\tA\ntwo\t\tC\t\n")
    for name in ("a.tsv", "a.gmt"):
        assert read_gene_sets(tmp_path / name) == {"one": ["A", "B"], "two": ["C"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\n", "line 1 of a.tsv names no genes"),
        ("one\tA\none\tB\n", "two sets named 'one'"),
        ("\n", "no gene sets"),
    ],
)
def test_gene_sets_that_cannot_be_read(tmp_path, text, words):
    (tmp_path / "a.tsv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_gene_sets(tmp_path / "a.tsv")
    with pytest.raises(InputError, match="there is no file"):
        read_gene_sets(tmp_path / "b.tsv")
