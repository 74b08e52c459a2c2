"""What scores owe to a number: screens where it explains everything, and nothing."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from helpers.maps_and_wells import make_map, map_of
from wellgram import (
    InputError,
    Wells,
    associations,
    average_precision,
    build_map,
    consistency,
    covariate_means,
    covariate_wells,
    guide_agreement,
    magnitude,
    match_wells,
    matched_recall,
    mean_average_precision,
    proximity_bias,
    relationship_recall,
    split_by_arm,
)


def counted(rng, effect, groups=40, per_group=6, controls=60, batches=3, d=12):
    """Wells whose embeddings move with their cell count alone, which perturbations lower."""
    labels = np.repeat([f"p{k}" for k in range(groups)], per_group)
    shift = np.repeat(effect * rng.normal(size=groups), per_group)
    labels = np.concatenate([labels, ["DMSO"] * controls])
    log_count = np.concatenate([shift, np.zeros(controls)]) + rng.normal(size=len(labels)) * 0.5
    x = rng.normal(size=(len(labels), d)) * 0.5 + log_count[:, None] * rng.normal(size=d)
    batch = np.arange(len(labels)) % batches
    wells = Wells.from_arrays(x, labels, control="DMSO", batch=batch.astype(str))
    count = np.exp(log_count) * 1000 * (1 + batch)
    return Wells(wells.embeddings, wells.metadata.assign(cells=np.log(count)), wells.origin)


def test_a_number_is_measured_by_the_controls_of_its_batch(rng):
    wells = counted(rng, 1.0)
    baseline = covariate_wells(wells, "cells")
    assert baseline.embeddings.shape == (len(wells), 2)
    for batch in "012":
        own = (wells.metadata["batch"] == batch).to_numpy()
        z = baseline.embeddings[own & wells.metadata["is_control"], 1]
        np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=1e-12)
    np.testing.assert_array_equal(baseline.embeddings[:, 0], 1)


def test_the_means_of_numbers_are_those_of_the_map(rng):
    wells = counted(rng, 1.0)
    numbers = covariate_means(wells, "cells")
    map_ = build_map(covariate_wells(wells, "cells"), dtype="float64")
    assert numbers["perturbation"].tolist() == map_.labels["perturbation"].tolist()
    np.testing.assert_allclose(numbers["cells"], map_.embeddings[:, 1], rtol=1e-12)


def test_every_score_takes_the_baseline(rng):
    """A number that explains everything scores as high; one that explains nothing does not."""
    wells = counted(rng, 2.0)
    found = {}
    for name, of in (
        ("cells", covariate_wells(wells, "cells")),
        ("noise", covariate_wells(_with(wells, noise=rng.normal(size=len(wells))), "noise")),
    ):
        ap = average_precision(
            of, pos_sameby="perturbation", neg_sameby="batch", neg_diffby="is_control"
        )
        tables = (
            consistency(of, draws=500).table["q_value"],
            magnitude(of, draws=500).table["q_value"],
            mean_average_precision(ap, null_size=500).table["q_value"],
        )
        found[name] = [(q < 0.05).mean() for q in tables]
    assert min(found["cells"]) > 0.25
    assert max(found["noise"]) < 0.05


def _with(wells, **columns):
    return Wells(wells.embeddings, wells.metadata.assign(**columns), wells.origin)


def test_matching_takes_off_what_the_number_explains(rng):
    """Perturbations found before matching are not found after, where count is all they change."""
    wells = counted(rng, 0.7, groups=80, controls=300)
    matched = match_wells(wells, "cells")
    assert set(matched.metadata["batch"].str.split(", ").str[0]) <= {"0", "1", "2"}
    rules = {"pos_sameby": "perturbation", "neg_sameby": "batch", "neg_diffby": "is_control"}
    before, after = (
        mean_average_precision(
            average_precision(of, scored=~of.metadata["is_control"].to_numpy(bool), **rules),
            null_size=1000,
        ).table["normalized_average_precision"].mean()
        for of in (wells, matched)
    )  # fmt: skip
    assert before > 0.05
    assert after < 0.6 * before
    consistent = [
        (consistency(of, null="batches", draws=500).table["q_value"] < 0.05).mean()
        for of in (wells, matched)
    ]
    assert consistent[1] < consistent[0]


def test_matched_wells_have_matches(rng):
    wells = counted(rng, 2.0)
    matched = match_wells(wells, "cells", bins=4)
    z = covariate_wells(wells, "cells").embeddings[:, 1]
    kept = wells.metadata["well_id"].isin(matched.metadata["well_id"]).to_numpy()
    control = wells.metadata["is_control"].to_numpy(bool)
    for batch in "012":
        own = (wells.metadata["batch"] == batch).to_numpy()
        low, high = z[own & control].min(), z[own & control].max()
        np.testing.assert_array_equal(kept[own], (z[own] >= low) & (z[own] <= high))
    counts = matched.metadata.groupby("batch")["is_control"].sum()
    assert len(counts) == 12
    assert counts.min() >= 4
    order = matched.metadata.assign(z=z[kept]).groupby("batch")["z"].agg(["min", "max"])
    for batch in "012":
        bins = order[order.index.str.startswith(f"{batch},")]
        assert (bins["max"].to_numpy()[:-1] <= bins["min"].to_numpy()[1:]).all()


def maps_by_number(rng, n=120):
    """A map of which the number is all: pairs of like number are alike, and called known."""
    z = np.sort(rng.normal(size=n))
    x = np.stack([np.ones(n), z, 0.3 * rng.normal(size=n)], axis=1)
    names = [f"G{k}" for k in range(n)]
    i = rng.integers(0, n - 4, 150)
    pairs = pd.DataFrame({"entity1": i, "entity2": i + rng.integers(1, 4, 150)})
    pairs = pairs.map(lambda k: names[k])
    map_ = map_of(x, names)
    return map_, pd.DataFrame({"perturbation": names, "cells": z}), {"known": pairs}


def test_matched_recall_falls_to_chance(rng):
    map_, numbers, sources = maps_by_number(rng)
    plain = relationship_recall(map_, sources).table
    matched = matched_recall(map_, numbers, sources, bins=20, resamples=100)
    assert (plain["recall"] > plain["chance"] + 0.2).all()
    assert ((matched["recall"] - matched["chance"]).abs() < 0.12).all()
    assert (matched["ci_low"] <= matched["recall"]).all()


@pytest.mark.parametrize("bins", [1, 3])
def test_matched_recall_by_hand(rng, bins):
    map_, numbers, sources = maps_by_number(rng, 40)
    x = map_.embeddings / np.linalg.norm(map_.embeddings, axis=1, keepdims=True)
    code = np.argsort(np.argsort(numbers["cells"])) * bins // 40
    cosine, (i, j) = x @ x.T, np.triu_indices(40, 1)
    strata = np.sort(np.stack([code[i], code[j]]), axis=0)
    names = {name: k for k, name in enumerate(map_.labels["perturbation"])}
    hits = {}
    for pair in {tuple(sorted((names[a], names[b]))) for a, b in sources["known"].to_numpy()}:
        own = (strata == np.sort(code[list(pair)])[:, None]).all(axis=0)
        null = cosine[i, j][own]
        q = cosine[pair]
        for low, high in ((0.05, 0.95), (0.1, 0.9)):
            # The pair is of the null itself: compared with a tolerance that keeps it a tie.
            hit = (null <= q + 1e-12).mean() <= low or (null < q - 1e-12).mean() >= high
            hits.setdefault(low, []).append(hit)
    table = matched_recall(map_, numbers, sources, bins=bins, resamples=10).set_index("tail_low")
    for low, found in hits.items():
        assert table.loc[low, "n_known_pairs"] == len(found)
        assert table.loc[low, "n_recalled"] == sum(found)
    if bins == 1:
        plain = relationship_recall(map_, sources).table
        np.testing.assert_array_equal(plain["n_recalled"], table["n_recalled"])


def test_recall_is_split_by_arm(rng):
    genes = pd.DataFrame({"gene": list("ABCD"), "chromosome_arm": ["1p", "1p", "2q", "2q"]})
    pairs = pd.DataFrame({"entity1": list("ABACX"), "entity2": list("BACDA")})
    split = split_by_arm({"source": pairs}, genes)
    assert split["source, same arm"].to_numpy().tolist() == [["A", "B"], ["C", "D"]]
    assert split["source, other arms"].to_numpy().tolist() == [["A", "C"]]
    with pytest.raises(InputError, match="no column 'chromosome_arm'"):
        split_by_arm({"source": pairs}, genes[["gene"]])
    map_ = make_map(rng, 4, 3, names=list("ABCD"))
    assert relationship_recall(map_, split).table["n_known_pairs"].tolist() == [2, 2, 1, 1]
    assert proximity_bias(map_, genes, min_pairs=1).table["n_within_pairs"].tolist() == [2, 1, 1]


def by_guide(rng, agree):
    """Three guides of each of 20 genes, and a gene with one; guides of four wells."""
    gene = np.repeat(np.arange(20), 12)
    guide = np.arange(240) // 4
    x = rng.normal(size=(240, 10)) * 0.5
    x += 2 * (rng.normal(size=(20, 10))[gene] if agree else rng.normal(size=(60, 10))[guide])
    odd = guide % 3 == 2
    x[odd] += 3 * rng.normal(size=(60, 10))[guide[odd]] if agree else 0
    wells = Wells.from_arrays(
        np.concatenate([x, rng.normal(size=(4, 10))]),
        [*[f"G{g}" for g in gene], *["G99"] * 4],
        control=None,
    )
    return _with(wells, guide=[*[f"g{k % 3}" for k in guide], *["g0"] * 4])


def test_guides_that_agree_are_told_from_those_that_do_not(rng):
    found = []
    for agree in (True, False):
        wells = by_guide(rng, agree)
        table = guide_agreement(wells, "guide", draws=2000).table
        single = table[table["perturbation"] == "G99"].iloc[0]
        assert single["reason"] == "one guide"
        assert single["least_guide"] is None or pd.isna(single["least_guide"])
        rest = table[table["perturbation"] != "G99"]
        assert (rest["n_wells"] == 3).all()
        found.append((rest["q_value"] < 0.05).mean())
        if agree:
            assert (rest["least_guide"] == "g2").mean() > 0.9  # the guide that hits besides
    assert found[0] > 0.5
    assert found[1] < 0.1


def test_guides_by_hand(rng):
    wells = by_guide(rng, True)
    row = guide_agreement(wells, "guide", draws=10).table.iloc[3]
    own = wells.metadata["perturbation"] == row["perturbation"]
    means = (
        pd.DataFrame(wells.embeddings[own]).groupby(wells.metadata["guide"][own].to_numpy()).mean()
    )
    unit = means.to_numpy() / np.linalg.norm(means, axis=1)[:, None]
    cosine = unit @ unit.T
    assert row["mean_cosine"] == pytest.approx(cosine[np.triu_indices(3, 1)].mean(), abs=1e-10)
    with_others = (cosine.sum(axis=1) - 1) / 2
    assert row["least_guide"] == means.index[with_others.argmin()]
    assert row["least_cosine"] == pytest.approx(with_others.min(), abs=1e-10)


def test_associations_are_rank_correlations(rng):
    table = pd.DataFrame({"score": rng.normal(size=30), "n_wells": rng.integers(2, 9, 30)})
    table["cells"] = table["score"] ** 3
    table.loc[4, "cells"] = np.nan
    found = associations(table, "score", ["n_wells", "cells"]).set_index("covariate")
    expected = spearmanr(table["score"], table["n_wells"])
    assert found.loc["n_wells", "correlation"] == pytest.approx(expected.statistic)
    assert found.loc["n_wells", "p_value"] == pytest.approx(expected.pvalue)
    assert found.loc["cells", "correlation"] == pytest.approx(1)
    assert found["n_perturbations"].tolist() == [30, 29]
    assert associations(table[:2], "score")["correlation"].isna().all()
    with pytest.raises(InputError, match="no column 'counts'; there are"):
        associations(table, "score", "counts")


def test_bad_input(rng):
    wells = counted(rng, 1.0)
    with pytest.raises(InputError, match="no column 'nuclei'; there are well_id"):
        covariate_wells(wells, "nuclei")
    holes = _with(wells, cells=wells.metadata["cells"].mask(np.arange(len(wells)) == 7))
    with pytest.raises(InputError, match=r"1 wells have no number in 'cells' \(first: 'well 7'\)"):
        covariate_wells(holes, "cells")
    with pytest.raises(InputError, match=r"wells have no number in 'perturbation'"):
        covariate_wells(wells, "perturbation")
    with pytest.raises(InputError, match="3 batches have fewer than two values of 'one'"):
        covariate_wells(_with(wells, one=1), "one")
    with pytest.raises(InputError, match="bins must be 1 or more"):
        match_wells(wells, "cells", bins=0)
    with pytest.raises(InputError, match="no column 'sgRNA' that names the guide"):
        guide_agreement(wells, "sgRNA")
    map_, numbers, sources = maps_by_number(rng, 40)
    with pytest.raises(InputError, match=r"39 perturbations of the map have no single 'cells'"):
        matched_recall(map_, numbers[:1], sources)
    with pytest.raises(InputError, match="bins must be from 1 to 20"):
        matched_recall(map_, numbers, sources, bins=21)
