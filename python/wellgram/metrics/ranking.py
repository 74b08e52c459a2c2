"""Average precision and ROC AUC of lists of scores; ties as scikit-learn."""

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats

Scores = NDArray[np.floating]


def pooled_scores(positive: Scores, negative: Scores) -> tuple[Floats, Floats]:
    """Return average precision and ROC AUC of lists too long to compare all with all.

    Parameters
    ----------
    positive, negative
        (p,) and (draws, n): a list of the same positives for each draw; a NaN is not in its list.
    """
    high = np.sort(positive[~np.isnan(positive)])
    precision, auc = np.full((2, len(negative)), np.nan)
    among = len(high) - np.searchsorted(high, high, side="left")
    for draw, scores in enumerate(negative):
        low = np.sort(scores[~np.isnan(scores)])
        if not len(high) or not len(low):
            continue
        first = np.searchsorted(low, high, side="left")
        last = first.copy()
        tied = low[np.minimum(first, len(low) - 1)] == high
        last[tied] = np.searchsorted(low, high[tied], side="right")
        up_to, above = len(low) - first, len(low) - last
        precision[draw] = (among / (among + up_to)).mean()
        auc[draw] = 1 - (up_to + above).mean() / 2 / len(low)
    return precision, auc


def precision_by_positives(starts: NDArray[np.integer], above: NDArray[np.integer]) -> Floats:
    """Return the average precision of lists whose positives are known, ties in their favour.

    Parameters
    ----------
    starts
        (e + 1,): the positives of list e, the least first, are those from ``starts[e]`` on. Each
        has one.
    above
        (m,) how many negatives are above each positive.
    """
    count = np.diff(starts)
    t = np.repeat(starts[1:], count) - np.arange(len(above))
    return np.add.reduceat(t / (t + above), starts[:-1]) / count


def precision_by_negatives(
    starts: NDArray[np.integer], up_to: NDArray[np.integer], positives: NDArray[np.integer]
) -> Floats:
    """Return the same where negatives are known: for each how many positives are not below it.

    After c negatives, the positives from the (a + 1)-th to the b-th add ``t / (t + c)`` each, that
    is ``(b - a) - c (H(b + c) - H(a + c))`` in all, H the harmonic numbers.
    """
    count = np.diff(starts)
    c = np.repeat(starts[1:], count) - np.arange(len(up_to)) - 1
    before = np.append(up_to[1:], 0)
    before[starts[1:] - 1] = 0
    harmonic = _harmonic(int((positives + count).max()))

    def run(a: NDArray[np.integer], b: NDArray[np.integer], c: NDArray[np.integer]) -> Floats:
        return np.asarray((b - a) - c * (harmonic[b + c] - harmonic[a + c]))

    among = np.add.reduceat(run(before, up_to, c), starts[:-1])
    return np.asarray((among + run(up_to[starts[:-1]], positives, count)) / positives)


def expected_by_positives(
    starts: NDArray[np.integer], above: NDArray[np.integer], up_to: NDArray[np.integer]
) -> Floats:
    """Return the expected average precision of lists over random orders of what ties.

    Parameters
    ----------
    starts
        (e + 1,): the positives of list e, the least first, are those from ``starts[e]`` on. Each
        has one.
    above, up_to
        (m,) how many negatives are above each positive, and how many are not below it.
    """
    count = np.diff(starts)
    t = np.repeat(starts[1:], count) - np.arange(len(above))
    terms = t / (t + above)
    tied = np.flatnonzero(up_to > above)
    if len(tied):
        # Positives that tie with the same negatives follow each other, the last of them on top.
        owner = np.repeat(np.arange(len(count)), count)[tied]
        first = np.flatnonzero(_begins(owner, above[tied]))
        positives = np.diff(np.append(first, len(tied)))
        before = t[tied[first + positives - 1]] - 1
        negatives = up_to[tied[first]] - above[tied[first]]
        sums = _expected_of_ties(before, above[tied[first]], positives, negatives)
        terms[tied] = np.repeat(sums / positives, positives)
    return np.asarray(np.add.reduceat(terms, starts[:-1]) / count)


