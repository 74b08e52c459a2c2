"""kind_means and kind_distances: what they promise, and against the sets put together."""

import numpy as np
import pytest

from helpers.cases import unit
from helpers.oracle import reference
from wellgram import InputError

STEP = 2.0**-40
"""Means are rounded to this; two that differ in their last bit before may end one step apart."""

KINDS = [((0,), (2,)), ((0, 2), (5, 3)), ((1, 2), (1, 9)), ((2,), (40,)), ((0, 1, 2), (5, 1, 3))]
STREAMS = [7, 2**63 + 1, 0]


def pool_of(rng, rows):
    order = rng.permutation(rows)
    return [order[:30], order[30:31], order[31:90]]


def drawn_sets(pool, draws, seed):
    """The sets (draws, size) of each kind, by the definition."""
    shuffles = [
        part[reference.random_subsets([len(part)], [len(part)], draws, seed=seed, stream=stream)]
        for part, stream in zip(pool, STREAMS, strict=True)
    ]
    return [
        np.concatenate([shuffles[s][:, :count] for s, count in zip(*kind, strict=True)], axis=1)
        for kind in KINDS
    ]


@pytest.mark.parametrize("d", [1, 17, 64])
def test_means_are_those_of_the_sets(backend, rng, dtype, d):
    x, draws = unit(rng, 100, d, dtype), 40
    pool = pool_of(rng, 100)
    got = backend.kind_means(x, pool, KINDS, draws, seed=3, streams=STREAMS)
    wide = x.astype(np.float64)
    for means, sets in zip(got, drawn_sets(pool, draws, 3), strict=True):
        k = sets.shape[1]
        squares = np.square(wide[sets].sum(axis=1)).sum(axis=1)
        expected = np.rint((squares - k) / (k * (k - 1)) / STEP) * STEP
        np.testing.assert_allclose(means, expected, rtol=0, atol=1.1 * STEP)


@pytest.mark.parametrize("d", [2, 17, 64])
@pytest.mark.parametrize("origin", [0, 50])
def test_distances_are_those_of_the_sets(backend, rng, dtype, d, origin):
    x = (rng.normal(size=(100, d)) + origin).astype(dtype)
    pool, centre, draws = pool_of(rng, 100), np.full(d, float(origin)), 25
    got = backend.kind_distances(x, pool, KINDS, centre, draws, seed=3, streams=STREAMS)
    wide = x.astype(np.float64)
    for sums, sets in zip(got, drawn_sets(pool, draws, 3), strict=True):
        i, j = np.triu_indices(sets.shape[1], 1)
        expected = np.linalg.norm(wide[sets][:, i] - wide[sets][:, j], axis=2).sum(axis=1)
        # Products of float32 keep 20 of 24 bits at the least; see `kept_share`.
        np.testing.assert_allclose(sums, expected, rtol=1e-9 if dtype == np.float64 else 4e-6)


def test_a_kind_is_what_it_is_alone(backend, rng):
    """Neither other kinds nor other strata of the pool change a null."""
    x = unit(rng, 100, 12, np.float32)
    pool, centre = pool_of(rng, 100), np.zeros(12)
    named = {"seed": 9, "streams": STREAMS}
    means = backend.kind_means(x, pool, KINDS, 30, **named)
    sums = backend.kind_distances(x, pool, KINDS, centre, 30, **named)
    for k, kind in enumerate(KINDS):
        alone = backend.kind_means(x, pool, [kind], 30, **named)[0]
        np.testing.assert_array_equal(alone, means[k])
        apart = backend.kind_distances(x, pool, [kind], centre, 30, **named)[0]
        # The same distances, added up in other parts.
        np.testing.assert_allclose(apart, sums[k], rtol=1e-12)


def test_one_stratum_is_null_means(backend, rng):
    x = unit(rng, 60, 12, np.float64)
    pool = [np.arange(60)]
    kinds = [((0,), (size,)) for size in (2, 9, 31)]
    got = backend.kind_means(x, pool, kinds, 50, seed=4, streams=[6])
    nested = backend.null_means(x, pool, [31], [2, 9, 31], 50, seed=4, stream=6)
    np.testing.assert_allclose(got, nested, rtol=0, atol=1.1 * STEP)


