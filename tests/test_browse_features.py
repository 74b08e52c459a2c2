"""Features of a perturbation's wells against controls of the same plates."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wellgram import InputError, Wells, build_map
from wellgram.browse.feature_differences import WellsOfRows


def wells_on_plates(rng, plates=3):
    """Wells of a and b and controls; a has another number of wells on each plate."""
    plate = np.repeat(range(plates), 20)
    labels = rng.choice(["a", "b", "DMSO"], len(plate), p=[0.3, 0.2, 0.5])
    x = rng.normal(size=(len(plate), 5)) + 5 * rng.normal(size=(plates, 5))[plate]
    x[labels == "a", 0] += 2
    return Wells.from_arrays(x, labels, control="DMSO", batch=[f"plate {k}" for k in plate])


def by_least_squares(wells, name):
    """t of the effect, of a model written out: an intercept per plate and the treatment."""
    labels, batch = wells.metadata["perturbation"], wells.metadata["batch"]
    used = labels.isin([name, "DMSO"]) & batch.isin(batch[labels == name])
    design = np.column_stack([labels[used] == name, pd.get_dummies(batch[used]).to_numpy()]).astype(
        float
    )
    x = wells.embeddings[used]
    solved, squares, *_ = np.linalg.lstsq(design, x, rcond=None)
    variance = squares / (len(x) - design.shape[1])
    return solved[0], solved[0] / np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0])


def test_it_is_a_linear_model_with_a_mean_per_plate(rng):
    wells = wells_on_plates(rng)
    map_ = build_map(wells)
    found = WellsOfRows(wells, map_.labels).differences(0)
    table = found.table.sort_values("feature")
    effect, t = by_least_squares(wells, "a")
    np.testing.assert_allclose(table["difference"], effect, rtol=1e-9)
    np.testing.assert_allclose(table["t"], t, rtol=1e-9)
    assert found.table["feature"].iloc[0] == "feature 0"
    assert (found.wells, found.plates) == ((wells.metadata["perturbation"] == "a").sum(), 3)


def test_of_one_plate_it_is_students_t_and_cohens_d(rng):
    x = rng.normal(size=(30, 4))
    labels = ["a"] * 10 + ["DMSO"] * 20
    wells = Wells.from_arrays(x, labels, control="DMSO")
    table = WellsOfRows(wells, build_map(wells).labels).differences(0).table.sort_values("feature")
    expected = stats.ttest_ind(x[:10], x[10:])
    np.testing.assert_allclose(table["t"], expected.statistic, rtol=1e-9)
    np.testing.assert_allclose(table["p_value"], expected.pvalue, rtol=1e-9)
    pooled = np.sqrt((9 * x[:10].var(axis=0, ddof=1) + 19 * x[10:].var(axis=0, ddof=1)) / 28)
    np.testing.assert_allclose(
        table["cohens_d"], (x[:10].mean(axis=0) - x[10:].mean(axis=0)) / pooled, rtol=1e-9
    )
    np.testing.assert_allclose(
        table["q_value"], stats.false_discovery_control(expected.pvalue), rtol=1e-9
    )


def test_controls_of_other_plates_do_not_count(rng):
    wells = wells_on_plates(rng)
    moved = wells.embeddings.copy()
    elsewhere = (wells.metadata["batch"] == "plate 2").to_numpy()
    keep = ~(elsewhere & (wells.metadata["perturbation"] == "a").to_numpy())
    moved[elsewhere] += 100
    few = [
        WellsOfRows(
            Wells(x[keep], wells.metadata[keep].reset_index(drop=True)), build_map(wells).labels
        ).differences(0)
        for x in (wells.embeddings, moved)
    ]
    assert few[0].plates == 2
    pd.testing.assert_frame_equal(few[0].table, few[1].table)


def test_a_column_may_name_the_plate(rng):
    wells = wells_on_plates(rng)
    plates = wells.metadata["batch"]
    pooled = Wells(wells.embeddings, wells.metadata.assign(plate=plates, batch="one"))
    labels = build_map(wells).labels
    own = WellsOfRows(pooled, labels, "plate").differences(0)
    pd.testing.assert_frame_equal(own.table, WellsOfRows(wells, labels).differences(0).table)
    with pytest.raises(InputError, match="no column 'disk' of the plate"):
        WellsOfRows(wells, labels, "disk")


def test_features_that_never_vary_do_not_differ(rng):
    x = rng.normal(size=(12, 3))
    x[:, 1] = 0.1
    x[:4, 2], x[4:, 2] = 2.0, 1.0
    wells = Wells.from_arrays(x, ["a"] * 4 + ["DMSO"] * 8, control="DMSO")
    table = WellsOfRows(wells, build_map(wells).labels).differences(0).table.set_index("feature")
    assert table.loc["feature 1", ["difference", "t", "p_value"]].tolist() == [0, 0, 1]
    assert table.loc["feature 2", ["t", "p_value"]].tolist() == [np.inf, 0]


def test_wells_of_another_screen_are_refused(rng):
    wells = wells_on_plates(rng)
    with pytest.raises(InputError, match="give the wells that the map was made of"):
        WellsOfRows(wells, pd.DataFrame({"perturbation": ["TP53"]}))
    alone = Wells.from_arrays(wells.embeddings, wells.metadata["perturbation"])
    with pytest.raises(InputError, match="no well is a control"):
        WellsOfRows(alone, build_map(wells).labels)
