"""Average precision against copairs."""

import numpy as np
import pandas as pd
import pytest

from wellgram import PerturbationMap, average_precision, mean_average_precision

RULES = [
    (["perturbation"], [], [], ["perturbation"]),
    (["perturbation"], [], ["plate"], ["is_control"]),
    (["moa"], ["perturbation"], [], ["moa", "plate"]),
    (["moa"], ["perturbation", "plate"], ["plate"], ["moa"]),
]
NAMES = ("pos_sameby", "pos_diffby", "neg_sameby", "neg_diffby")


@pytest.fixture(scope="module")
def profiles():
    """Replicates of 80 perturbations of 20 mechanisms on 5 plates; the first 8 are controls."""
    rng = np.random.default_rng(3)
    kind = np.arange(400) // 5
    x = 0.5 * rng.normal(size=(80, 50))[kind] + rng.normal(size=(400, 50))
    columns = {"perturbation": kind, "plate": np.arange(400) % 5, "moa": kind // 4}
    return x.astype(np.float32), pd.DataFrame(columns | {"is_control": (kind < 8).astype(int)})


def within_rounding(ours, theirs):
    """Equal, but where two similarities are one in float32: a rank or two there may differ.

    copairs ranks ``1 - similarity`` in float32, in steps of up to 1.2e-7; of distances that is
    ``1 - 1 / (1 + distance)``, in wider steps. Few profiles have such a tie.
    """
    assert (ours["n_pos_pairs"].to_numpy() == theirs["n_pos_pairs"].to_numpy()).all()
    assert (ours["n_total_pairs"].to_numpy() == theirs["n_total_pairs"].to_numpy()).all()
    differ = np.abs(ours["average_precision"].to_numpy() - theirs["average_precision"].to_numpy())
    assert (differ > 1e-12).mean() <= 0.01
    assert differ.max() < 1e-3


@pytest.mark.parametrize("similarity", ["cosine", "abs_cosine", "correlation", "euclidean"])
@pytest.mark.parametrize("rules", RULES, ids=str)
def test_average_precision_equals_copairs(copairs, profiles, rules, similarity):
    x, meta = profiles
    theirs = copairs.average_precision(meta, x, *rules, distance=similarity)
    ours = average_precision(
        PerturbationMap(x, meta), similarity=similarity, **dict(zip(NAMES, rules, strict=True))
    )
    within_rounding(ours.table, theirs)


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_mean_average_precision_equals_copairs(copairs, profiles, rules, tmp_path):
    x, meta = profiles
    theirs = copairs.mean_average_precision(
        copairs.average_precision(meta, x, *rules), rules[0], 10_000, 0.05, 1, cache_dir=tmp_path
    ).sort_index()
    ap = average_precision(PerturbationMap(x, meta), **dict(zip(NAMES, rules, strict=True)))
    ours = mean_average_precision(ap, p_form="plus-one-above", seed=1).table.set_index(rules[0])
    assert ours.index.equals(theirs.index)
    scores = "mean_average_precision"
    np.testing.assert_allclose(ours[scores], theirs[scores], atol=1e-4)  # ties, as above
    p, q = ours["p_value"].to_numpy(), theirs["p_value"].to_numpy()
    # Both are shares of 10,000 draws of their own: five standard errors of their difference. The
    # draws of a ranking are the same for all groups, so one that is off is off for many.
    error = np.sqrt(2 * np.clip(q * (1 - q), 1e-4, 1) / 10_000)
    assert (np.abs(p - q) < 5 * error).all()
    np.testing.assert_allclose(ours["q_value"], theirs["corrected_p_value"], atol=0.1)


def test_lincs_equals_copairs(copairs, lincs_plate):
    """A real plate: compounds at a dose against DMSO, and doses of one compound."""
    plate = pd.read_csv(lincs_plate)
    features = [c for c in plate if not c.startswith("Metadata_")]
    kept = plate[features].notna().all()
    x = plate[kept.index[kept]].to_numpy()
    meta = pd.DataFrame(
        {
            "perturbation": pd.factorize(plate["Metadata_broad_sample"])[0],
            "is_control": (plate["Metadata_broad_sample"] == "DMSO").astype(int),
        }
    )
    for rules in (
        (["perturbation"], [], [], ["is_control"]),
        (["perturbation"], [], [], ["perturbation"]),
    ):
        theirs = copairs.average_precision(meta, x, *rules)
        ours = average_precision(PerturbationMap(x, meta), **dict(zip(NAMES, rules, strict=True)))
        known = ours.table["average_precision"].notna()
        assert known.sum() > 300
        within_rounding(ours.table[known], theirs[known.to_numpy()])
