"""Intervals over genes: what they are by definition, and that they cover."""

import numpy as np
import pytest

from helpers.oracle import reference
from wellgram import InputError
from wellgram.metrics import gene_bootstrap
from wellgram.nulls import stream_of


def by_definition(hits, i, j, resamples, seed):
    """Draw genes one resample at a time and count every copy of every pair."""
    genes = np.unique(np.concatenate([i, j]))
    shares = []
    for r in range(resamples):
        times = reference.resample_counts(
            len(genes), 1, seed=seed, stream=stream_of("genes"), first=r
        )
        copies = dict(zip(genes, times[0], strict=True))
        weight = np.array([copies[a] * copies[b] for a, b in zip(i, j, strict=True)])
        if weight.sum():
            shares.append((weight * hits).sum() / weight.sum())
    return np.percentile(shares, [2.5, 97.5])


def test_intervals_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    i, j = rng.integers(0, 15, 40), rng.integers(15, 30, 40)
    hits = rng.random((2, 40)) < np.array([[0.3], [0.7]])
    got = gene_bootstrap(hits, i, j, resamples=100, seed=3)
    assert got.shape == (2, 2)
    for interval, hit in zip(got, hits, strict=True):
        np.testing.assert_allclose(interval, by_definition(hit, i, j, 100, 3), rtol=1e-12)


def test_more_resamples_than_a_batch_keep_their_seed():
    rng = np.random.default_rng(1)
    i, j = rng.integers(0, 50, 200), rng.integers(50, 99, 200)
    hits = rng.random((1, 200)) < 0.2
    first, again, other = (gene_bootstrap(hits, i, j, resamples=300, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert 0 <= first[0, 0] <= hits.mean() <= first[0, 1] <= 1


def test_intervals_cover_a_share_that_genes_decide():
    """Each gene has its own rate: an interval over pairs alone would be far too narrow.

    80 draws of a 95 % interval: fewer than 68 covering would be a chance below 1e-4.
    """
    covered, narrow = 0, 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        i, j = np.triu_indices(40, 1)
        rate = rng.uniform(-0.5, 0.5, 40)
        hits = rng.random(len(i)) < np.clip(0.5 + rate[i] + rate[j], 0, 1)
        low, high = gene_bootstrap(hits[None], i, j, resamples=200, seed=seed)[0]
        covered += low <= 0.5 <= high
        half = 1.96 * np.sqrt(0.25 / len(i))
        narrow += abs(hits.mean() - 0.5) <= half
    assert covered >= 68
    assert narrow < covered


def test_no_pairs_have_no_interval():
    nothing = np.empty(0, np.int64)
    got = gene_bootstrap(np.empty((2, 0), bool), nothing, nothing)
    assert np.isnan(got).all()
    assert got.shape == (2, 2)
    with pytest.raises(InputError, match="1 or more"):
        gene_bootstrap(np.ones((1, 1), bool), nothing, nothing, resamples=0)
