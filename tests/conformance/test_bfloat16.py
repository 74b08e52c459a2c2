"""Products of rows rounded to bfloat16: what is rounded, how, and how far it may be off."""

import numpy as np
import pytest

from helpers.cases import SIZES, extent_of, met, met_values, one_of_each, pairs_of, unit, x_and_y
from helpers.comparers import as_defined, bfloat16_error, same
from helpers.oracle import reference
from wellgram import InputError
from wellgram.backends.consumers import CountBelow, Extent


def compare(backend, x, y=None):
    """A pass meets the very values of pair_cosines, and those are near the exact sums."""
    i, j = pairs_of(x, y)
    cosines = backend.pair_cosines(x, i, j, y, bfloat16=True)
    expected = np.sort(cosines).astype(np.float64)
    np.testing.assert_array_equal(met_values(backend, x, y, bfloat16=True), expected)
    exact = reference.pair_cosines(x, i, j, y, bfloat16=True)
    assert (np.abs(cosines - exact) <= bfloat16_error(x.shape[1])).all()


@pytest.mark.parametrize("d", [1, 2, 3, 15, 16, 17, 33, 384, 1537])
@pytest.mark.parametrize("sizes", [(120, None), (45, 37), (0, None), (1, 5)], ids=str)
def test_a_pass_meets_the_very_values_of_pair_cosines(backend, rng, sizes, d):
    compare(backend, *x_and_y(rng, *sizes, d, np.float32))


def test_values_too_small_for_the_instruction(backend, rng):
    """From 1 to below the smallest subnormal number: products and values may go to zero, early."""
    sizes = np.exp2(-rng.integers(0, 152, (90, 21)).astype(np.float64))
    sizes[:, 0] = 1
    x = reference.unit_rows((sizes * rng.choice([-1, 1], sizes.shape)).astype(np.float32))[0]
    compare(backend, x)
    x[:, 0] = 0  # nothing left but the small ones, which the large one hid
    compare(backend, x)


def test_rows_are_rounded_to_the_nearest_and_ties_to_even(backend, rng):
    """Times 1, of one feature: the product is exact, and what is seen is the rounded value.

    Around halves of the last of 8 bits; the exponents are those of normal numbers.
    """
    upper = rng.integers(0x0080, 0x7F00, 3000, dtype=np.uint32) | rng.choice(
        np.array([0, 0x8000], np.uint32), 3000
    )
    lower = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32)
    x = ((upper[:, None] << 16) | lower).view(np.float32).reshape(-1, 1)
    k = np.arange(len(x))
    got = backend.pair_cosines(x, k, 0 * k, np.ones((1, 1), np.float32), bfloat16=True)
    fraction, exponent = np.frexp(x[:, 0].astype(np.float64))
    np.testing.assert_array_equal(got, np.ldexp(np.rint(fraction * 256) / 256, exponent))


def test_values_of_8_bits_are_not_rounded(backend):
    x = np.array([[1, 0], [-1, 0], [0.5, -0.25], [0.99609375, 0.0078125]], np.float32)
    np.testing.assert_array_equal(
        met_values(backend, x, bfloat16=True), np.sort(reference.pair_cosines(x, *pairs_of(x)))
    )


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_consumers_find_of_the_rounded_rows_what_is_defined(backend, rng, sizes):
    x, y = x_and_y(rng, *sizes, 5, np.float32)
    extent, pairs = extent_of(x, y), met(backend, x, y, bfloat16=True)
    got = backend.scan_pairs(x, one_of_each(extent, x.dtype), y, bfloat16=True)
    same(got, [as_defined(c, pairs, extent) for c in one_of_each(extent, x.dtype)])


def test_a_row_of_nan_takes_only_its_own_pairs(backend, rng):
    x = unit(rng, 60, 7, np.float32)
    expected = met_values(backend, np.delete(x, 33, axis=0), bfloat16=True)
    x[33] = np.nan
    np.testing.assert_array_equal(met_values(backend, x, bfloat16=True), expected)
    i, j = pairs_of(x)
    cosines = backend.pair_cosines(x, i, j, bfloat16=True)
    np.testing.assert_array_equal(np.isnan(cosines), (i == 33) | (j == 33))


@pytest.mark.parametrize("d", [3, 77, 384])
def test_instruction_sets_that_widen_agree_to_the_bit(cpu, rng, d):
    """Products of two values of 8 bits are exact in float32, so that a fused multiply-add and a
    multiplication and an addition round the same; the instruction for bfloat16 rounds its own way.
    """
    x, values = unit(rng, 150, d, np.float32), []
    for isa in cpu.kernels.instruction_sets():
        if not isa.endswith("bf16"):
            cpu.kernels.use_instruction_set(isa)
            values.append(met_values(cpu, x, bfloat16=True))
    for other in values[1:]:
        np.testing.assert_array_equal(values[0], other)


@pytest.mark.parametrize(
    "call",
    [
        lambda b, x: b.pair_cosines(x, [0], [1], bfloat16=True),
        lambda b, x: b.pair_cosines(x, [0], [1], x, bfloat16=True),
        lambda b, x: b.scan_pairs(x, [CountBelow((0.0,))], bfloat16=True),
        lambda b, x: b.pair_scan([], Extent(2), x.dtype, bfloat16=True),
    ],
    ids=["pair_cosines", "pair_cosines with y", "scan_pairs", "pair_scan"],
)
def test_rows_of_float64_are_refused(backend, call):
    with pytest.raises(InputError, match="float32"):
        call(backend, np.eye(2))
    call(backend, np.eye(2, dtype=np.float32))


def test_half_precision_is_widened_first(backend, rng):
    x = unit(rng, 20, 5, np.float32).astype(np.float16)
    np.testing.assert_array_equal(
        met_values(backend, x, bfloat16=True),
        met_values(backend, x.astype(np.float32), bfloat16=True),
    )
