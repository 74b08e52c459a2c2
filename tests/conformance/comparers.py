"""How far a backend may be from the float64 reference, and why."""

import numpy as np


def close(got, expected, *, terms, dtype, magnitude):
    """Sums of `terms` values computed in dtype, of summed absolute size at most `magnitude`.

    Each of the roundings errs by at most eps / 2 of a partial sum, which is at most the magnitude;
    the result's own rounding is one more. The bound holds for any order of summation.
    """
    bound = (terms + 4) * np.finfo(dtype).eps * np.asarray(magnitude, np.float64)
    bound = bound + 4 * np.finfo(dtype).tiny  # subnormal results have an absolute error
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(got[~finite], expected[~finite])
    error, bound = np.abs(got[finite] - expected[finite]), np.broadcast_to(bound, got.shape)[finite]
    assert (error <= bound).all(), f"error {np.max(error):.3g}, bound {np.max(bound):.3g}"


def cosine_error(d, dtype):
    """A dot product of unit rows: magnitude at most 1 by Cauchy-Schwarz."""
    return (d + 4) * np.finfo(dtype).eps


def counted_below(got, sorted_cosines, threshold, error):
    """A cosine within `error` of the threshold may fall either way; no other may."""
    least = np.searchsorted(sorted_cosines, threshold - error, side="left")
    most = np.searchsorted(sorted_cosines, threshold + error, side="right")
    assert least <= got <= most, f"{got} is not in [{least}, {most}]"
