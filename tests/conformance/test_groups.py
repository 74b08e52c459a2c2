"""group_sums, group_moments, group_medians against the reference."""

import numpy as np
import pytest
from comparers import close
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wellgram import InputError
from wellgram.backends import reference

SHAPES = [(0, 3), (1, 1), (2, 5), (7, 16), (53, 15), (101, 17), (331, 33), (97, 1), (40, 384)]


def labelled(rng, n, d, dtype, groups=6):
    """Rows far from the origin, of groups of which the last is empty and some rows are of none."""
    x = (rng.normal(size=(n, d)) + 3).astype(dtype)
    codes = rng.integers(-1, groups - 1, n)
    return x, codes, groups


def compare_sums(backend, x, codes, groups):
    sums, counts = backend.group_sums(x, codes, groups)
    expected, expected_counts = reference.group_sums(x, codes, groups)
    assert sums.dtype == np.float64
    np.testing.assert_array_equal(counts, expected_counts)
    magnitude, _ = reference.group_sums(np.abs(x), codes, groups)
    close(sums, expected, terms=len(x), dtype=np.float64, magnitude=magnitude)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums(backend, rng, dtype, shape):
    compare_sums(backend, *labelled(rng, *shape, dtype))


def test_sums_of_more_rows_than_a_chunk(backend, rng):
    """One group past 2^16 rows beside small ones: partial sums are put together."""
    x = rng.normal(size=((1 << 16) + 37, 3)).astype(np.float32)
    codes = np.where(rng.random(len(x)) < 0.01, rng.integers(0, 5, len(x)), 5)
    compare_sums(backend, x, codes, 6)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e-45, 3e38])
def test_sums_carry_special_values(backend, value):
    x = np.ones((4, 3), np.float32)
    x[2, 1] = value
    compare_sums(backend, x, np.array([0, 0, 1, 1]), 2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_moments(backend, rng, dtype, shape):
    n, d = shape
    x, codes, groups = labelled(rng, n, d, dtype, groups=3)
    got, expected = (b.group_moments(x, codes, groups) for b in (backend, reference))
    np.testing.assert_array_equal(got.counts, expected.counts)
    largest = np.abs(x).max(initial=0).astype(np.float64)
    close(got.means, expected.means, terms=n, dtype=np.float64, magnitude=largest)
    for g in range(groups):
        assert got.spreads[g].shape == expected.spreads[g].shape
        assert (got.rows(g) is None) == (got.counts[g] >= d)
        bound = {"terms": 2 * n, "dtype": np.float64, "magnitude": max(n, 1) * 4 * largest**2}
        close(got.scatter(g), expected.scatter(g), **bound)
        close(got.squares(g), np.diag(expected.scatter(g)), **bound)


@pytest.mark.parametrize("sizes", [(3, 9), (10, 10), (2, 30), (40, 0)])
def test_pooled_moments_are_those_of_all_rows(backend, rng, sizes):
    """Groups with fewer rows than features, as many, more, and none at all."""
    x = rng.normal(size=(sum(sizes), 10)) + 100
    moments = backend.group_moments(x, np.repeat([0, 1], sizes), 2)
    count, mean, scatter = moments.pooled()
    assert count == len(x)
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(scatter, np.cov(x, rowvar=False) * (len(x) - 1), atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_medians(backend, rng, dtype, shape):
    x, codes, groups = labelled(rng, *shape, dtype)
    got = backend.group_medians(x, codes, groups)
    # A median is a value or the middle of two: exact in float64.
    np.testing.assert_array_equal(got, reference.group_medians(x, codes, groups))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_medians_with_nan_and_inf(backend):
    x = np.array([[1, np.nan], [np.inf, 2], [-np.inf, 3], [5, 4], [7, 9]], np.float32)
    codes = np.array([0, 0, 0, 0, 1])
    got = backend.group_medians(x, codes, 2)
    np.testing.assert_array_equal(got, [[3, np.nan], [7, 9]])


@pytest.mark.parametrize("name", ["group_sums", "group_medians", "group_moments"])
def test_results_do_not_depend_on_threads(backend, rng, threads, name, monkeypatch):
    x, codes, groups = labelled(rng, 5000, 9, np.float32, groups=4)
    call = getattr(backend, name)
    many = call(x, codes, groups)
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "1")
    one = call(x, codes, groups)
    if name == "group_moments":
        many, one = ((m.means, *m.spreads) for m in (many, one))
    for a, b in zip(many, one, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(n=st.integers(0, 60), d=st.integers(1, 40), groups=st.integers(1, 8), seed=st.integers(0, 9))
def test_any_shape(backend, n, d, groups, seed):
    rng = np.random.default_rng(seed)
    x, codes = rng.normal(size=(n, d)).astype(np.float32), rng.integers(-1, groups, n)
    compare_sums(backend, x, codes, groups)
    np.testing.assert_array_equal(
        backend.group_medians(x, codes, groups), reference.group_medians(x, codes, groups)
    )


@pytest.mark.parametrize("name", ["group_sums", "group_medians", "group_moments"])
@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ([0, 1, 2], r"codes\[2\] is 2; expected -1 to 1"),
        ([0, -2, 1], r"codes\[1\] is -2"),
        ([0, 1], "one per row"),
        ([0.0, 1.0, 1.0], "integers"),
    ],
)
def test_codes_that_cannot_be_are_refused(backend, name, codes, words):
    with pytest.raises(InputError, match=words):
        getattr(backend, name)(np.ones((3, 2)), np.array(codes), 2)
