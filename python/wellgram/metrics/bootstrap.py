"""Confidence intervals of a share of pairs, by resampling the genes that the pairs share."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import InputError

LEVEL = 0.95


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
        If resamples is not positive.
    """
    if resamples < 1:
        raise InputError(f"resamples must be 1 or more, not {resamples}")
    if not hits.shape[1]:
        return np.full((len(hits), 2), np.nan)
    genes, ends = np.unique(np.concatenate([i, j]), return_inverse=True)
    g, (first, second) = len(genes), np.split(ends, 2)
    rng = np.random.Generator(np.random.Philox(seed))
    tails = (50 * (1 - LEVEL), 50 * (1 + LEVEL))
    parts = []
    batch = 128  # few enough for the weights of all genes to stay in cache
    for begin in range(0, resamples, batch):
        size = min(batch, resamples - begin)
        drawn = rng.integers(g, size=(size, g)) + np.arange(size)[:, None] * g
        weights = np.bincount(drawn.ravel(), minlength=size * g).reshape(size, g).T
        weights = np.ascontiguousarray(weights, np.float64)
        counts = [
            np.einsum("gb,gb->b", weights, _pairs(chosen, first, second, g) @ weights)
            for chosen in (np.ones(len(i), bool), *hits)
        ]
        parts.append(np.array(counts))
    total, *hit = np.concatenate(parts, axis=1)
    # A resample that drew no pair says nothing; its share is left out.
    shares = np.array(hit)[:, total > 0] / total[total > 0]
    if not shares.shape[1]:
        return np.full((len(hits), 2), np.nan)
    intervals: Floats = np.percentile(shares, tails, axis=1).T
    return intervals


def _pairs(chosen: NDArray[np.bool_], i: Codes, j: Codes, genes: int) -> sparse.csr_array:
    ones = np.ones(int(chosen.sum()))
    return sparse.csr_array((ones, (i[chosen], j[chosen])), shape=(genes, genes))
