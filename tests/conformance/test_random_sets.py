"""null_means against the reference, and against what its definition promises."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from helpers.cases import unit
from helpers.oracle import reference
from wellgram import InputError
from wellgram.backends.philox_draws import philox, under

STEP = 2.0**-40
"""Means are rounded to this; two that differ in their last bit before may end one step apart."""


def compare(backend, x, pool, taken, sizes, draws=30, seed=5, stream=7):
    options = {"seed": seed, "stream": stream}
    got = backend.null_means(x, pool, taken, sizes, draws, **options)
    expected = reference.null_means(x, pool, taken, sizes, draws, **options)
    assert got.shape == (len(sizes), draws)
    np.testing.assert_array_equal(got, np.rint(got / STEP) * STEP)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1.1 * STEP)


@pytest.mark.parametrize("d", [1, 3, 16, 33, 384])
def test_one_pool(backend, rng, dtype, d):
    x = unit(rng, 150, d, dtype)
    compare(backend, x, [np.arange(150)], [2], [2])
    compare(backend, x, [rng.permutation(150)[:97]], [97], [97])
    compare(backend, x, [np.arange(3, 40)], [20], [2, 3, 11, 20])


def test_draws_are_those_from_any_on(backend, rng, dtype):
    x = unit(rng, 90, 12, dtype)
    pool, options = [np.arange(60), np.arange(60, 90)], {"seed": 3, "stream": 9}
    whole = backend.null_means(x, pool, [5, 2], [3, 7], 40, **options)
    part = backend.null_means(x, pool, [5, 2], [3, 7], 11, first=23, **options)
    np.testing.assert_array_equal(part, whole[:, 23:34])


def test_strata(backend, rng, dtype):
    x = unit(rng, 200, 17, dtype)
    order = rng.permutation(200)
    pool = [order[:50], order[50:51], order[51:60], order[60:200]]
    compare(backend, x, pool, [3, 1, 0, 9], [13])
    compare(backend, x, pool, [3, 1, 0, 9], [2, 4, 13])


def test_many_large_sets(backend, rng):
    """Large beside the rows: added up blockwise, several at a time."""
    x = unit(rng, 1500, 33, np.float32)
    compare(backend, x, [np.arange(1500)], [400], [400], draws=70)
    compare(backend, x, [np.arange(700), np.arange(700, 1500)], [100, 30], [130], draws=5)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    strata=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    shares=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    seed=st.integers(0, 2**64 - 1),
    stream=st.integers(0, 2**64 - 1),
)
def test_any_sets(backend, strata, shares, seed, stream):
    rng = np.random.default_rng(3)
    bounds = np.cumsum([0, *strata])
    taken = [round(size * share) for size, share in zip(strata, shares, strict=False)]
    if sum(taken) < 2:
        taken[0], strata[0] = 2, max(2, strata[0])
        bounds = np.cumsum([0, *strata])
    x = unit(rng, int(bounds[-1]), 9, np.float32)
    order = rng.permutation(len(x))
    pool = np.split(order, bounds[1:-1])
    compare(backend, x, pool, taken, [sum(taken)], 8, seed, stream)


@pytest.mark.parametrize("threads", ["1", "2", "7"])
@pytest.mark.parametrize("size", [5, 300])
def test_draws_do_not_depend_on_threads_or_on_how_many_there_are(
    backend, rng, monkeypatch, threads, size
):
    x = unit(rng, 400, 31, np.float32)
    arguments = (x, [np.arange(400)], [size], [size])
    many = backend.null_means(*arguments, 90, seed=1, stream=2)
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", threads)
    few = backend.null_means(*arguments, 33, seed=1, stream=2)
    np.testing.assert_array_equal(many[:, :33], few)
    assert (backend.null_means(*arguments, 33, seed=1, stream=3) != few).any()
    assert (backend.null_means(*arguments, 33, seed=2, stream=2) != few).any()


def test_a_nested_set_begins_as_the_larger_does(backend, rng):
    """The smaller sets of a draw are the beginnings of its largest, whichever are asked for."""
    x = unit(rng, 90, 12, np.float64)
    options = {"seed": 8, "stream": 0}
    every = backend.null_means(x, [np.arange(90)], [30], range(2, 31), 20, **options)
    some = backend.null_means(x, [np.arange(90)], [30], [2, 17, 30], 20, **options)
    np.testing.assert_array_equal(every[[0, 15, 28]], some)


def test_every_set_is_as_likely(backend, rng):
    """All 56 sets of 3 of 8 rows, told apart by their means, 5,600 draws."""
    x = unit(rng, 8, 16, np.float64)
    gram = x @ x.T
    means = [
        np.mean([gram[a, b] for a, b in combinations(s, 2)]) for s in combinations(range(8), 3)
    ]
    drawn = backend.null_means(x, [np.arange(8)], [3], [3], 5600, seed=0, stream=0)[0]
    which = np.abs(drawn[:, None] - np.array(means)).argmin(axis=1)
    assert np.abs(drawn - np.array(means)[which]).max() < 1e-9
    assert chisquare(np.bincount(which, minlength=56)).pvalue > 1e-3


def test_mean_of_all_pairs(backend, rng):
    x = unit(rng, 20, 5, np.float64)
    mean = (x @ x.T)[np.triu_indices(20, 1)].mean()
    drawn = backend.null_means(x, [np.arange(20)], [20], [20], 3, seed=0, stream=0)
    np.testing.assert_allclose(drawn, mean, rtol=0, atol=STEP)


@pytest.mark.parametrize(
    ("pool", "taken", "sizes", "draws", "words"),
    [
        ([[0, 1, 2]], [4], [4], 1, "cannot take 4 rows of the 3"),
        ([[0, 1, 2]], [-1], [2], 1, "cannot take -1"),
        ([[0, 1, 9]], [2], [2], 1, r"pool\[0\]"),
        ([[0, 1, 2]], [2, 1], [3], 1, "1 strata, but 2"),
        ([[0, 1, 2]], [3], [2], 1, "sizes must rise"),
        ([[0, 1, 2]], [3], [3, 2], 1, "sizes must rise"),
        ([[0, 1, 2]], [3], [1, 3], 1, "sizes must rise"),
        ([[0, 1, 2]], [0], [], 1, "sizes must rise"),
        ([[0, 1, 2]], [2], [2], -1, "draws must be"),
        ([[0, 1, 2]], [2], [2], 1 << 32, "draws must be"),
    ],
)
def test_sets_that_cannot_be_drawn(backend, rng, pool, taken, sizes, draws, words):
    x = unit(rng, 5, 3, np.float32)
    pool = [np.array(part) for part in pool]
    with pytest.raises(InputError, match=words):
        backend.null_means(x, pool, taken, sizes, draws, seed=0, stream=0)


@pytest.mark.parametrize("seed", [1.5, "7", -1, 1 << 64, True, None])
def test_a_seed_that_is_none(backend, rng, seed):
    x = unit(rng, 5, 3, np.float32)
    with pytest.raises(InputError, match="seed must be"):
        backend.null_means(x, [np.arange(5)], [2], [2], 1, seed=seed, stream=0)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 4, (0xFFFFFFFF, 0xFFFFFFFF), "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_published_words(counter, key, words):
    """The known answers of Random123 (Salmon et al. 2011)."""
    drawn = philox(np.array(counter, np.uint64), key)
    assert " ".join(f"{int(word):08x}" for word in drawn) == words


@pytest.mark.parametrize("below", [1, 2, 3, 1000, 222_601, (1 << 32) - 1])
def test_numbers_are_even_over_their_range(below):
    drawn = under(np.full(20_000, below), 3, 4, 5)
    assert drawn.min() >= 0
    assert drawn.max() < below
    bins = min(below, 50)
    counts = np.bincount(drawn * bins // below, minlength=bins)
    assert bins == 1 or chisquare(counts).pvalue > 1e-3
