"""Screens of pure noise with batch effects: benchmarks of replicates find no more than chance."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from helpers.noise_screens import noise
from wellgram import average_precision, consistency, magnitude, mean_average_precision, score
from wellgram.align import alignment
from wellgram.suite import Task
from wellgram.suite.benchmarks.precision_measures import measures_of

SEEDS = range(20)


def p_values(measure, align):
    """The p-values of the treated perturbations: a row for each seed."""
    rows = []
    for seed in SEEDS:
        wells = noise(seed)
        aligned = wells if align == "none" else alignment(align).aligned(wells)
        table = measure(aligned, seed)
        rows.append(table["p_value"][table["perturbation"] != "DMSO"].to_numpy())
    return np.array(rows)


def of_consistency(wells, seed):
    return consistency(wells, draws=400, seed=seed).table


def of_magnitude(wells, seed):
    return magnitude(wells, min_wells=4, draws=400, seed=seed).table


def of_precision(wells, seed):
    treated = ~wells.metadata["is_control"].to_numpy(bool)
    rules = {"pos_sameby": "perturbation", "neg_sameby": "batch", "neg_diffby": "is_control"}
    profiles = average_precision(wells, **rules, scored=treated)
    return mean_average_precision(profiles, null="labels", null_size=400, seed=seed).table


def of_measure(name):
    """A measure of average precision as a run has it, by permuted labels."""

    def of(wells, seed):
        task = Task(wells, None)
        measure = next(m for m in measures_of(task) if m.name == name)
        profiles = average_precision(
            wells,
            pos_sameby=measure.pos_sameby,
            pos_diffby=measure.pos_diffby,
            neg_sameby=measure.neg_sameby,
            neg_diffby=measure.neg_diffby,
            scored=~wells.metadata["is_control"].to_numpy(bool),
        )
        return mean_average_precision(
            profiles, "perturbation", null="labels", null_size=400, seed=seed
        ).table

    of.__name__ = name
    return of


@pytest.mark.parametrize("align", ["none", "pca-center-scale"])
@pytest.mark.parametrize(
    "name",
    [
        "phenotypic activity within a batch",
        "phenotypic activity across batches",
        "distinctiveness",
        "distinctiveness within a batch",
    ],
)
def test_noise_is_found_at_the_nominal_rate_by_each_measure_of_a_run(name, align):
    """Some perturbations have no pair within a batch, or none across batches: they have no p."""
    p = p_values(of_measure(name), align)
    assert np.isfinite(p).mean() > 0.5
    share = np.array([(of_seed[np.isfinite(of_seed)] < 0.05).mean() for of_seed in p])
    standard_error = share.std(ddof=1) / np.sqrt(len(share))
    assert abs(share.mean() - 0.05) <= 4 * standard_error, (share.mean(), standard_error)


def test_random_rankings_are_on_the_safe_side():
    """The default null of a run: on noise it finds no more than the nominal rate."""
    shares = []
    for seed in SEEDS[:10]:
        wells = noise(seed)
        found = score(wells, metrics=["average-precision"], seed=seed).parts["average-precision"]
        table = found.findings.tables["average_precision_apart"]
        shares.append(table.groupby("measure")["p_value"].apply(lambda p: (p < 0.05).mean()))
    rates = pd.concat(shares, axis=1)
    pure = rates.drop(index="distinctiveness")  # that takes replicates of any batch
    assert (pure.mean(axis=1) <= 0.05 + 4 * pure.std(axis=1) / np.sqrt(len(shares))).all(), pure


@pytest.mark.parametrize("align", ["none", "center-scale", "pca-center-scale"])
@pytest.mark.parametrize("measure", [of_consistency, of_magnitude, of_precision])
def test_noise_is_found_at_the_nominal_rate(measure, align):
    p = p_values(measure, align)
    # The p-values of one screen share its controls, so a screen counts once, not 24 times.
    share = (p < 0.05).mean(axis=1)
    standard_error = share.std(ddof=1) / np.sqrt(len(share))
    assert abs(share.mean() - 0.05) <= 4 * standard_error, (share.mean(), standard_error)
    assert kstest(p[:, 0], "uniform").pvalue > 1e-3


def test_sets_whatever_their_batches_take_batch_effects_for_signal():
    shares = []
    for seed in SEEDS:
        table = consistency(noise(seed), null="permutation", draws=400, seed=seed).table
        shares.append((table["p_value"] < 0.05).mean())
    assert np.mean(shares) > 0.2


def test_p_values_of_permuted_labels_say_what_null_was_used():
    table = of_precision(noise(0), 0)
    assert set(table["null"]) == {"permuted labels"}
    other = average_precision(
        noise(0), pos_sameby="perturbation", neg_diffby="perturbation"
    )  # every other perturbation may be exchanged with the group
    assert set(mean_average_precision(other, null="labels", null_size=50).table["null"]) <= {
        "permuted labels",
        "random rankings",
    }