def test_draws_are_those_from_any_on(backend, rng):
    x = unit(rng, 100, 12, np.float32)
    pool, centre, named = pool_of(rng, 100), np.zeros(12), {"seed": 3, "streams": STREAMS}
    for call, rtol in (
        (lambda draws, first: backend.kind_means(x, pool, KINDS, draws, first=first, **named), 0),
        (
            lambda draws, first: backend.kind_distances(
                x, pool, KINDS, centre, draws, first=first, **named
            ),
            # Where sets are put together, the centre is one amid those of this call.
            1e-9,
        ),
        (
            lambda draws, first: (
                backend.random_subsets([30, 9], [4, 2], draws, seed=3, stream=1, first=first).T
            ),
            0,
        ),
    ):
        np.testing.assert_allclose(call(11, 23), call(60, 0)[:, 23:34], rtol=rtol)


def test_draws_of_the_processor_are_the_same_bits(cpu, rng):
    x = unit(rng, 100, 12, np.float32)
    pool, centre, named = pool_of(rng, 100), np.zeros(12), {"seed": 3, "streams": STREAMS}
    whole = cpu.kind_distances(x, pool, KINDS, centre, 60, **named)
    part = cpu.kind_distances(x, pool, KINDS, centre, 11, first=23, **named)
    np.testing.assert_array_equal(part, whole[:, 23:34])


def test_nothing_depends_on_threads(backend, rng, by_threads):
    x = unit(rng, 100, 12, np.float32)
    pool, centre, named = pool_of(rng, 100), np.zeros(12), {"seed": 3, "streams": STREAMS}
    for call in (
        lambda: backend.kind_means(x, pool, KINDS, 70, **named),
        lambda: backend.kind_distances(x, pool, KINDS, centre, 70, **named),
    ):
        first, *others = by_threads(call)
        for other in others:
            np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("far", [1e-25, 1e25])
def test_distances_of_any_size(backend, rng, far):
    """Squares that leave the range of float32, and rows that nearly coincide."""
    x = rng.normal(size=(100, 20)).astype(np.float32)
    x[50:] = x[:50] * np.float32(1 + 1e-4)
    x *= np.float32(far)
    pool, named = [np.arange(100)], {"seed": 3, "streams": [0]}
    got, expected = (
        run.kind_distances(x, pool, [((0,), (60,))], np.zeros(20), 4, **named)
        for run in (backend, reference)
    )
    np.testing.assert_allclose(got, expected, rtol=4e-6)


@pytest.mark.parametrize(
    ("pool", "kinds", "streams", "words"),
    [
        ([[0, 1, 2]], [((0,), (4,))], [0], "cannot take 4 rows of the 3"),
        ([[0, 1, 2]], [((0,), (0,))], [0], "cannot take 0"),
        ([[0, 1, 2]], [((0,), (1,))], [0], "a set of kind 0 has 1 rows"),
        ([[0, 1, 2]], [((1,), (2,))], [0], "stratum 1 of 1"),
        ([[0, 1, 2]], [((0, 0), (2, 2))], [0], "each of its strata once"),
        ([[0, 1, 2]], [((0,), (2, 2))], [0], "each of its strata once"),
        ([[0, 1, 9]], [((0,), (2,))], [0], r"pool\[0\]"),
        ([[0, 1, 2]], [((0,), (2,))], [0, 1], "1 strata, but 2 streams"),
        ([[0, 1, 2]], [((0,), (2,))], [-1], "stream must be"),
    ],
)
def test_sets_that_cannot_be_drawn(backend, rng, pool, kinds, streams, words):
    x = unit(rng, 5, 3, np.float32)
    pool = [np.array(part) for part in pool]
    with pytest.raises(InputError, match=words):
        backend.kind_means(x, pool, kinds, 1, seed=0, streams=streams)
    with pytest.raises(InputError, match=words):
        backend.kind_distances(x, pool, kinds, np.zeros(3), 1, seed=0, streams=streams)


def test_a_centre_that_is_none(backend, rng):
    x = unit(rng, 5, 3, np.float32)
    for centre in (np.zeros(2), np.array([0, np.nan, 0])):
        with pytest.raises(InputError, match="centre must be 3 finite numbers"):
            backend.kind_distances(
                x, [np.arange(5)], [((0,), (2,))], centre, 1, seed=0, streams=[0]
            )
