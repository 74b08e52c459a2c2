"""group_sums, group_moments, group_medians against the reference."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.cases import SHAPES, labelled
from helpers.comparers import close, close_moments
from helpers.oracle import reference
from wellgram import InputError

PRIMITIVES = ["group_sums", "group_medians", "group_moments"]


def compare_sums(backend, x, codes, groups):
    sums, counts = backend.group_sums(x, codes, groups)
    expected, expected_counts = reference.group_sums(x, codes, groups)
    assert sums.dtype == np.float64
    np.testing.assert_array_equal(counts, expected_counts)
    magnitude, _ = reference.group_sums(np.abs(x), codes, groups)
    close(sums, expected, terms=len(x), dtype=np.float64, magnitude=magnitude)


def compare_moments(backend, x, codes, groups):
    for spread in ("smaller", "rows", "variances"):
        got, expected = (b.group_moments(x, codes, groups, spread) for b in (backend, reference))
        assert got.kept == spread
        close_moments(got, expected, x, codes)


def compare_medians(backend, x, codes, groups):
    # A median is a value or the middle of two: exact in float64.
    np.testing.assert_array_equal(
        backend.group_medians(x, codes, groups), reference.group_medians(x, codes, groups)
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums(backend, rng, dtype, shape):
    compare_sums(backend, *labelled(rng, *shape, dtype))


@pytest.mark.parametrize("origin", [0, 3, 1e5])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_moments(backend, rng, dtype, shape, origin):
    """Far from the origin, a scatter that is not taken about the mean has no digit left."""
    compare_moments(backend, *labelled(rng, *shape, dtype, groups=3, origin=origin))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_medians(backend, rng, dtype, shape):
    compare_medians(backend, *labelled(rng, *shape, dtype))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(n=st.integers(0, 60), d=st.integers(1, 40), groups=st.integers(1, 8), seed=st.integers(0, 9))
def test_any_shape(backend, n, d, groups, seed):
    rng = np.random.default_rng(seed)
    x, codes = rng.normal(size=(n, d)).astype(np.float32), rng.integers(-1, groups, n)
    for compare in (compare_sums, compare_moments, compare_medians):
        compare(backend, x, codes, groups)


def test_sums_of_more_rows_than_a_chunk(backend, rng):
    """One group past 2^16 rows beside small ones: partial sums are put together."""
    x = rng.normal(size=((1 << 16) + 37, 3)).astype(np.float32)
    codes = np.where(rng.random(len(x)) < 0.01, rng.integers(0, 5, len(x)), 5)
    compare_sums(backend, x, codes, 6)


@pytest.mark.parametrize("rows", [9, 10, 11, 256, 257, 700])
def test_moments_around_the_turn_from_rows_to_scatter(backend, rng, dtype, rows):
    """Fewer rows than the 10 features, as many, more; and blocks of 256 rows put together."""
    compare_moments(backend, rng.normal(size=(rows, 10)).astype(dtype), np.zeros(rows, int), 1)


@pytest.mark.parametrize("sizes", [(3, 9), (10, 10), (2, 30), (40, 0), (0, 0)])
def test_pooled_moments_are_those_of_all_rows(backend, rng, sizes):
    x = rng.normal(size=(sum(sizes), 10)) + 100
    expected = x.mean(axis=0) if len(x) else np.zeros(10)
    scatter = (x - expected).T @ (x - expected)
    for spread in ("smaller", "rows", "variances"):
        pooled = backend.group_moments(x, np.repeat([0, 1], sizes), 2, spread).pooled()
        assert pooled.count == len(x)
        np.testing.assert_allclose(pooled.mean, expected, rtol=1e-13)
        np.testing.assert_allclose(pooled.squares(), np.diag(scatter), atol=1e-9)
        if spread != "variances":
            np.testing.assert_allclose(pooled.scatter(), scatter, atol=1e-9)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_no_groups(backend, name):
    """Every row of no group, and no group for any: empty answers, not a failure."""
    answer = getattr(backend, name)(np.ones((3, 2)), np.full(3, -1), 0)
    means = {"group_sums": lambda: answer[0], "group_moments": lambda: answer.means}
    assert means.get(name, lambda: answer)().shape == (0, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e-45, 3e38])
def test_sums_carry_special_values(backend, value):
    x = np.ones((4, 3), np.float32)
    x[2, 1] = value
    compare_sums(backend, x, np.array([0, 0, 1, 1]), 2)


@pytest.mark.filterwarnings("ignore:invalid value")  # of the reference: Inf - Inf
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("d", [3, 20])
def test_moments_keep_what_is_not_finite_to_its_group_and_features(backend, rng, value, d):
    """Of the scatter for 3 features, of the rows for 20."""
    x, codes = rng.normal(size=(10, d)), np.repeat([0, 1], 5)
    x[2, 1] = value
    got, expected = (b.group_moments(x, codes, 2) for b in (backend, reference))
    for g in (0, 1):
        spread = got.spreads[g]
        np.testing.assert_array_equal(np.isfinite(spread), np.isfinite(expected.spreads[g]))
    np.testing.assert_array_equal(got.means[0, 1], value)
    assert np.isfinite(got.spreads[1]).all()


@pytest.mark.filterwarnings("ignore:invalid value")
def test_medians_with_nan_and_inf(backend):
    x = np.array([[1, np.nan], [np.inf, 2], [-np.inf, 3], [5, 4], [7, 9]], np.float32)
    codes = np.array([0, 0, 0, 0, 1])
    got = backend.group_medians(x, codes, 2)
    np.testing.assert_array_equal(got, [[3, np.nan], [7, 9]])


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 9])
def test_a_nan_at_any_place_makes_the_median_nan(backend, rng, dtype, rows):
    """Each column has its NaN in another row, and the last has none."""
    x = rng.normal(size=(rows, rows + 1)).astype(dtype)
    np.fill_diagonal(x, np.nan)
    got = backend.group_medians(x, np.zeros(rows, int), 1)
    np.testing.assert_array_equal(np.isnan(got[0]), [True] * rows + [False])


def test_medians_of_subnormal_and_huge_values(backend):
    x = np.array([[1e-45, 3e38], [3e-45, 3.2e38]], np.float32)
    got = backend.group_medians(x, np.zeros(2, int), 1)
    np.testing.assert_array_equal(got, x.astype(np.float64).mean(axis=0, keepdims=True))


@pytest.mark.parametrize("rows", [2, 7, 64, 5001])
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")  # means of the reference
def test_medians_of_distributions_that_mislead_a_search(backend, rng, dtype, rows):
    """Ties, tails, every order of magnitude, both signs of zero, Inf, a step at the middle."""
    normal, sign = rng.normal(size=(rows, 4)), rng.choice([-1, 1], (rows, 4))
    least = np.finfo(dtype).smallest_subnormal
    kinds = [
        np.maximum(normal, 0),
        rng.integers(0, 3, (rows, 4)),
        np.ones((rows, 4)),
        np.exp(3 * normal),
        1 / normal,
        sign * np.exp2(rng.uniform(np.log2(least) + 1, np.finfo(dtype).maxexp, (rows, 4))),
        np.where(sign < 0, -0.0, rng.choice([0.0, -least, least], (rows, 4))),
        np.where(rng.random((rows, 4)) < 0.4, np.inf * sign, normal),
        np.where(np.arange(rows)[:, None] < rows / 2, -1.0, 1.0) * np.finfo(dtype).max / 4,
    ]
    x = rng.permuted(np.hstack(kinds), axis=0).astype(dtype)
    compare_medians(backend, x, np.zeros(rows, int), 1)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_results_do_not_depend_on_threads(backend, rng, by_threads, name):
    x, codes, groups = labelled(rng, 5000, 9, np.float32, groups=4)

    def call():
        answer = getattr(backend, name)(x, codes, groups)
        return (answer.means, *answer.spreads) if name == "group_moments" else answer

    one, *more = by_threads(call)
    for other in more:
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", PRIMITIVES)
@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ([0, 1, 2], r"codes\[2\] is 2; expected -1 to 1"),
        ([0, -2, 1], r"codes\[1\] is -2"),
        ([0, 1], "one per row"),
        ([0.0, 1.0, 1.0], "integers"),
        ([True, False, True], "integers"),
        (np.array([0, 1, 2**64 - 1], np.uint64), r"codes\[2\] is 18446744073709551615"),
    ],
)
def test_codes_that_cannot_be_are_refused(backend, name, codes, words):
    with pytest.raises(InputError, match=words):
        getattr(backend, name)(np.ones((3, 2)), np.array(codes), 2)
