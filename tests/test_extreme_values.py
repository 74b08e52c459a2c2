"""Corrections of values of any size: right and finite, or an error says what is not."""

import numpy as np
import pytest

import wellgram as wg
from wellgram.align.harmony import _components
from wellgram.align.sample import RowSample, StreamSample

N, D = 60, 6
BATCH = np.repeat(["a", "b", "c"], N // 3)
CONTROL = np.tile([True, False], N // 2)

ONE_BY_ONE = [
    wg.CenterScale(),
    wg.Standardize(),
    wg.RobustMAD(0.0),
    wg.TVN(),
    wg.Sphering("ZCA-cor"),
]
"""Those that standardise each feature first, so that each may have a size of its own"""

TOGETHER = [wg.PCACenterScale(), wg.PCAWhiten(), wg.Sphering("PCA", 0.0), wg.Sphering("ZCA", 0.0)]
"""Those that take all features as they are, so that all have one size"""


def name(align):
    return getattr(align, "method", type(align).__name__)


@pytest.fixture
def rows(rng):
    offsets = rng.normal(size=(3, D)).repeat(N // 3, axis=0)
    return rng.normal(size=(N, D)) @ rng.normal(size=(D, D)) + offsets


def aligned(align, rows):
    return align.fit(rows, batch=BATCH, control=CONTROL).transform(rows, batch=BATCH)


@pytest.mark.parametrize("power", [-1000, -700, -300, 300, 700, 1010])
@pytest.mark.parametrize("align", ONE_BY_ONE + TOGETHER, ids=name)
def test_size_does_not_matter(align, rows, power):
    got, expected = aligned(align, np.ldexp(rows, power)), aligned(align, rows)
    # A power of two rounds nothing; only the decomposition of a scaled matrix may round otherwise.
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("align", ONE_BY_ONE, ids=name)
def test_each_feature_has_a_size_of_its_own(align, rows):
    powers = np.array([-1000, -300, 0, 0, 300, 1000])
    got, expected = aligned(align, np.ldexp(rows, powers)), aligned(align, rows)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("align", TOGETHER, ids=name)
def test_a_large_feature_is_all_there_is(align, rows):
    """Beside it the others are less than its rounding."""
    rows[:, 2] = np.ldexp(rows[:, 2], 700)
    assert np.isfinite(aligned(align, rows)).all()


@pytest.mark.parametrize("power", [-1000, -300, 300, 1000])
def test_combat_keeps_the_size(rows, power):
    """Its features come out in the units that they had."""
    powers = np.array([power, 0, power, 0, 0, -power])
    expected = np.ldexp(aligned(wg.ComBat(), rows), powers)
    np.testing.assert_array_equal(aligned(wg.ComBat(), np.ldexp(rows, powers)), expected)


@pytest.mark.parametrize("power", [-300, 300])
def test_coral_in_units_of_its_ridge(rows, power):
    expected = np.ldexp(aligned(wg.CORAL(), rows), power)
    got = aligned(wg.CORAL(ridge=2.0 ** (2 * power)), np.ldexp(rows, power))
    np.testing.assert_allclose(got, expected, rtol=1e-10)


@pytest.mark.parametrize("power", [-300, -1000])
def test_coral_of_values_that_are_nothing_beside_its_ridge(rows, power):
    """Then batches are centred, and the mean of all controls is put back."""
    got = np.ldexp(aligned(wg.CORAL(), np.ldexp(rows, power)), -power)
    means = {b: rows[np.logical_and(CONTROL, b == BATCH)].mean(axis=0) for b in "abc"}
    expected = rows - [means[b] for b in BATCH] + rows[CONTROL].mean(axis=0)
    np.testing.assert_allclose(got, expected, atol=1e-12)


@pytest.mark.parametrize("power", [60, 300, 700])
def test_coral_whose_ridge_is_lost(rows, power):
    with pytest.raises(wg.InputError, match="ridge=1 is lost beside the variance of feature"):
        aligned(wg.CORAL(), np.ldexp(rows, power))


def test_moments_of_a_stream(rows):
    rows[:, 3] = np.ldexp(rows[:, 3], 700)
    rows[:, 4] = np.ldexp(rows[:, 4], -700)
    wells = wg.Wells.from_arrays(rows, ["a"] * N, batch=BATCH)
    codes, names = wells.batches()
    about = codes, names, CONTROL, ""
    codes = np.where(CONTROL, codes, -1)
    whole = RowSample(*about, rows).moments(codes, "smaller")
    stream = StreamSample(*about, wells).moments(codes, "smaller")
    assert whole.is_scaled
    np.testing.assert_array_equal(stream.unit, whole.unit)
    np.testing.assert_array_equal(stream.pooled().scatter(), whole.pooled().scatter())


def test_chains(rows):
    chain = wg.chain(wg.CenterScale(), wg.TVN(), wg.ComBat())
    got = aligned(chain, np.ldexp(rows, 700))
    np.testing.assert_allclose(got, aligned(chain, rows), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [1e-40, 1e-30, 1e37])
@pytest.mark.parametrize("align", ONE_BY_ONE + TOGETHER + [wg.ComBat()], ids=name)
def test_float32(align, rows, size):
    """Where float32 cannot hold a map, it is applied in float64."""
    small = (rows * size).astype(np.float32)
    expected = aligned(align, small.astype(np.float64))
    got = aligned(align, small)
    assert got.dtype == np.float32
    tolerance = 1e-5 * np.abs(expected).max()  # of float32, where rounding adds up over features
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


def test_what_float32_cannot_represent(rows):
    align = wg.CenterScale().fit(rows, batch=BATCH, control=CONTROL)
    far = rows.astype(np.float32)
    far[7, 3] = 3e38
    scale = align.affine_.maps[0].scale
    scale[:, 3] = 1e5
    with pytest.raises(wg.InputError, match="feature 3 of aligned rows cannot be represented"):
        align.transform(far, batch=BATCH)


def test_coral_of_large_values(rows):
    """Where most digits of float32 would cancel, it is applied in float64."""
    large = (rows * 1e5).astype(np.float32)
    expected = aligned(wg.CORAL(), large.astype(np.float64))
    np.testing.assert_allclose(aligned(wg.CORAL(), large), expected, rtol=1e-6, atol=1)
    with pytest.raises(wg.InputError, match="standardise"):
        aligned(wg.CORAL(), (rows * 1e20).astype(np.float32))


def test_deviations_beyond_float64(rows):
    rows[::4, 1], rows[1::4, 1] = 1.7e308, -1.7e308
    rows[2::4, 1], rows[3::4, 1] = -1.7e308, 1.7e308
    with pytest.raises(wg.InputError, match="feature 1"):
        aligned(wg.RobustMAD(), rows)


@pytest.mark.parametrize("parameter", [np.inf, np.nan])
def test_parameters_are_finite(parameter):
    for make in (wg.TVN, wg.CORAL, wg.ComBat, wg.RobustMAD, lambda p: wg.Sphering(epsilon=p)):
        with pytest.raises(wg.InputError):
            make(parameter)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_combat_leaves_constant_features_alone(rows, dtype):
    rows = rows.astype(dtype)
    rows[:, 1] = 0.1  # whose mean rounding carries off
    rows[:, 4] = np.where(BATCH == "b", -3.7, 3.7)  # constant within each batch
    got = aligned(wg.ComBat(), rows)
    np.testing.assert_array_equal(got[:, [1, 4]], rows[:, [1, 4]])
    others = [0, 2, 3, 5]
    np.testing.assert_array_equal(got[:, others], aligned(wg.ComBat(), rows[:, others]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_combat_leaves_identical_wells_alone(rows, dtype):
    rows = np.repeat(rows[:1], N, axis=0).astype(dtype)
    np.testing.assert_array_equal(aligned(wg.ComBat(), rows), rows)


def test_combat_ends_below_rounding(rows):
    """No step may change that little, so the number of steps ends it."""
    got = aligned(wg.ComBat(1e-300), rows)
    np.testing.assert_allclose(got, aligned(wg.ComBat(1e-12), rows), rtol=1e-9)


@pytest.mark.parametrize("power", [-1000, 1000])
def test_what_harmony_is_given(rows, power):
    np.testing.assert_array_equal(_components(np.ldexp(rows, power), 4), _components(rows, 4))
