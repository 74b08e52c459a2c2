"""How far a backend may be from the float64 reference, and why.

In all of these, eps is the distance from 1 to the next number of a type: one rounding errs by at
most eps / 2 of its result.
"""

from dataclasses import replace

import numpy as np

from helpers.oracle import reference
from wellgram.backends.consumers import FIXED_POINT, RowMoments


def within(got, expected, bound):
    """Finite values differ by at most the bound; the others are the same."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(got[~finite], expected[~finite])
    error, bound = np.abs(got[finite] - expected[finite]), np.broadcast_to(bound, got.shape)[finite]
    assert (error <= bound).all(), f"error {np.max(error):.3g}, bound {np.max(bound):.3g}"


def close(got, expected, *, terms, dtype, magnitude):
    """Sums of `terms` values computed in dtype, of summed absolute size at most `magnitude`.

    Each of the roundings errs by at most eps / 2 of a partial sum, which is at most the magnitude;
    the reference may err as much. The bound holds for any order of summation.
    """
    bound = (terms + 4) * np.finfo(dtype).eps * np.asarray(magnitude, np.float64)
    within(got, expected, bound + 4 * np.finfo(dtype).tiny)  # subnormals have an absolute error


def close_moments(got, expected, x, codes):
    """Moments in float64.

    A mean errs by `drift`, as a sum does. With deviations c from the true mean, which add up to
    zero, a scatter about a mean that is off by e is sum(c c') + n e e': the drift enters squared
    only. What is left is the sum's own rounding. Both sides may err so, hence the 2.
    """
    np.testing.assert_array_equal(got.counts, expected.counts)
    assert len(got.spreads) == len(expected.spreads)
    eps = np.finfo(np.float64).eps
    sizes, counts = reference.group_sums(np.abs(x), codes, len(got.counts))
    for g, n in enumerate(counts.tolist()):
        drift = (n + 4) * eps * sizes[g] / max(n, 1)
        within(got.means[g], expected.means[g], drift)
        assert got.spreads[g].shape == expected.spreads[g].shape
        mine, theirs = got[g], expected[g]
        assert mine.is_rows == theirs.is_rows
        if mine.is_rows:
            within(mine.rows, theirs.rows, 2 * (drift + eps * np.abs(theirs.rows)))
        deviations = np.abs(x[codes == g].astype(np.float64) - expected.means[g]) + drift
        rounding = (n + 4) * eps * deviations.T @ deviations
        bound = 2 * (rounding + n * np.outer(drift, drift))
        within(mine.squares(), theirs.squares(), np.diag(bound))
        if expected.kept != "variances":
            within(mine.scatter(), theirs.scatter(), bound)


def close_affine(got, x, codes, maps):
    """An affine map computed in the type of x, after an exact shift.

    Along every way from an input to an output there are at most d + k + rank + 8 roundings: of the
    parts of the map to that type, of three products and of what joins them. So the error is at
    most that many eps of the same map with every term made positive.
    """
    assert got.dtype == x.dtype
    wide = x.astype(np.float64)
    expected = reference.apply_affine(wide, codes, maps)
    positive = replace(
        maps,
        shift=np.zeros_like(maps.shift),
        basis=None if maps.basis is None else np.abs(maps.basis),
        offset=-np.abs(maps.offset),
        factors=tuple(map(np.abs, maps.factors)),
        gains=tuple(map(np.abs, maps.gains)),
    )
    magnitude = reference.apply_affine(np.abs(wide - maps.shift), codes, positive)
    rank = max((len(gain) for gain in maps.gains), default=0)
    terms = len(maps.shift) + maps.features + rank + 4
    close(got, expected, terms=terms, dtype=x.dtype, magnitude=magnitude)


def close_loss(got, x, codes, weights):
    """Loss and gradient of rows, whose scores are computed in the type of x.

    A score errs by `drift`, as a sum of d + 1 products does whose factors are rounded, and by as
    much once the largest is taken off. The sum of k odds errs by their errors and k eps of itself,
    in whatever order; so does, in absolute terms, its logarithm. A share of that sum moves by as
    much of itself as both; 1 taken off leaves one more rounding. Of such slopes n are added up.
    """
    (n, d), k, eps = x.shape, len(weights), np.finfo(x.dtype).eps
    wide = np.hstack([x.astype(np.float64), np.ones((n, 1))])
    drift = 2 * (d + 8) * eps * (np.abs(wide) @ np.abs(weights).T).max(axis=1, initial=0)
    shares = np.exp(wide @ weights.T)
    shares /= shares.sum(axis=1, keepdims=True)
    own = np.eye(k)[codes]
    moved = shares * (2 * drift + (k + 8) * eps)[:, None] + 4 * eps * own
    added = (n + 8) * eps * np.abs(shares - own)
    loss, gradient = reference.softmax_loss(x, codes, k)(weights)
    within(got[0], loss, (2 * drift + (k + 8) * eps).sum())
    within(got[1], gradient, (moved + added).T @ np.abs(wide))


def cosine_error(d, dtype):
    """A dot product of unit rows: magnitude at most 1 by Cauchy-Schwarz."""
    return (d + 4) * np.finfo(dtype).eps


def bfloat16_error(d):
    """A dot product of two unit rows that were rounded to bfloat16, summed in float32.

    Rounding to 8 bits lengthens a row by a factor of at most 1 + 2^-8, so that the sizes of the
    products add up to at most (1 + 2^-8)^2 < 1.008: with the errors' own, less than 1.01. The
    products are exact, of 16 bits. What is rounded is d sums at most, however they are grouped,
    each off by at most eps of itself (to the nearest it is half of that, but the instruction rounds
    in a way of its own). It also takes numbers below 2^-126 for zero, before and after each of at
    most 2 d operations; the 4 eps hold those.
    """
    eps = np.finfo(np.float32).eps
    return 1.01 * (d + 4) * eps


def counted_below(got, sorted_cosines, threshold, error):
    """A cosine within `error` of the threshold may fall either way; no other may."""
    least = np.searchsorted(sorted_cosines, threshold - error, side="left")
    most = np.searchsorted(sorted_cosines, threshold + error, side="right")
    assert least <= got <= most, f"{got} is not in [{least}, {most}]"


def as_defined(consumer, met, extent):
    """What the definition of a consumer finds of the cosines of a pass."""
    return consumer.finish(consumer.absorb(consumer.start(extent), met))


def same(got, expected):
    """Answers of a consumer are equal; what a bracket kept is in no order."""
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(got, expected)
    elif isinstance(expected, list):
        for one, other in zip(got, expected, strict=True):
            same(one, other)
    elif isinstance(expected, int):
        assert got == expected
    else:
        for name, part in vars(expected).items():
            if name == "values":
                same(np.sort(got.values), np.sort(part))
            else:
                same(getattr(got, name), part)


def same_answer(consumer, got, expected, dtype):
    """Answers are equal, but for the last bit of the squares in moments of rows.

    The square of a float64 is rounded to 53 bits before it is to 2^-40 or, in a fused multiply-add,
    is not. The first moves it by 2^-54 at most, which can take it to the next multiple of 2^-40 and
    no farther: one such per partner. (That of a float32 fits 53 bits.)
    """
    if isinstance(consumer, RowMoments) and dtype == np.float64:
        same(got[:2], expected[:2])
        within(got[2], expected[2], expected[0] / FIXED_POINT)
    else:
        same(got, expected)
