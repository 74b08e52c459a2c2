"""False discovery rates of compounds and of their doses, and what the least p-value does."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

import wellgram as wg
from helpers.maps_and_wells import make_wells
from wellgram import InputError, Wells
from wellgram.nulls import hierarchical_fdr

KINDS = ("simes", "bonferroni", "min")


def slow(p, families, kind, level=0.05):
    """The definition, family by family."""
    groups = sorted(set(families))
    of = {}
    for g in groups:
        own = np.sort(p[families == g])
        k = len(own)
        simes = min(k * x / (i + 1) for i, x in enumerate(own))
        of[g] = min(1, {"min": own[0], "bonferroni": k * own[0], "simes": simes}[kind])
    rates = dict(zip(groups, false_discovery_control([of[g] for g in groups]), strict=True))
    q = np.ones(len(p))
    for g in groups:
        if rates[g] <= level:
            q[families == g] = false_discovery_control(p[families == g])
    return q, np.array([of[g] for g in families]), np.array([rates[g] for g in families])


@pytest.mark.parametrize("kind", KINDS)
def test_the_rates_are_those_of_the_definition(rng, kind):
    families = rng.integers(0, 40, 300)
    p = rng.uniform(size=300) ** np.where(families < 8, 6, 1)
    p[::7] = p[0]  # ties
    rates = hierarchical_fdr(p, families, family_p=kind)
    q, family_p, family_q = slow(p, families, kind)
    np.testing.assert_allclose(rates.q, q, rtol=1e-12)
    np.testing.assert_allclose(rates.family_p, family_p, rtol=1e-12)
    np.testing.assert_allclose(rates.family_q, family_q, rtol=1e-12)
    assert 0 < rates.selected.mean() < 1


def test_the_least_is_copairs(rng):
    copairs = pytest.importorskip(
        "copairs.map.hierarchical_fdr",
        reason="copairs' hierarchical rates are absent (pip install --no-deps copairs==0.5.5)",
    )
    table = pd.DataFrame(
        {"compound": np.repeat(np.arange(50), 6), "dose": np.tile(np.arange(6), 50)}
    )
    table["p_value"] = rng.uniform(size=300) ** np.where(table["compound"] < 10, 5, 1)
    theirs = copairs.apply_hierarchical_fdr_correction(table, ["compound"], ["compound", "dose"])
    rates = hierarchical_fdr(table["p_value"], table["compound"], family_p="min")
    np.testing.assert_allclose(rates.q, theirs["corrected_p_value"], rtol=1e-12)
    np.testing.assert_allclose(rates.family_q, theirs["stage1_corrected_p_value"], rtol=1e-12)
    np.testing.assert_array_equal(rates.selected, theirs["stage1_significant"])


def test_the_least_p_value_selects_null_compounds_too_often_and_simes_does_not(rng):
    """Eight doses that do nothing: no compound is to be found, in 95 % of screens."""
    families = np.repeat(np.arange(60), 8)
    found = dict.fromkeys(KINDS, 0)
    screens = 300
    for _ in range(screens):
        p = rng.uniform(size=480)
        for kind in KINDS:
            found[kind] += hierarchical_fdr(p, families, family_p=kind).selected.any()
    shares = {kind: count / screens for kind, count in found.items()}
    # Of 300 screens at 5 %, the share errs by 0.013: three of these.
    assert shares["simes"] < 0.05 + 0.04
    assert shares["bonferroni"] < 0.05 + 0.04
    assert shares["min"] > 0.25


def test_family_p_values_are_uniform_under_the_null_by_simes_alone(rng):
    families = np.repeat(np.arange(4000), 8)
    p = rng.uniform(size=32_000)
    below = {
        kind: (hierarchical_fdr(p, families, family_p=kind).family_p[::8] <= 0.05).mean()
        for kind in KINDS
    }
    # Of 4,000 families, a share of 5 % errs by 0.0035.
    assert abs(below["simes"] - 0.05) < 0.012
    assert below["bonferroni"] < 0.062
    assert below["min"] == pytest.approx(1 - 0.95**8, abs=0.03)


def test_active_compounds_with_idle_low_doses_are_found(rng):
    families = np.repeat(np.arange(200), 8)
    p = rng.uniform(size=1600)
    active = (families < 20) & (np.tile(np.arange(8), 200) >= 5)
    p[active] = 1e-4 * rng.uniform(size=active.sum())
    rates = hierarchical_fdr(p, families)
    assert rates.selected[families < 20].all()
    assert (rates.q[active] <= 0.05).all()
    found = rates.q <= 0.05
    assert (found & ~active).sum() <= 0.1 * found.sum()


def test_missing_p_values_are_no_tests_and_no_family_is_one_of_its_own():
    p = [0.001, np.nan, 0.02, 0.9, np.nan]
    rates = hierarchical_fdr(p, np.array([0, 0, -1, -1, 1]), family_p="bonferroni")
    np.testing.assert_array_equal(np.isnan(rates.q), np.isnan(p))
    assert rates.family_p[:4].tolist() == [0.001, 0.001, 0.02, 0.9]
    assert np.isnan(rates.family_p[4])
    assert not rates.selected[4]
    np.testing.assert_allclose(rates.family_q[:4], [0.003, 0.003, 0.03, 0.9])
    assert hierarchical_fdr([], np.empty(0, np.int64)).q.shape == (0,)


def dose_wells(rng):
    """Eight compounds at four doses; the first two act at their highest dose."""
    compound = np.repeat(np.arange(8), 4 * 6)
    dose = np.tile(np.repeat([0.1, 1.0, 10.0, 100.0], 6), 8)
    rows = rng.normal(size=(len(dose) + 60, 16))
    acts = np.flatnonzero((compound < 2) & (dose == 100.0))
    rows[acts] += 6
    names = [*(f"c{k}" for k in compound), *["DMSO"] * 60]
    return Wells.from_arrays(rows, names, control="DMSO", dose=[*dose, *[np.nan] * 60])


@pytest.mark.parametrize("measure", ["consistency", "magnitude", "average precision"])
def test_doses_are_families_where_q_values_are_made(rng, measure):
    wells = dose_wells(rng)
    if measure == "average precision":
        ap = wg.average_precision(
            wells, pos_sameby=["perturbation", "dose"], neg_diffby=["perturbation"],
            scored=(~wells.metadata["is_control"]).to_numpy(),
        )  # fmt: skip
        options = {"null_size": 500}
        call = wg.mean_average_precision
    else:
        ap, options = wells, {"draws": 500, "null": "permutation"}
        call = getattr(wg, measure)
    flat = call(ap, **options).table
    for kind in KINDS:
        table = call(ap, **options, fdr="hierarchical", family_p=kind).table
        np.testing.assert_array_equal(table["p_value"], flat["p_value"])
        p, families = table["p_value"].to_numpy(), table["perturbation"].to_numpy()
        tested = ~np.isnan(p)
        q, _, family_q = slow(p[tested], families[tested], kind)
        np.testing.assert_allclose(table["q_value"][tested], q)
        np.testing.assert_allclose(table["family_q_value"][tested], family_q)
        assert (table["q_value"] <= 0.05).sum() >= 2
    assert "family_q_value" not in flat


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hierarchical_fdr([0.1], np.array([0]), family_p="fisher"), "family 'fisher'"),
        (lambda: hierarchical_fdr([0.1], np.array([0]), level=0), "level must lie between"),
        (lambda: hierarchical_fdr([0.1, 2], np.array([0, 0])), "must lie in"),
        (lambda: hierarchical_fdr([0.1], np.array([0, 1])), "1 p-values but 2 families"),
        (lambda: wg.consistency(make_wells(np.random.default_rng(0)), fdr="bh"), "unknown false"),
        (
            lambda: wg.consistency(make_wells(np.random.default_rng(0)), fdr="hierarchical"),
            "tests are named by 'perturbation'; name the dose",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
