"""How well batches, or classes, mix among neighbours: kBET, LISI and silhouettes.

As ``scib_metrics`` 0.5 defines them, whose figures these have for the same neighbours; distances
are Euclidean. On rows of length 1, where a cosine of c is a distance of ``sqrt(2 - 2 c)``, they
follow from one pass over pairs.
"""

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.pairs import neighbors

_CHUNK_BYTES = 1 << 26
_TRIES = 50
_LISI_TOLERANCE = 1e-5


def nearest_with_self(x: Rows, k: int) -> tuple[Codes, Floats]:
    """Return each row and its k - 1 nearest others, by cosine, with distances: (n, k) each.

    Distances are those of the rows scaled to length 1.
    """
    found = neighbors(x, k - 1, farthest=0)
    own = np.arange(len(x))[:, None]
    apart = np.sqrt(np.maximum(2 - 2 * found.nearest_cosines.astype(np.float64), 0))
    return np.hstack([own, found.nearest]), np.hstack([np.zeros((len(x), 1)), apart])


def kbet(neighbors: Codes, batches: Codes, alpha: float = 0.05) -> float:
    """Return the share of neighbourhoods with batches in the proportions of all rows.

    By a chi-squared test of each, at level alpha (Buettner et al. 2019, without its adaptation):
    1 where batches mix, 0 where they lie apart.

    Parameters
    ----------
    neighbors
        (n, k): each row's neighbourhood, itself included.
    batches
        (n,): the batch of each row, codes from 0 of which each is there.
    alpha
        The level of the test.
    """
    from scipy.special import chdtrc

    expected = np.bincount(batches) / len(batches) * neighbors.shape[1]
    met = batches[neighbors]
    observed = np.stack([(met == b).sum(axis=1) for b in range(len(expected))], axis=1)
    statistics = (np.square(observed - expected) / expected).sum(axis=1)
    return float((chdtrc(len(expected) - 1, statistics) >= alpha).mean())


def lisi(neighbors: Codes, distances: Floats, codes: Codes) -> Floats:
    """Return the local inverse Simpson index of each row: about how many codes are around it.

    Neighbours weigh ``exp(-distance beta)``, beta such that their perplexity is a third of their
    number (Korsunsky et al. 2019); a row itself does not count. NaN where all weights vanish.

    Parameters
    ----------
    neighbors, distances
        (n, k): each row's neighbourhood, itself included, and how far away.
    codes
        (n,): the batch or class of each row, from 0.
    """
    n, k = neighbors.shape
    others = neighbors != np.arange(n)[:, None]
    weights = _weights(distances, others, np.floor(k / 3))
    met, count = codes[neighbors], int(codes.max()) + 1
    indices = np.empty(n)
    step = max(1, _CHUNK_BYTES // (8 * count))
    for first in range(0, n, step):
        rows = slice(first, first + step)
        size = len(met[rows])
        cell = (np.arange(size)[:, None] * count + met[rows]).ravel()
        shares = np.bincount(cell, weights=weights[rows].ravel(), minlength=size * count)
        indices[rows] = np.square(shares.reshape(size, count)).sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.where(indices > 0, 1 / indices, np.nan)


def scaled_lisi(index: Floats, codes: Codes) -> float:
    """Return the median index on a scale from 0, one code only, to 1, all codes alike (iLISI)."""
    return float((np.nanmedian(index) - 1) / (len(np.unique(codes)) - 1))


def _weights(distances: Floats, others: NDArray[np.bool_], perplexity: float) -> Floats:
    """Return weights (n, k) that add up to 1, of one perplexity, by bisection on beta."""
    n = len(distances)
    beta, low, high = np.ones(n), np.full(n, -np.inf), np.full(n, np.inf)
    weights, entropy = _by_distance(distances, others, beta)
    for _ in range(_TRIES):
        excess = entropy - np.log(perplexity)
        going = np.abs(excess) >= _LISI_TOLERANCE
        if not going.any():
            break
        up = excess > 0
        low, high = np.where(going & up, beta, low), np.where(going & ~up, beta, high)
        with np.errstate(invalid="ignore"):  # of two infinite ends, which are not taken
            grown = np.where(np.isinf(high), beta * 2, (beta + high) / 2)
            shrunk = np.where(np.isinf(low), beta / 2, (beta + low) / 2)
        beta = np.where(going, np.where(up, grown, shrunk), beta)
        weights, entropy = _by_distance(distances, others, beta)
    return weights


def _by_distance(
    distances: Floats, others: NDArray[np.bool_], beta: Floats
) -> tuple[Floats, Floats]:
    """Return weights and their entropy for each row's beta."""
    weights = np.where(others, np.exp(-distances * beta[:, None]), 0.0)
    total = weights.sum(axis=1)
    some = np.where(total > 0, total, 1.0)
    mean = (distances * weights).sum(axis=1) / some
    entropy = np.where(total > 0, np.log(some) + beta * mean, 0.0)
    return weights / some[:, None], entropy


def silhouettes(x: Rows, codes: Codes) -> Floats:
    """Return the silhouette (n,) of each row (Rousseeuw 1987), 0 for a class of one.

    ``(b - a) / max(a, b)``, with a the mean distance to the other rows of its class, and b the
    least mean distance to the rows of another. Distances are Euclidean, in float64, by chunks.

    Parameters
    ----------
    x
        (n, d).
    codes
        (n,): the class of each row; two classes at least.
    """
    codes = np.unique(codes, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    place = np.argsort(order)
    counts = np.bincount(codes)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rows = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    squares = np.square(rows).sum(axis=1)
    right, right_squares = rows[order].T, squares[order]
    found = np.empty(len(x))
    step = max(1, _CHUNK_BYTES // (8 * len(x)))
    for first in range(0, len(x), step):
        some = slice(first, first + step)
        apart = squares[some, None] + right_squares - 2 * (rows[some] @ right)
        np.sqrt(np.maximum(apart, 0, out=apart), out=apart)
        own = codes[some, None]
        apart[np.arange(len(apart)), place[some]] = 0  # a row itself, but for rounding
        sums = np.add.reduceat(apart, starts, axis=1)
        within = np.take_along_axis(sums, own, axis=1)[:, 0]
        means = sums / counts
        np.put_along_axis(means, own, np.inf, axis=1)
        between = means.min(axis=1)
        mates = counts[codes[some]] - 1
        within = within / np.maximum(mates, 1)
        with np.errstate(invalid="ignore"):
            value = (between - within) / np.maximum(within, between)
        found[some] = np.where((mates > 0) & np.isfinite(value), value, 0.0)
    return found
