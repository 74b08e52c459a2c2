"""Recall by its definition, in plain NumPy, and what it says of input it cannot use."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import make_map
from wellgram import InputError, PerturbationMap, relationship_recall
from wellgram.io.relationships import clean_pairs
from wellgram.metrics import known_pairs
from wellgram.metrics.recall import largest_count, smallest_count

TAILS = ((0.05, 0.95), (0.1, 0.9), (0.0, 1.0), (1 / 3, 2 / 3))


def make_pairs(p=60, count=150, seed=1):
    ends = np.random.default_rng(seed).integers(
        0, p + 5, size=(count, 2)
    )  # some absent from the map
    return pd.DataFrame(
        {"entity1": [f"G{i}" for i in ends[:, 0]], "entity2": [f"G{j}" for j in ends[:, 1]]}
    )


def by_definition(x, pairs, low, high):
    """Ranks as METRICS has them: shares of the sorted null up to and below each known cosine."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines = unit @ unit.T
    null = np.sort(cosines[np.triu_indices(len(x), 1)])
    q = np.array([cosines[i, j] for i, j in pairs])
    right = np.searchsorted(null, q, side="right") / len(null)
    left = np.searchsorted(null, q, side="left") / len(null)
    return int(((right <= low) | (left >= high)).sum())


def indices(pairs, p=60):
    ends = {tuple(sorted((int(a[1:]), int(b[1:])))) for a, b in pairs.itertuples(index=False)}
    return [(i, j) for i, j in ends if i != j and j < p]


@pytest.mark.parametrize("seed", range(5))
def test_recall_is_the_share_in_the_tails(seed):
    map_, pairs = make_map(np.random.default_rng(seed)), make_pairs(seed=seed + 100)
    table = relationship_recall(map_, {"known": pairs}, tails=TAILS).table
    known = indices(pairs)
    assert (table["n_known_pairs"] == len(known)).all()
    assert (table["n_null_pairs"] == 60 * 59 // 2).all()
    for row in table.itertuples():
        assert row.n_recalled == by_definition(map_.embeddings, known, row.tail_low, row.tail_high)
        assert row.recall == row.n_recalled / len(known)
        assert row.chance == pytest.approx(row.tail_low + 1 - row.tail_high)


def test_the_published_test_vector():
    """Null 1 ... 5, query {1, 5}: recall 0 at (0.1, 0.9) and 1 at (0.2, 0.8)."""
    null, query = np.arange(1, 6), np.array([1, 5])
    for (low, high), expected in (((0.1, 0.9), 0), ((0.2, 0.8), 2)):
        below, above = largest_count(5, low), smallest_count(5, high)
        assert ((query < null[below]) | (query > null[above - 1])).sum() == expected


@pytest.mark.parametrize("n", [1, 7, 20, 2775, 270480])
def test_counts_follow_the_rounded_division(n):
    counts = np.arange(n + 1)
    for share in (0, 0.05, 0.1, 0.3, 1 / 3, 0.9, 0.95, 1):
        assert largest_count(n, share) == counts[counts / n <= share].max()
        assert smallest_count(n, share) == counts[counts / n >= share].min()


def test_a_map_without_signal_scores_chance():
    map_, pairs = make_map(np.random.default_rng(3), 400, 64), make_pairs(p=400, count=4000, seed=4)
    table = relationship_recall(map_, {"known": pairs}).table
    # Pairs share genes, so the error is above binomial (0.005); four times that is ample.
    np.testing.assert_allclose(table["recall"], table["chance"], atol=0.02)


def test_genes_are_the_null_where_the_map_has_them(rng):
    kinds = ["CRISPR"] * 40 + ["COMPOUND"] * 20
    map_, pairs = make_map(rng, perturbation_type=kinds), make_pairs()
    genes = relationship_recall(map_, {"known": pairs})
    everything = relationship_recall(map_, {"known": pairs}, null="all")
    assert set(genes.table["null"]) == {"genes"}
    assert genes.table["n_null_pairs"].iloc[0] == 40 * 39 // 2
    assert everything.table["n_null_pairs"].iloc[0] == 60 * 59 // 2
    assert genes.table["n_known_pairs"].iloc[0] == len(indices(pairs, 40))
    alone = PerturbationMap(map_.embeddings[:40], map_.labels[:40])
    assert genes.table.equals(relationship_recall(alone, {"known": pairs}).table)


def test_same_makes_a_pair_of_every_two_rows_that_share_a_value(rng):
    map_ = make_map(rng, 6, moa=["x", "y", "x", None, "x", "y"])
    _, _, known = known_pairs(map_.labels, same=["moa"])
    i, j = known["moa"]
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == {(0, 2), (0, 4), (2, 4), (1, 5)}


def test_doses_of_one_perturbation_are_told_apart():
    labels = pd.DataFrame(
        {"perturbation": ["a", "a", "b"], "dose": [1.0, 2.0, 1.0], "moa": ["x", "x", "x"]}
    )
    _, _, known = known_pairs(labels, same=["moa"])
    assert len(known["moa"][0]) == 3
    assert len(known["moa, other perturbation"][0]) == 2


def test_pairs_are_unordered_and_without_self_or_repeats():
    pairs = pd.DataFrame({"entity1": [*list("ABACD"), None], "entity2": [*list("BAADC"), "A"]})
    assert clean_pairs(pairs).to_numpy().tolist() == [["A", "B"], ["C", "D"]]


def test_precisions_and_backends_agree(rng):
    map_, pairs = make_map(rng), make_pairs()
    tables = [
        relationship_recall(map_, {"known": pairs}, dtype=p, backend=b).table["n_recalled"]
        for p in ("float32", "float64")
        for b in ("cpu", "reference")
    ]
    assert all(table.equals(tables[0]) for table in tables)


def test_percentiles_come_where_they_are_asked_for(rng):
    map_, pairs = make_map(rng), make_pairs()
    without = relationship_recall(map_, {"known": pairs})
    result = relationship_recall(map_, {"known": pairs}, percentiles=True)
    pd.testing.assert_frame_equal(without.table, result.table)
    assert list(without.known["known"]) == ["i", "j", "cosine"]
    assert list(result.known["known"]) == ["i", "j", "cosine", "left_rank", "right_rank"]
    known = result.known["known"]
    ends = np.sort(known[["i", "j"]].to_numpy(), axis=1)
    assert sorted(map(tuple, ends.tolist())) == sorted(indices(pairs))


def test_a_source_without_pairs_in_the_map_is_reported_beside_others(rng):
    other = pd.DataFrame({"entity1": ["X"], "entity2": ["Y"]})
    table = relationship_recall(make_map(rng), {"known": make_pairs(), "other": other}).table
    rows = table[table["source"] == "other"]
    assert (rows["n_known_pairs"] == 0).all()
    assert rows["recall"].isna().all()


def test_repr_and_plot_and_save(rng, tmp_path):
    result = relationship_recall(make_map(rng), {"known": make_pairs()})
    assert "1,770 pairs of all rows" in repr(result)
    points = [line.get_xdata() for line in result.plot().get_lines() if line.get_marker() == "o"]
    assert np.concatenate(points).tolist() == result.table["recall"].tolist()
    result.save(tmp_path / "recall.csv")
    saved = pd.read_csv(tmp_path / "recall.csv")
    pd.testing.assert_frame_equal(saved, result.table, check_dtype=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tails": [(0.9, 0.1)]}, "low < high"),
        ({"tails": [(-0.1, 0.9)]}, "shares"),
        ({"null": "genes"}, "no gene"),
        ({"null": "wells"}, "unknown null"),
        ({"same": ["moa"]}, "no column 'moa'"),
    ],
)
def test_what_cannot_be_used_is_named(rng, options, words):
    with pytest.raises(InputError, match=words):
        relationship_recall(make_map(rng), {"known": make_pairs()}, **options)


