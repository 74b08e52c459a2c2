"""What is looked at rather than scored: complexes, the map in two dimensions, batches."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import map_of, shuffled
from wellgram import (
    CenterScale,
    InputError,
    Wells,
    batch_effects,
    cosine_matrix,
    gene_set_similarity,
    gene_sets_of_pairs,
    pca_projection,
)
from wellgram.metrics.batch_measures import batch_accuracy, mixing, similarities


def planted(rng, sizes=(5, 4, 3), alone=6, d=30):
    """A map of complexes, whose members share a direction, and of rows alone."""
    x = rng.normal(size=(sum(sizes) + alone, d))
    names, complexes, first = [], {}, 0
    for k, size in enumerate(sizes):
        x[first : first + size] += 3 * rng.normal(size=d)
        complexes[f"complex {k}"] = [f"c{k}m{j}" for j in range(size)]
        names += complexes[f"complex {k}"]
        first += size
    names += [f"alone{j}" for j in range(alone)]
    return shuffled(rng, map_of(x, names)), complexes


def test_a_clustering_finds_planted_complexes(rng):
    map_, complexes = planted(rng)
    result = gene_set_similarity(map_, complexes)
    blocks = [
        group for k, group in enumerate(result.groups) if result.groups[k - 1] != group or not k
    ]
    assert sorted(blocks) == ["complex 0", "complex 1", "complex 2"]  # each is one block
    rows = map_.labels.reset_index().set_index("perturbation").loc[result.cosines.index, "index"]
    np.testing.assert_allclose(
        result.cosines,
        cosine_matrix(map_)[np.ix_(rows, rows)],
        atol=1e-12,  # rounding
    )
    table = result.table.set_index("gene_set")
    assert table["n_genes"].to_dict() == {"complex 0": 5, "complex 1": 4, "complex 2": 3}
    assert (table["within"] > 0.5).all()
    assert (table["between"] < 0.5).all()


def test_the_tree_is_of_the_rows_in_their_order(rng):
    from scipy.cluster.hierarchy import leaves_list

    map_, complexes = planted(rng, sizes=(8, 7, 6), d=4)
    result = gene_set_similarity(map_, complexes)
    assert leaves_list(result.tree).tolist() == list(range(21))
    # The first two to be joined are the most alike.
    values = result.cosines.to_numpy() - 2 * np.eye(21)
    i, j = np.unravel_index(values.argmax(), values.shape)
    assert sorted(result.tree[0, :2]) == sorted([i, j])
    assert result.tree[0, 2] == pytest.approx(1 - values.max())


def test_as_many_complexes_are_shown_as_there_is_room(rng):
    map_, complexes = planted(rng, sizes=(5, 4, 3))
    result = gene_set_similarity(map_, complexes | {"pair": ["alone0", "alone1"]}, most=8)
    assert set(result.groups) == {"complex 0", "complex 2"}
    assert result.left_out == 1
    with pytest.raises(InputError, match="none of the 1 gene sets has 3 to 20 members"):
        gene_set_similarity(map_, {"pair": ["alone0", "alone1", "not there"]})


def test_pairs_hang_together_in_complexes():
    pairs = pd.DataFrame({"entity1": ["b", "c", "x", None], "entity2": ["a", "b", "y", "z"]})
    assert gene_sets_of_pairs({"s": pairs}) == {"a + 2": ["a", "b", "c"], "x + 1": ["x", "y"]}
    assert list(gene_sets_of_pairs({"s": pairs, "t": pairs[2:3]})) == [
        "a + 2, s",
        "x + 1, s",
        "x + 1, t",
    ]


def test_complexes_hang_together_by_members_of_the_map():
    pairs = pd.DataFrame({"entity1": ["a", "b", "elsewhere", "c"],
                          "entity2": ["b", "elsewhere", "c", "d"]})  # fmt: skip
    assert gene_sets_of_pairs({"s": pairs}, [*"abcd"]) == {"a + 1": ["a", "b"], "c + 1": ["c", "d"]}
    assert gene_sets_of_pairs({"s": pairs}, ["x"]) == {}


def test_a_projection_is_that_of_the_singular_values(rng):
    x = rng.normal(size=(50, 7)) * [5, 3, 1, 1, 1, 1, 1]
    map_ = map_of(x)
    found = pca_projection(map_)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    left, values, axes = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
    sign = np.sign(axes[[0, 1], np.abs(axes[:2]).argmax(axis=1)])
    np.testing.assert_allclose(found.table[["x", "y"]], left[:, :2] * values[:2] * sign, atol=1e-9)
    np.testing.assert_allclose(found.explained, (values**2 / (values**2).sum())[:2])
    # In another order the same rows lie at the same places; sums round differently.
    moved = pca_projection(shuffled(rng, map_)).table.set_index("perturbation")
    expected = found.table.set_index("perturbation").loc[moved.index]
    np.testing.assert_allclose(moved["x"], expected["x"], atol=1e-9)


def test_what_has_no_two_directions_is_not_projected():
    with pytest.raises(InputError, match="all rows of the map have one direction"):
        pca_projection(map_of(np.array([[1.0, 2.0], [2.0, 4.0]])))
    with pytest.raises(InputError, match="the map is 2 x 1"):
        pca_projection(map_of(np.array([[1.0], [2.0]])))


def screen(rng, shift=3.0):
    """Wells of 20 perturbations in 4 batches, each shifted; and one perturbation of one batch."""
    perturbation = [*np.tile([f"p{k}" for k in range(20)], 4), *["single"] * 9, *["DMSO"] * 32]
    batch = np.array([*np.repeat([*"abcd"], 20), *"a" * 9, *np.repeat([*"abcd"], 8)])
    x = rng.normal(size=(len(batch), 8))
    for k, name in enumerate("abcd"):
        x[batch == name, k] += shift
    return Wells.from_arrays(x, perturbation, control="DMSO", batch=batch)


def test_batch_effects_are_those_of_the_measures(rng):
    wells = screen(rng)
    aligned = Wells(CenterScale().fit_transform(wells), wells.metadata, wells.origin)
    found = batch_effects(wells, aligned, seed=3)
    assert (found.wells, found.batches) == (80, 4)  # without controls and what one batch has
    table = found.table.set_index("name")
    chosen = np.arange(80)
    codes = pd.factorize(wells.metadata["perturbation"][chosen])[0]
    batch = wells.batches()[0][chosen]
    one = np.zeros(80, np.int64)
    for column, of in (("raw", wells), ("aligned", aligned)):
        rows = of.embeddings[chosen]
        alike = similarities(rows, codes, batch, one)
        mixed = mixing(rows, codes, batch, one)
        assert table.loc["batch_accuracy", column] == batch_accuracy(rows, batch, seed=3)
        assert table.loc["margin", column] == alike.same_perturbation - alike.same_batch
        for name in ("kbet", "ilisi", "silhouette_batch"):
            assert table.loc[name, column] == mixed[name]
    for name, row in table.iterrows():
        better = (
            row["aligned"] < row["raw"] if row["best"] == "less" else row["aligned"] > row["raw"]
        )
        assert better, name
    assert table.loc["batch_accuracy", "chance"] == 0.25


def test_a_sample_is_the_same_for_the_same_seed(rng):
    wells = screen(rng)
    first, again = (batch_effects(wells, sample=60, seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, again.table)
    assert first.wells == 60
    assert first.table["aligned"].isna().all()


def test_batches_that_share_nothing_are_not_compared(rng):
    x = rng.normal(size=(32, 4))
    apart = Wells.from_arrays(
        x, ["p"] * 12 + ["q"] * 12 + ["DMSO"] * 8, control="DMSO", batch=[*"a" * 12, *"b" * 20]
    )
    with pytest.raises(InputError, match="no two batches share perturbations"):
        batch_effects(apart)
    with pytest.raises(InputError, match="the screen has one batch"):
        batch_effects(Wells.from_arrays(x, ["p"] * 32, control=None, batch=["a"] * 32))
