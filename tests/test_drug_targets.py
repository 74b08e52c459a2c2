"""The drug-target benchmark against a plain implementation, and on screens with known targets."""

import numpy as np
import pandas as pd
import pytest

from wellgram import InputError, PerturbationMap, build_map, drug_targets
from wellgram.align import alignment
from wellgram.metrics.target_lists import RankedList, ranked_lists
from wellgram.nulls import random_subsets, stream_of
from wellgram.simulate import rxrx3_core

DOSES = (0.1, 1.0, 10.0)


@pytest.fixture(scope="module")
def screen():
    return rxrx3_core(scale=0.06, seed=3, features=24)


@pytest.fixture(scope="module")
def map_(screen):
    return build_map(screen.wells(), alignment("pca-center-scale"), dtype="float64")


@pytest.fixture(scope="module")
def planted():
    """A screen large enough for its targets to show, and its map."""
    screen = rxrx3_core(scale=0.2, seed=3, features=128)
    return build_map(screen.wells(), alignment("pca-center-scale")), screen.compound_targets


def small(rng, genes=40, compounds=6, doses=DOSES, typed=True, d=8):
    """A map of genes G0 ... and compounds C0 ... at doses, and its targets."""
    names = [f"G{k:02d}" for k in range(genes)]
    treated = [(f"C{k}", dose) for k in range(compounds) for dose in doses]
    labels = pd.DataFrame(
        {
            "perturbation": names + [name for name, _ in treated],
            "dose": [np.nan] * genes + [dose for _, dose in treated],
        }
    )
    if typed:
        labels["perturbation_type"] = ["CRISPR"] * genes + ["COMPOUND"] * len(treated)
    rows = rng.normal(size=(len(labels), d))
    targets = pd.DataFrame(
        [(c, g, v) for c in range(compounds) for g, v in ((c, 10), (c + 9, 900), (c + 20, 5000))],
        columns=["treatment", "gene_symbol", "nM_value"],
    )
    targets["treatment"] = "C" + targets["treatment"].astype(str)
    targets["gene_symbol"] = [f"G{g:02d}" for g in targets["gene_symbol"]]
    extra = pd.DataFrame({"treatment": "other", "gene_symbol": names, "nM_value": 1e5})
    return PerturbationMap(rows, labels), pd.concat([targets, extra], ignore_index=True)


def plain_precision(scores, labels):
    """Scores are distinct: the mean over actives of precision at their rank."""
    labels = labels[np.argsort(-scores)]
    return float((np.cumsum(labels) / np.arange(1, len(labels) + 1))[labels].mean())


def plain(map_, targets, draws, seed, by="compound"):
    """As METRICS.md has it, one compound, dose and seed at a time."""
    labels, rows = map_.labels, map_.embeddings
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    is_gene = (labels["perturbation_type"] == "CRISPR").to_numpy()
    genes = {labels["perturbation"][k]: k for k in np.flatnonzero(is_gene)}
    treated = {(labels["perturbation"][k], labels["dose"][k]): k for k in np.flatnonzero(~is_gene)}
    compounds = {name for name, _ in treated}
    doses = sorted({dose for name, dose in treated if name in set(targets["treatment"])})
    item, partner = ("treatment", "gene_symbol")[:: 1 if by == "compound" else -1]
    partners_there = genes.keys() if by == "compound" else compounds
    items_there = compounds if by == "compound" else genes.keys()
    known = targets[targets[item].isin(items_there)]
    everyone = sorted(set(targets[partner]) & set(partners_there))
    found = {}
    for name, own in known.groupby(item):
        actives = sorted(set(own.loc[own["nM_value"] <= 1000, partner]) & set(partners_there))
        grey = set(own.loc[(own["nM_value"] > 1000) & (own["nM_value"] <= 10000), partner])
        hit = set(own.loc[own["nM_value"] <= 1000, partner])
        pool = [p for p in everyone if p not in hit and p not in grey]
        count = max(2 * len(actives), 20)
        if not actives or len(pool) < count:
            continue
        drawn = random_subsets(len(pool), count, draws, seed=seed, stream=stream_of(name))
        for s in range(draws):
            ranked = actives + [pool[k] for k in drawn[s]]
            is_active = np.arange(len(ranked)) < len(actives)
            best = np.full(len(ranked), -1.0)
            for dose in doses:
                scores = np.full(len(ranked), np.nan)
                for k, other in enumerate(ranked):
                    c, g = (name, other) if by == "compound" else (other, name)
                    if (c, dose) in treated:
                        scores[k] = abs(unit[treated[c, dose]] @ unit[genes[g]])
                there = ~np.isnan(scores)
                best[there] = np.maximum(best[there], scores[there])
                if is_active[there].any() and not is_active[there].all():
                    found.setdefault((name, dose), []).append(
                        plain_precision(scores[there], is_active[there])
                    )
            seen = best >= 0
            found.setdefault((name, "max"), []).append(plain_precision(best[seen], is_active[seen]))
    return found


