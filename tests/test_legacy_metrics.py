"""The measures of cytominer-eval against their definitions, written out over the whole matrix."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from helpers.legacy_profiles import CONTROLS, guides_of_genes, has_same, similarity_matrix
from wellgram import InputError, PerturbationMap, Wells
from wellgram.metrics import legacy

# A product of float64 rows of length 1 errs by some 1e-15, a sum in fixed point by 5e-13 a term.
ROUNDED = 1e-10
SIMILARITIES = ["correlation", "cosine"]


@pytest.fixture(params=range(2))
def profiles(request):
    return guides_of_genes(np.random.default_rng(request.param))


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("quantile", [0.9, 0.95, 1.0])
def test_replicates_are_compared_with_a_quantile_of_other_pairs(profiles, similarity, quantile):
    values, same = similarity_matrix(profiles, similarity), has_same(profiles)
    upper = np.triu(np.ones_like(same), 1)
    threshold = np.quantile(values[upper & ~same], quantile)
    result = legacy.replicate_reproducibility(profiles, quantile=quantile, similarity=similarity)
    assert result.threshold == pytest.approx(threshold, abs=ROUNDED)
    assert result.share_of_pairs == (values[upper & same] > threshold).mean()
    names = profiles.labels["perturbation"].to_numpy()
    for row in result.table.itertuples():
        of = upper & same & (names == row.perturbation)
        assert row.n_pairs == of.sum()
        assert row.median_similarity == pytest.approx(np.median(values[of]), abs=ROUNDED)
        assert row.above_threshold == (np.median(values[of]) > threshold)


@pytest.mark.parametrize("summary", ["mean", "median"])
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_grit_is_in_units_of_similarities_to_controls(profiles, similarity, summary):
    values = similarity_matrix(profiles, similarity)
    np.fill_diagonal(values, np.nan)
    name, gene = (profiles.labels[key].to_numpy() for key in ("perturbation", "gene"))
    table = legacy.grit(
        profiles, group="gene", controls=CONTROLS, summary=summary, similarity=similarity
    ).table
    assert table["perturbation"].tolist() == sorted(set(name))
    for row in table.itertuples():
        of = values[name == row.perturbation]
        controls = of[:, np.isin(name, CONTROLS)]
        controls = controls[~np.isnan(controls)]
        others = of[:, (gene == row.gene) & (name != row.perturbation)]
        scores = (others - controls.mean()) / controls.std()
        assert (row.n_pairs, row.n_control_pairs) == (others.size, len(controls))
        assert row.grit == pytest.approx(getattr(np, summary)(scores), abs=1e-8)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_hits_are_the_ranks_of_replicates(profiles, similarity):
    values, same = similarity_matrix(profiles, similarity), has_same(profiles)
    n = len(values)
    ranks = []
    for i in range(n):
        order = sorted((j for j in range(n) if j != i), key=lambda j: -values[i, j])
        ranks += [rank for rank, j in enumerate(order) if same[i, j]]
    result = legacy.hit_at_k(profiles, percents=[3, 10, 50, 100], similarity=similarity)
    assert result.ranks.tolist() == ranks
    for row in result.table.itertuples():
        assert row.n_hits == sum(rank <= row.percent * n / 100 for rank in ranks)
        assert row.hit_score == row.n_hits - int(row.percent * len(ranks) / 100)
    assert result.table["hit_score"].iloc[-1] == 0


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_enrichment_is_fishers_test_above_a_quantile(profiles, similarity):
    upper = np.triu_indices(len(profiles), 1)
    values = similarity_matrix(profiles, similarity)[upper]
    same = has_same(profiles)[upper]
    table = legacy.enrichment_above(profiles, quantiles=[0.5, 0.9, 0.99], similarity=similarity)
    for row in table.itertuples():
        above = values > np.quantile(values, row.quantile)
        cells = [[(same & above).sum(), (~same & above).sum()],
                 [(same & ~above).sum(), (~same & ~above).sum()]]  # fmt: skip
        expected = fisher_exact(cells, alternative="greater")
        assert [row.n_replicates_above, row.n_above] == [cells[0][0], above.sum()]
        assert row.odds_ratio == pytest.approx(expected.statistic)
        assert row.p_value == pytest.approx(expected.pvalue, rel=1e-6)


@pytest.mark.parametrize("groupby", [None, "perturbation", "gene"])
def test_precision_and_recall_of_the_first_partners(profiles, groupby):
    k, values, same = 7, similarity_matrix(profiles), has_same(profiles)
    np.fill_diagonal(values, -2)
    labels = np.arange(len(values)) if groupby is None else profiles.labels[groupby].to_numpy()
    table = legacy.precision_recall(profiles, k=k, groupby=groupby)
    named = table.index if groupby is None else table[groupby]
    for label, row in zip(named, table.itertuples(), strict=True):
        of = labels == label
        first = np.argsort(-values[of].ravel(), kind="stable")[:k]
        hits = same[of].ravel()[first].sum()
        assert (row.n_found, row.n_relevant) == (hits, same[of].sum())
        assert (row.precision, row.recall) == (hits / k, hits / same[of].sum())


def mahalanobis(chosen, others):
    centred = others - others.mean(axis=0)
    apart = chosen.mean(axis=0) - others.mean(axis=0)
    return apart @ np.linalg.solve(centred.T @ centred / len(others), apart)


def test_the_mp_value_is_a_permuted_mahalanobis_distance(profiles):
    from sklearn.decomposition import PCA

    from wellgram.nulls import random_subsets, stream_of

    name = profiles.labels["perturbation"].to_numpy()
    controls = profiles.embeddings[np.isin(name, CONTROLS)]
    table = legacy.mp_value(profiles, controls=CONTROLS, draws=50, seed=3, p_form="share").table
    assert set(table["perturbation"][table["reason"] == "controls"]) == set(CONTROLS)
    for row in table[table["reason"] == ""].head(8).itertuples():
        wells = profiles.embeddings[name == row.perturbation]
        both = np.concatenate([wells, controls])
        scores = PCA(0.9, svd_solver="full").fit_transform(both)
        observed = mahalanobis(scores[: len(wells)], scores[len(wells) :])
        sets = random_subsets(
            len(both), len(wells), 50, seed=3, stream=stream_of("mp-value", len(wells))
        )
        null = [mahalanobis(scores[s], np.delete(scores, s, axis=0)) for s in sets]
        assert row.n_components == scores.shape[1]
        assert row.mahalanobis == pytest.approx(observed, rel=1e-9)
        assert row.mp_value == np.mean(np.array(null) >= observed)


def test_more_rows_than_features_and_fewer_have_the_same_components():
    rng = np.random.default_rng(1)
    labels = pd.DataFrame({"perturbation": ["DMSO"] * 40 + ["a"] * 4})
    rows = rng.normal(size=(44, 20))
    wide = np.hstack([rows, np.zeros((44, 60))])
    some, more = (
        legacy.mp_value(PerturbationMap(x, labels), controls="DMSO").table for x in (rows, wide)
    )
    # The eigenvectors of one matrix or of its transpose.
    pd.testing.assert_frame_equal(some, more, rtol=1e-9)


def test_planted_effects_are_found_and_shuffled_labels_are_not():
    rng = np.random.default_rng(5)
    planted = guides_of_genes(rng, effect=1.5)
    order = rng.permutation(len(planted))
    labels = planted.labels.iloc[order].reset_index(drop=True)
    shuffled = PerturbationMap(planted.embeddings, labels)
    kinds = {"group": "gene", "controls": CONTROLS}
    assert legacy.replicate_reproducibility(planted).share_of_groups > 0.8
    assert legacy.replicate_reproducibility(shuffled).share_of_pairs < 0.1
    found = legacy.grit(planted, **kinds).table.set_index("gene")["grit"].drop("control")
    assert found.median() > 2
    assert abs(legacy.grit(shuffled, **kinds).table["grit"].median()) < 0.5
    assert legacy.enrichment_above(planted)["p_value"].max() < 1e-10
    assert legacy.enrichment_above(shuffled)["p_value"].min() > 0.001
    assert legacy.hit_at_k(planted, percents=[5]).table["hit_score"].item() > 100
    assert abs(legacy.hit_at_k(shuffled, percents=[50]).table["hit_score"].item()) < 50


def test_p_values_are_uniform_where_there_is_nothing_to_find():
    null = guides_of_genes(np.random.default_rng(8), effect=0, genes=60, features=10)
    p = legacy.mp_value(null, controls=CONTROLS, draws=200).table["mp_value"].dropna()
    # 180 perturbations share their controls: the mean of uniform values, and a wide berth.
    assert abs(p.mean() - 0.5) < 0.1
    assert (p <= 0.1).mean() < 0.2


def test_of_wells_those_in_the_map_are_compared_and_controls_where_they_are_needed():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(30, 6))
    names = ["a"] * 5 + ["b"] * 5 + ["DMSO"] * 20
    wells = Wells.from_arrays(rows, names, control="DMSO")
    wells.metadata["gene"] = ["g"] * 10 + [None] * 20
    assert legacy.replicate_reproducibility(wells).table["perturbation"].tolist() == ["a", "b"]
    table = legacy.grit(wells, group="gene").table
    assert table["n_control_pairs"].tolist() == [380, 100, 100]
    assert table["reason"].tolist() == ["in no group", "", ""]
    assert legacy.mp_value(wells).table["reason"].tolist() == ["controls", "", ""]


def test_float32_profiles_and_blocks_of_replicates_left_out_are_exact():
    """Ties and repeated similarities are left out as often as they are there."""
    rng = np.random.default_rng(3)
    rows = np.repeat(rng.normal(size=(8, 5)), 6, axis=0).astype(np.float32)
    map_ = PerturbationMap(
        rows, pd.DataFrame({"perturbation": [f"p{k}" for k in np.arange(48) % 8]})
    )
    values, same = similarity_matrix(map_, "cosine"), has_same(map_)
    upper = np.triu(np.ones_like(same), 1)
    for quantile in (0.05, 0.5, 0.9, 0.97):
        result = legacy.replicate_reproducibility(map_, quantile=quantile, similarity="cosine")
        # float32 products of rows of length 1.
        assert result.threshold == pytest.approx(
            np.quantile(values[upper & ~same], quantile), abs=1e-6
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: legacy.replicate_reproducibility(m, sameby="moa"), "no column 'moa'"),
        (lambda m: legacy.replicate_reproducibility(m, sameby=()), "name the columns"),
        (lambda m: legacy.replicate_reproducibility(m, sameby="one"), "all 174 profiles are rep"),
        (lambda m: legacy.hit_at_k(m, sameby="row"), "no two of 174 profiles have the same row"),
        (lambda m: legacy.replicate_reproducibility(m, quantile=0), "quantile must be above 0"),
        (lambda m: legacy.replicate_reproducibility(m, similarity="x"), "unknown similarity 'x'"),
        (lambda m: legacy.hit_at_k(m, percents=[101]), "percents must be above 0 and at most 100"),
        (lambda m: legacy.enrichment_above(m, quantiles=[2]), "quantiles must lie in"),
        (lambda m: legacy.precision_recall(m, k=174), "k must be from 1 to 173"),
        (lambda m: legacy.precision_recall(m, groupby="moa"), "no column 'moa'"),
        (lambda m: legacy.grit(m, group="gene"), "name the controls of a map"),
        (lambda m: legacy.grit(m, group="gene", controls="p99"), "no profile is a control 'p99'"),
        (lambda m: legacy.grit(m, group="row", controls=CONTROLS), "are in several groups"),
        (lambda m: legacy.grit(m, group="gene", controls=CONTROLS, summary="x"), "summary 'x'"),
        (lambda m: legacy.mp_value(m, controls=CONTROLS, draws=0), "draws must be 1 or more"),
    ],
)  # fmt: skip
def test_bad_input_is_named_with_the_remedy(call, message):
    map_ = guides_of_genes(np.random.default_rng(0))
    labels = map_.labels.assign(one=1, row=range(len(map_)))
    with pytest.raises(InputError, match=message):
        call(PerturbationMap(map_.embeddings, labels))


def test_few_controls_and_profiles_without_variance_have_a_reason():
    rows = np.eye(8)[[0, 0, 0, 1, 2, 3, 4, 5]]
    names = ["a", "a", "DMSO", "DMSO", "b", "c", "d", "e"]
    table = legacy.mp_value(
        PerturbationMap(rows, pd.DataFrame({"perturbation": names})), controls="DMSO"
    ).table.set_index("perturbation")
    assert table.loc["b", "reason"] == "too few controls for the components"
    assert np.isnan(table.loc["b", "mp_value"])