def test_no_known_pair_is_an_error_that_shows_labels(rng):
    pairs = pd.DataFrame({"entity1": ["X"], "entity2": ["Y"]})
    with pytest.raises(InputError, match=r"no known pair of known.*'G0', 'G1', 'G2'"):
        relationship_recall(make_map(rng), {"known": pairs})
    with pytest.raises(InputError, match="nothing to recall"):
        relationship_recall(make_map(rng))


def test_a_label_with_several_rows_is_ambiguous(rng):
    map_ = make_map(rng, 3)
    twice = PerturbationMap(map_.embeddings, map_.labels.assign(perturbation=["G0", "G0", "G1"]))
    with pytest.raises(InputError, match=r"'G0'.*dose='none'"):
        relationship_recall(twice, {"known": make_pairs()})


def test_columns_of_known_pairs_are_named(rng):
    with pytest.raises(InputError, match="entity2"):
        relationship_recall(make_map(rng), {"known": pd.DataFrame({"entity1": ["G1"]})})


def test_ranks_of_the_known_pairs_are_exact(rng):
    """And decide recall by themselves: right rank <= low or left rank >= high."""
    map_, pairs = make_map(rng), make_pairs()
    sources = {"a": pairs[:90], "b": pairs[60:]}
    result = relationship_recall(map_, sources, tails=TAILS, percentiles=True)
    unit = map_.embeddings / np.linalg.norm(map_.embeddings, axis=1, keepdims=True)
    null = np.sort((unit @ unit.T)[np.triu_indices(60, 1)])
    for source, known in result.known.items():
        cosines = known["cosine"].to_numpy()
        near = 1e-14  # the sums of 8 products of another order
        for rank, side in (("left_rank", -near), ("right_rank", near)):
            np.testing.assert_array_equal(known[rank], np.searchsorted(null, cosines + side) / 1770)
        for row in result.table[result.table["source"] == source].itertuples():
            recalled = (known["right_rank"] <= row.tail_low) | (known["left_rank"] >= row.tail_high)
            assert row.n_recalled == recalled.sum()


def test_intervals_come_with_resampled_genes(rng):
    map_, pairs = make_map(rng, 200, 16), make_pairs(p=200, count=900)
    nowhere = pd.DataFrame({"entity1": ["X"], "entity2": ["Y"]})
    sources = {"known": pairs, "none of the map": nowhere}
    table = relationship_recall(map_, sources, resamples=200, seed=4).table
    again = relationship_recall(map_, sources, resamples=200, seed=4).table
    pd.testing.assert_frame_equal(table, again)
    known, absent = (part for _, part in table.groupby("source"))
    assert (known["ci_low"] < known["recall"]).all()
    assert (known["recall"] < known["ci_high"]).all()
    assert absent[["ci_low", "ci_high"]].isna().all(axis=None)
    assert "ci_low" not in relationship_recall(map_, {"known": pairs}).table


def test_one_pass_serves_all_sources(rng, monkeypatch):
    from wellgram.pairs import order

    passes = []
    monkeypatch.setattr(
        order, "scan", lambda *given, scan=order.scan: passes.append(given) or scan(*given)
    )
    map_ = make_map(rng, 700)
    sources = {str(seed): make_pairs(p=700, seed=seed) for seed in range(5)}
    relationship_recall(map_, sources, tails=TAILS)
    assert len(passes) == 1