@pytest.mark.parametrize("by", ["compound", "gene"])
def test_it_is_the_plain_computation(map_, screen, by):
    result = drug_targets(map_, screen.compound_targets, by=by, draws=3, seed=5, resamples=10)
    expected = plain(map_, screen.compound_targets, 3, 5, by)
    ours = result.items.set_index([by, "concentration"])["average_precision"]
    assert set(ours.index) == set(expected)
    for key, scores in expected.items():
        assert len(scores) == 3
        assert ours[key] == pytest.approx(np.mean(scores), abs=1e-12)
    for row in result.table.itertuples():
        of = [scores for key, scores in expected.items() if key[1] == row.concentration]
        assert row.n_items == len(of)
        assert row.average_precision == pytest.approx(np.mean(of), abs=1e-12)
        assert row.average_precision_sd == pytest.approx(np.mean(of, axis=0).std(), abs=1e-12)
    largest = result.table.set_index("concentration")["ap_quantile_0.75"]
    of = np.array([scores for key, scores in expected.items() if key[1] == "max"])
    assert largest["max"] == pytest.approx(np.quantile(of, 0.75, axis=0).mean(), abs=1e-12)


def test_planted_targets_are_found_and_shuffled_ones_are_not(planted):
    map_, targets = planted
    found = drug_targets(map_, targets, draws=10).table.set_index("concentration")
    rng = np.random.default_rng(0)
    genes = rng.permutation(targets["gene_symbol"].unique())
    renamed = dict(zip(targets["gene_symbol"].unique(), genes, strict=True))
    shuffled = targets.assign(gene_symbol=targets["gene_symbol"].map(renamed))
    random = drug_targets(map_, shuffled, draws=10).table.set_index("concentration")
    assert found.loc["max", "ci_low"] > 2 * found.loc["max", "chance"]
    assert random.loc["max", "ci_low"] < random.loc["max", "chance"]
    assert random.loc["max", "ci_high"] > random.loc["max", "chance"]
    assert found.loc[10.0, "average_precision"] > 2 * found.loc[0.0025, "average_precision"]
    # Some 80 compounds, 10 draws: a standard error of 0.006 or less.
    assert abs(found["average_precision_baseline"] - found["chance"]).max() < 0.02
    assert abs(found["auc_roc_baseline"] - 0.5).max() < 0.02


def test_similarity_rises_with_the_dose_where_it_is_planted(planted):
    trend = drug_targets(*planted, draws=1).trend
    assert (trend["p_value"] < 0.05).mean() > 0.6
    assert trend["tau"].between(-1, 1).all()


def test_an_item_is_drawn_for_by_itself(map_, screen):
    """The scores of a compound do not depend on which others are in the lists of targets."""
    targets = screen.compound_targets
    some = targets["treatment"].unique()[::2]
    # The pool is of all genes of the targets, so those must stay.
    kept = targets["treatment"].isin(some)
    rest = targets.assign(treatment=targets["treatment"].where(kept, "nobody"))
    both = [
        drug_targets(map_, t, draws=4).items.set_index(["compound", "concentration"])
        for t in (targets, rest)
    ]
    shared = both[1].index
    np.testing.assert_array_equal(
        both[0].loc[shared, "average_precision"], both[1]["average_precision"]
    )


