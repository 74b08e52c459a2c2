"""Confidence intervals: Wilson's of shares, and by resampling the genes that pairs share."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from wellgram.backends import get_backend
from wellgram.backends.checks import check_draws
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import InputError
from wellgram.nulls import stream_of

LEVEL = 0.95
_AT_ONCE = 128
"""How many resamples are held at a time: few enough for all genes' weights to stay in cache"""


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """Return Wilson's score interval of a share of independent items, 95 %.

    Resampling would give no interval to a share of 0 or 1; Wilson's score interval does.
    """
    from scipy.stats import binomtest

    ends = binomtest(hits, count).proportion_ci(LEVEL, method="wilson")
    return float(ends.low), float(ends.high)


def gene_bootstrap(
    hits: NDArray[np.bool_], i: Codes, j: Codes, *, resamples: int = 1000, seed: int = 0
) -> Floats:
    """Return percentile intervals of the shares of hits among pairs of genes: (h, 2), 95 %.

    Genes are drawn with replacement, and a pair counts as often as its two genes were drawn, one
    times the other (the vertex bootstrap of Snijders and Borgatti 1999). Pairs of one gene depend
    on each other, which an interval over pairs would leave out: it would be too narrow.

    Parameters
    ----------
    hits
        (h, m): which pairs are hits, for each of h questions about the same pairs.
    i, j
        (m,): the genes of each pair.
    resamples
        How many times genes are drawn.
    seed
        The same seed gives the same draws, and the same genes for every question.

    Raises
    ------
    InputError
        If resamples is not positive, or the seed is no whole number.
    """
    return interval(gene_resamples(hits, i, j, resamples=resamples, seed=seed))


def gene_resamples(
    hits: NDArray[np.bool_], i: Codes, j: Codes, *, resamples: int, seed: int = 0
) -> Floats:
    """Return the shares of hits in each resample of genes: (h, r), see `gene_bootstrap`.

    A resample that drew no pair says nothing, and is left out.
    """
    check_whole(resamples, "resamples")
    if resamples < 1:
        raise InputError(f"resamples must be 1 or more, not {resamples}")
    if not hits.shape[1]:
        return np.empty((len(hits), 0))
    check_draws(resamples, 8 * (len(hits) + 1))
    genes, ends = np.unique(np.concatenate([i, j]), return_inverse=True)
    g, (first, second) = len(genes), np.split(ends, 2)
    run, stream = get_backend(), stream_of("genes")
    parts = []
    for begin in range(0, resamples, _AT_ONCE):
        size = min(_AT_ONCE, resamples - begin)
        drawn = run.resample_counts(g, size, seed=seed, stream=stream, first=begin)
        weights = np.ascontiguousarray(drawn.T, np.float64)
        counts = [
            np.einsum("gb,gb->b", weights, _pairs(chosen, first, second, g) @ weights)
            for chosen in (np.ones(len(i), bool), *hits)
        ]
        parts.append(np.array(counts))
    total, *hit = np.concatenate(parts, axis=1)
    return np.asarray(np.array(hit)[:, total > 0] / total[total > 0])


def item_resamples(scores: ArrayLike, *, resamples: int, seed: int = 0) -> Floats:
    """Return the mean score (r,) of each resample of items, given the score of each (m,)."""
    values = np.asarray(scores, np.float64)
    drawn = get_backend().resample_counts(
        len(values), resamples, seed=seed, stream=stream_of("items")
    )
    return np.asarray(drawn @ values / len(values))


def item_bootstrap(scores: ArrayLike, *, resamples: int, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile interval of a mean over items, by resampling them.

    NaN where there are fewer than two items, or no resamples.
    """
    check_whole(resamples, "resamples")
    if resamples < 1 or len(np.asarray(scores)) < 2:
        return np.nan, np.nan
    drawn = item_resamples(scores, resamples=resamples, seed=seed)
    low, high = interval(drawn).tolist()
    return low, high


def interval(resampled: Floats) -> Floats:
    """Return the ends (..., 2) of the middle 95 % of resampled figures (..., r); NaN for none."""
    if not resampled.shape[-1]:
        return np.full((*resampled.shape[:-1], 2), np.nan)
    tails = (50 * (1 - LEVEL), 50 * (1 + LEVEL))
    return np.moveaxis(np.percentile(resampled, tails, axis=-1), 0, -1)


def _pairs(chosen: NDArray[np.bool_], i: Codes, j: Codes, genes: int) -> sparse.csr_array:
    ones = np.ones(int(chosen.sum()))
    return sparse.csr_array((ones, (i[chosen], j[chosen])), shape=(genes, genes))
