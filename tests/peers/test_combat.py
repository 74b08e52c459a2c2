"""ComBat against neuroCombat, which follows R's sva."""

import numpy as np
import pandas as pd
import pytest

from wellgram import ComBat


def batches(sizes=(30, 45, 12), d=25, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        rng.normal(size=(n, d)) * rng.uniform(0.5, 2, d) + rng.normal(size=d) + 10 for n in sizes
    ]
    return np.concatenate(rows), np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize("sizes", [(30, 45, 12), (5, 4), (200, 3, 50, 8)])
def test_combat_equals_neurocombat(neurocombat, sizes):
    x, batch = batches(sizes)
    theirs = neurocombat.neuroCombat(x.T, pd.DataFrame({"batch": batch}), "batch")["data"].T
    ours = ComBat().fit_transform(x, batch=batch)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def test_combat_of_a_real_screen(neurocombat, dye_screen):
    """Plates of a Cell Painting screen as batches."""
    table = pd.read_csv(dye_screen)
    x = table.filter(regex="^(?!Metadata_)").dropna(axis=1).to_numpy()
    batch = table["Metadata_Plate"].to_numpy()
    assert len(set(batch)) > 1
    theirs = neurocombat.neuroCombat(x.T, pd.DataFrame({"batch": batch}), "batch")["data"].T
    ours = ComBat().fit_transform(x, batch=batch)
    # The peer stops at a change of 1e-4, by the same rule, so that rounding is all that differs.
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-7)


def test_combat_of_a_real_plate(neurocombat, lincs_plate):
    """The rows of a LINCS plate as batches."""
    table = pd.read_csv(lincs_plate)
    x = table.filter(regex="^(?!Metadata_)").to_numpy()
    batch = table["Metadata_Well"].str[0].to_numpy()
    theirs = neurocombat.neuroCombat(x.T, pd.DataFrame({"batch": batch}), "batch")["data"].T
    ours = ComBat().fit_transform(x, batch=batch)
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-7)