def test_shared_seeds_draw_items_of_one_pool_alike():
    """And independent ones do not."""
    genes = [f"G{k:02d}" for k in range(60)]
    targets = pd.DataFrame(
        [(item, gene, 10.0 if k < 3 else 5e4) for item in "ab" for k, gene in enumerate(genes)],
        columns=["treatment", "gene_symbol", "nM_value"],
    )
    place = {gene: k for k, gene in enumerate(genes)}
    options = {"active": 1e3, "inactive": 1e4, "min_negatives": 20, "draws": 50, "seed": 3}
    for seeding in ("independent", "shared"):
        a, b = ranked_lists(targets, "treatment", "gene_symbol", {"a", "b"}, place,
                            **options, seeding=seeding)  # fmt: skip
        assert (a.negatives == b.negatives).all() == (seeding == "shared")
        assert all(len({*row}) == 20 and min(row) >= 3 for row in b.negatives.tolist())


def published_spread(similarity, actives, draws):
    """The deviation over seeds of the mean average precision, drawn as the papers' code draws.

    Similarities (compounds, genes) and the actives of each. A generator is seeded anew for each
    compound, so all have nearly the same negatives.
    """
    means = []
    for seed in range(draws):
        precisions = []
        for scores, own in zip(similarity, actives, strict=True):
            pool = np.setdiff1d(np.arange(len(scores)), own)
            drawn = np.random.default_rng(seed).choice(pool, 20, replace=False)
            ranked = scores[np.concatenate([own, drawn])]
            precisions.append(plain_precision(ranked, np.arange(len(ranked)) < len(own)))
        means.append(np.mean(precisions))
    return np.std(means)


def test_the_spread_of_shared_seeds_is_that_of_the_published_code(rng):
    """Compounds that are alike: what their shared negatives do does not cancel over them."""
    genes, compounds, draws = 80, 12, 200
    names = [f"G{k:02d}" for k in range(genes)]
    alike = rng.normal(size=6) + 0.2 * rng.normal(size=(compounds, 6))
    rows = np.concatenate([rng.normal(size=(genes, 6)), alike])
    labels = pd.DataFrame({"perturbation": names + [f"C{k:02d}" for k in range(compounds)]})
    actives = [np.array([c % 3, 5 + c % 3]) for c in range(compounds)]
    targets = pd.DataFrame(
        [(f"C{c:02d}", names[g], 10.0) for c in range(compounds) for g in actives[c]]
        + [("other", name, 1e5) for name in names],
        columns=["treatment", "gene_symbol", "nM_value"],
    )
    results = {
        seeding: drug_targets(PerturbationMap(rows, labels), targets, draws=draws, seeding=seeding,
                              resamples=10)
        for seeding in ("independent", "shared")
    }  # fmt: skip
    sd = {name: of.table["average_precision_sd"].iloc[-1] for name, of in results.items()}
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = published_spread(np.abs(unit[genes:] @ unit[:genes].T), actives, draws)
    # A deviation over 200 draws has a relative standard error of 1 / sqrt(2 * 200) = 5 %; both have
    # it, so they are compared within four times 7 %.
    assert sd["shared"] == pytest.approx(expected, rel=0.28)
    assert sd["shared"] > 1.5 * sd["independent"]
    assert results["shared"].seeding == "shared"
    means = [of.table["average_precision"].iloc[-1] for of in results.values()]
    assert means[0] == pytest.approx(means[1], abs=4 * sd["shared"] / np.sqrt(draws))


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_the_same_seed_gives_the_same_scores(map_, screen, backend):
    tables = [
        drug_targets(map_, screen.compound_targets, draws=3, seed=9, backend=b).table
        for b in (backend, "cpu")
    ]
    pd.testing.assert_frame_equal(*tables)
    other = drug_targets(map_, screen.compound_targets, draws=3, seed=10).table
    assert (other["average_precision"] != tables[0]["average_precision"]).any()


def test_signed_similarity_tells_opposites_apart(rng):
    map_, targets = small(rng)
    rows = map_.embeddings.copy()
    for c in range(6):  # opposite to their first target
        rows[40 + 3 * c : 43 + 3 * c] = -rows[c]
    opposite = PerturbationMap(rows, map_.labels)
    unsigned, signed = (
        drug_targets(opposite, targets, signed=s, draws=5).table.iloc[-1]["average_precision"]
        for s in (False, True)
    )
    assert unsigned > 0.5 > signed


def test_a_map_without_types_or_doses(rng):
    map_, targets = small(rng, doses=(1.0,), typed=False)
    plain_map = PerturbationMap(map_.embeddings, map_.labels[["perturbation"]])
    table = drug_targets(plain_map, targets, draws=3).table
    assert table["concentration"].tolist() == ["all", "max"]
    one, largest = table.drop(columns="concentration").to_numpy(float)
    np.testing.assert_array_equal(one, largest)
    assert "max" in repr(drug_targets(plain_map, targets, draws=3))


