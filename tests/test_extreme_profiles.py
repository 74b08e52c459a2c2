"""Maps, precisions and probes of values of any size."""

import numpy as np
import pytest

import wellgram as wg

N = 120
LABELS = np.array([f"g{i % 10}" for i in range(N)], object)
LABELS[::4] = "NTC"


@pytest.fixture
def rows(rng):
    return rng.normal(size=(N, 8))


def wells_of(rows):
    return wg.Wells.from_arrays(rows, LABELS, control="NTC", batch=np.arange(N) // 40)


@pytest.mark.parametrize("power", [-1000, -700, 700, 1000])
@pytest.mark.parametrize("aggregate", ["mean", "median"])
def test_maps_in_float64(rows, power, aggregate):
    expected, got = (
        wg.build_map(wells_of(x), aggregate=aggregate, dtype="float64").embeddings
        for x in (rows, np.ldexp(rows, power))
    )
    np.testing.assert_array_equal(got, np.ldexp(expected, power))


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_maps_that_float32_cannot_represent(rows, size):
    with pytest.raises(wg.InputError, match=r"of 'g0' is .*float32 cannot represent.*float64"):
        wg.build_map(wells_of(rows * size))


def test_maps_that_float64_cannot_represent(rows):
    rows[LABELS == "g5"] = 1.7e308
    with pytest.raises(wg.InputError, match="of 'g5' is inf, which float64 cannot represent"):
        wg.build_map(wells_of(rows), dtype="float64")


def precisions(rows):
    asked = {"pos_sameby": "perturbation", "neg_diffby": "is_control", "similarity": "euclidean"}
    return wg.average_precision(wells_of(rows), **asked).table["average_precision"]


@pytest.mark.parametrize("power", [-1000, -700, 700, 1000])
def test_euclidean_precision_of_any_size(rows, power):
    np.testing.assert_array_equal(precisions(np.ldexp(rows, power)), precisions(rows))


def test_euclidean_precision_beside_a_far_profile(rows):
    """A far profile that is the last of all rankings anyway may be as far as it likes."""
    rows[5] *= 1e3
    expected = precisions(rows)
    rows[5] *= 1e7
    np.testing.assert_array_equal(precisions(rows), expected)
    rows[5] *= 1e190
    with pytest.raises(wg.InputError, match="row 5 far away"):
        precisions(rows)


@pytest.mark.parametrize(
    ("dtype", "power"), [("float64", -700), ("float64", 700), ("float32", 120)]
)
def test_probes_of_any_size(rows, dtype, power):
    rows = rows.astype(dtype)
    got, expected = (
        wg.linear_probe(wells_of(x), label="perturbation").table
        for x in (np.ldexp(rows, power), rows)
    )
    np.testing.assert_array_equal(got.select_dtypes("number"), expected.select_dtypes("number"))