def expected_by_negatives(
    starts: NDArray[np.integer],
    above: NDArray[np.integer],
    up_to: NDArray[np.integer],
    positives: NDArray[np.integer],
) -> Floats:
    """Return the same where negatives are known.

    Parameters
    ----------
    starts
        (e + 1,): the negatives of list e, the least first, are those from ``starts[e]`` on.
    above, up_to
        (m,) how many positives are above each negative, and how many are not below it.
    positives
        (e,) how many positives each list has.
    """
    count = np.diff(starts)
    c = np.repeat(starts[1:], count) - np.arange(len(up_to)) - 1
    owner = np.repeat(np.arange(len(count)), count)
    # Negatives that tie with the same positives are one step; every other one is a step by itself.
    tied = up_to > above
    first = np.flatnonzero(_begins(owner, above) | ~tied | ~np.append(False, tied[:-1]))
    last = np.append(first[1:], len(up_to)) - 1
    owner, above, up_to = owner[first], above[first], up_to[first]
    negatives, c = last - first + 1, c[last]
    before = np.append(up_to[1:], 0)
    before[np.append(owner[1:] != owner[:-1], True)] = 0
    harmonic = _harmonic(int((positives + count).max()))

    def run(a: NDArray[np.integer], b: NDArray[np.integer], c: NDArray[np.integer]) -> Floats:
        return np.asarray((b - a) - c * (harmonic[b + c] - harmonic[a + c]))

    sums = run(before, above, c)
    step = np.flatnonzero(up_to > above)
    sums[step] += _expected_of_ties(
        above[step], c[step], up_to[step] - above[step], negatives[step]
    )
    ends = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    whole = np.add.reduceat(sums, ends) + run(up_to[ends], positives, count)
    return np.asarray(whole / positives)


def _begins(owner: NDArray[np.integer], value: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return where a run of the same owner and value begins."""
    changes = (owner[1:] != owner[:-1]) | (value[1:] != value[:-1])
    return np.append(np.ones(min(1, len(owner)), bool), changes)


def _expected_of_ties(
    positives_above: NDArray[np.integer],
    negatives_above: NDArray[np.integer],
    positives: NDArray[np.integer],
    negatives: NDArray[np.integer],
) -> Floats:
    """Return what the positives of ties add to the sum of precisions, in expectation.

    After a positives and c of all, p positives and n negatives tie, m of both. The i-th of a random
    order is a positive with probability p / m, and then (i - 1) (p - 1) / (m - 1) positives are
    expected before it (McSherry and Najork 2008). The sum over i has a closed form in harmonic
    numbers.
    """
    a, p = positives_above.astype(np.float64), positives.astype(np.float64)
    m = positives + negatives
    c = positives_above + negatives_above
    harmonic = _harmonic(int((c + m).max(initial=0)))
    ratio = (p - 1) / np.maximum(m - 1, 1)
    whole = (a + 1 - ratio * (c + 1)) * (harmonic[c + m] - harmonic[c]) + ratio * m
    return np.asarray(p / m * whole)


def _harmonic(most: int) -> Floats:
    """Return the harmonic numbers from the 0-th on."""
    return np.cumsum(np.append(0.0, 1 / np.arange(1, most + 1)))


def chance_precision(positives: NDArray[np.integer], total: NDArray[np.integer]) -> Floats:
    """Return the expected average precision of a random ranking.

    ``(H + (p - 1) / (n - 1) (n - H)) / n`` for p positives among n, H the n-th harmonic number.
    """
    p, n = np.asarray(positives, np.float64), np.asarray(total, np.float64)
    harmonic = _harmonic(int(n.max(initial=1)))[n.astype(int)]
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = np.where(n > 1, (p - 1) / (n - 1), 0.0)
    return np.asarray((harmonic + rest * (n - harmonic)) / n)