def test_what_is_not_in_the_map_is_counted(rng):
    map_, targets = small(rng)
    more = pd.DataFrame(
        {"treatment": ["C0", "gone"], "gene_symbol": ["LOST", "G03"], "nM_value": [1.0, 1.0]}
    )
    result = drug_targets(map_, pd.concat([targets, more]), draws=2)
    assert result.absent == {"compound": 2, "gene": 1}  # "other" is no compound of the map either
    assert result.items["n_actives"].eq(2).all()


def test_grey_genes_are_never_drawn_and_few_negatives_skip():
    """A published case: 100, 5,000 and 15,000 nM, a pool of five, two negatives at least."""
    targets = pd.DataFrame(
        {
            "treatment": ["c", "c", "c", "d", "d", "d"],
            "gene_symbol": ["hit", "grey", "cold", "x", "y", "z"],
            "nM_value": [100, 5000, 15000, 20000, 20000, 20000],
        }
    )
    place = {name: k for k, name in enumerate(sorted(targets["gene_symbol"]))}
    options = {"active": 1000, "inactive": 10000, "draws": 50, "seed": 0}
    columns = ("treatment", "gene_symbol", ["c", "d"], place)
    one, other = ranked_lists(targets, *columns, min_negatives=2, **options)
    assert isinstance(one, RankedList)
    assert one.actives.tolist() == [place["hit"]]
    assert set(one.negatives.ravel()) == {place[g] for g in ("cold", "x", "y", "z")}
    assert other == ("d", "no active partner")
    few = next(ranked_lists(targets, *columns, min_negatives=20, **options))
    assert few == ("c", "4 eligible negatives, 20 needed")


def test_targets_that_are_all_inactive(rng):
    map_, targets = small(rng)
    with pytest.raises(InputError, match=r"no compound of the targets can be scored .*'C0'"):
        drug_targets(map_, targets.assign(nM_value=20000.0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.iloc[:0], "no rows"),
        (lambda t: t.drop(columns="nM_value"), "no column 'nM_value'"),
        (lambda t: t.assign(nM_value="weak"), "'weak', no concentration"),
        (lambda t: t.assign(nM_value=-1.0), "no concentration"),
        (lambda t: t.assign(treatment="gone"), "no compound of the targets is in the map"),
        (lambda t: t.assign(gene_symbol="gone"), "no gene of the targets is in the map"),
    ],
)
def test_targets_that_cannot_be_used(rng, change, words):
    map_, targets = small(rng)
    with pytest.raises(InputError, match=words):
        drug_targets(map_, change(targets))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "dose"}, "unknown by"),
        ({"active": 2000.0, "inactive": 1000.0}, "must not be above"),
        ({"min_negatives": -1}, "min_negatives=-1"),
        ({"draws": 0}, "draws=0"),
        ({"seed": "x"}, "seed must be a whole number"),
        ({"seeding": "each"}, "unknown seeding='each'; choose independent or shared"),
        ({"quantiles": [1.5]}, "quantile"),
    ],
)
def test_parameters_out_of_range(rng, options, words):
    map_, targets = small(rng)
    with pytest.raises(InputError, match=words):
        drug_targets(map_, targets, **options)


@pytest.mark.parametrize(("row", "words"), [(0, "gene 'G00'"), (40, "compound 'C0'")])
def test_rows_that_are_there_twice(rng, row, words):
    map_, targets = small(rng)
    rows = np.concatenate([map_.embeddings, map_.embeddings[row : row + 1]])
    labels = pd.concat([map_.labels, map_.labels.iloc[row : row + 1]], ignore_index=True)
    with pytest.raises(InputError, match=f"{words} has several rows"):
        drug_targets(PerturbationMap(rows, labels), targets)


def test_plot_and_save(rng, tmp_path):
    map_, targets = small(rng)
    result = drug_targets(map_, targets, draws=2, resamples=5)
    assert result.plot().get_ylabel() == "average precision of targets"
    result.save(tmp_path / "targets.csv")
    assert len(pd.read_csv(tmp_path / "targets.csv")) == 4
