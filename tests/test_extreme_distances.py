"""Magnitude of wells of any size, and beside wells that are far away."""

import numpy as np
import pytest

import wellgram as wg

LABELS = np.repeat(["NTC", "g1", "g2"], 20)


def energies(rows):
    wells = wg.Wells.from_arrays(rows, LABELS, control="NTC")
    table = wg.magnitude(wells, draws=20).table.set_index("perturbation")
    assert np.isfinite(table[["energy_distance", "p_value", "null_mean"]].to_numpy()).all()
    return table["energy_distance"]


@pytest.fixture
def rows(rng):
    return rng.normal(size=(60, 16))


@pytest.mark.parametrize("far", [1e4, 1e8, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_far_well_leaves_other_perturbations_alone(rows, dtype, far):
    rows = rows.astype(dtype)
    expected = energies(rows)["g1"]
    rows[-1] *= dtype(far)
    # The centre about which squares are taken may be another: they round otherwise.
    np.testing.assert_allclose(energies(rows)["g1"], expected, rtol=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e300])
def test_any_size(rows, size):
    np.testing.assert_allclose(energies(rows * size) / size, energies(rows), rtol=1e-9)


def test_sums_beyond_float64(rows):
    with pytest.raises(wg.InputError, match="beyond the range of float64"):
        energies(rows / np.abs(rows).max() * 1.7e308)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_identical_wells(rows, dtype):
    assert (energies(np.repeat(rows[:1], 60, axis=0).astype(dtype)) == 0).all()
