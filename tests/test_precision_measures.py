"""Average precision of replicates in a run: activity and distinctiveness, batches apart."""

import numpy as np
import pandas as pd
import pytest

from helpers.noise_screens import noise
from wellgram import Wells, average_precision, mean_average_precision, score
from wellgram.suite import Task
from wellgram.suite.benchmarks.precision_measures import measured_wells, measures_of

ACTIVITY = "phenotypic activity"
WITHIN, ACROSS = f"{ACTIVITY} within a batch", f"{ACTIVITY} across batches"
DISTINCT = "distinctiveness"


def screen(effect, shift, seed=0, controls=30):
    """Ten perturbations, two wells in each of three batches; a batch adds its own shift."""
    rng = np.random.default_rng(seed)
    label = np.concatenate([np.repeat([f"p{k}" for k in range(10)], 6), ["DMSO"] * 3 * controls])
    batch = np.concatenate([np.tile(np.repeat([0, 1, 2], 2), 10), np.tile([0, 1, 2], controls)])
    centre = np.concatenate([np.repeat(rng.normal(size=(10, 8)), 6, axis=0),
                             np.zeros((3 * controls, 8))])  # fmt: skip
    x = effect * centre + shift * rng.normal(size=(3, 8))[batch] + rng.normal(size=(len(label), 8))
    return Wells.from_arrays(x, label, control="DMSO", batch=batch.astype(str))


def part_of(wells, **options):
    return score(wells, metrics=["average-precision"], **options).parts["average-precision"]


def whole(part):
    records = part.findings.records
    return records[records["perturbations"] == "all"].set_index("measure")


def test_each_measure_is_the_function_with_its_rules():
    wells = screen(1, 1)
    part = part_of(wells, seed=4)
    treated = ~wells.metadata["is_control"].to_numpy(bool)
    rules = {
        ACTIVITY: ({}, "batch", "is_control"),
        WITHIN: ({"pos_sameby": ["perturbation", "batch"]}, "batch", "is_control"),
        ACROSS: ({"pos_diffby": "batch"}, (), ["is_control", "batch"]),
        DISTINCT: ({}, ["batch", "is_control"], "perturbation"),
        f"{DISTINCT} within a batch": (
            {"pos_sameby": ["perturbation", "batch"]}, ["batch", "is_control"], "perturbation"),
    }  # fmt: skip
    found = whole(part)
    assert list(found.index) == list(rules)
    written = part.findings.tables["average_precision_apart"]
    for name, (positive, same, differ) in rules.items():
        profiles = average_precision(
            wells, **{"pos_sameby": "perturbation", **positive}, neg_sameby=same,
            neg_diffby=differ, scored=treated)  # fmt: skip
        table = mean_average_precision(profiles, "perturbation", seed=4).table
        assert found.loc[name, "mean_average_precision"] == pytest.approx(
            table["mean_average_precision"].mean(), abs=1e-12
        )
        if name != ACTIVITY:
            got = written[written["measure"] == name].drop(columns="measure")
            pd.testing.assert_frame_equal(got.reset_index(drop=True), table)


def test_batch_effects_put_replicates_of_any_batch_below_chance_and_no_others():
    """Weak effects under strong batch effects: found across batches, hidden where those mix."""
    part = part_of(screen(1, 6))
    found = whole(part)
    below = found["mean_average_precision_ci_high"] < found["null_mean"]
    assert below[ACTIVITY]
    assert not below[WITHIN]
    assert found.loc[ACROSS, "mean_average_precision_ci_low"] > found.loc[ACROSS, "null_mean"]
    note = part.presentation.note
    assert note.startswith("Below chance: activity of all (0.")
    assert "batch effects are left" in note
    assert "positions on the plate" not in note
    assert part.presentation.headline.label == f"found by {WITHIN}"


def test_nothing_is_said_of_batches_where_they_add_nothing():
    part = part_of(screen(2, 0))
    assert not part.presentation.note
    found = whole(part)
    assert (found["mean_average_precision_ci_low"] > found["null_mean"]).all()


def test_a_screen_of_one_batch_has_two_measures():
    single = Wells(screen(2, 0).embeddings, screen(2, 0).metadata.drop(columns="batch"))
    part = part_of(single)
    assert list(whole(part).index) == [ACTIVITY, DISTINCT]
    assert "Within" not in part.presentation.text


def test_measures_without_replicates_are_left_out():
    """One well of each perturbation in each batch: nothing can be ranked within a batch."""
    wells = screen(2, 0)
    first = ~wells.metadata.duplicated(["perturbation", "batch"]) | wells.metadata["is_control"]
    kept = np.flatnonzero(first)
    part = part_of(Wells(wells.embeddings[kept], wells.metadata.iloc[kept].reset_index(drop=True)))
    assert list(whole(part).index) == [ACTIVITY, ACROSS, DISTINCT]
    assert part.presentation.headline.label == f"found by {ACROSS}"


def test_a_thousand_controls_of_other_batches_are_enough():
    task = Task(screen(1, 0, controls=400), None)
    is_control = task.wells.metadata["is_control"].to_numpy()
    kept = {m.name: is_control[measured_wells(task, m)] for m in measures_of(task)}
    assert kept[ACROSS].sum() == 1000
    assert (~kept[ACROSS]).sum() == 60
    assert all(len(kept[name]) == 1260 for name in (ACTIVITY, WITHIN, DISTINCT))


def test_the_null_of_permuted_labels_can_be_chosen_and_is_named():
    wells = noise(0, perturbations=6, wells=4)
    part = part_of(wells, average_precision_null="labels")
    assert set(part.result.table["null"]) == {"permuted labels"}
    assert "against permuted labels" in part.presentation.text
    assert "against random rankings" in part_of(wells).presentation.text
