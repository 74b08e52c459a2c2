"""What is left of batches in aligned wells, and what of perturbations."""

from dataclasses import dataclass

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.metrics.labelled import LabelledWells
from wellgram.metrics.mixing import kbet, lisi, nearest_with_self, scaled_lisi, silhouettes
from wellgram.metrics.penalties import fitted, standardized
from wellgram.nulls import random_subsets, stream_of
from wellgram.pairs import unit_embeddings

_SHRINKAGE = 0.1
_NEIGHBORS = 90
"""Of each well, itself included: a perplexity of 30"""
_KBET_NEIGHBORS = 50


@dataclass(frozen=True)
class Similarities:
    """Mean cosines of pairs of wells of one kind (such as one cell type)."""

    same_perturbation: float
    """Of the same perturbation, in different batches"""
    same_batch: float
    """Of different perturbations, in the same batch"""


def similarities(rows: Rows, perturbation: Codes, batch: Codes, kind: Codes) -> Similarities:
    """Return how alike wells are that share their perturbation alone, or their batch alone.

    The cosines of all pairs of a set of unit rows add up to ``|sum|^2``; so sums over batches,
    perturbations, and both say it all, and no pair is made. NaN where there is no such pair.

    Parameters
    ----------
    rows
        (n, d).
    perturbation, batch, kind
        (n,): codes from 0. Pairs are of one kind.
    """
    unit = unit_embeddings(rows)
    run = get_backend()
    treated = perturbation + kind * (int(perturbation.max()) + 1)
    batch = np.unique(batch + kind * (int(batch.max()) + 1), return_inverse=True)[1]
    treated = np.unique(treated, return_inverse=True)[1]
    whole = _squared(*run.group_sums(unit, treated, int(treated.max()) + 1))
    of_batch = _squared(*run.group_sums(unit, batch, int(batch.max()) + 1))
    both = np.zeros(2)
    for b in range(int(batch.max()) + 1):  # sums of all cells at once might not fit
        some = np.flatnonzero(batch == b)
        cells = np.unique(treated[some], return_inverse=True)[1]
        both += _squared(*run.group_sums(unit[some], cells, int(cells.max()) + 1))
    return Similarities(_mean(whole - both), _mean(of_batch - both))


def batch_accuracy(rows: Rows, batch: Codes, *, seed: int = 0) -> float:
    """Return how often a well's batch is told from its embedding: less is better.

    Half of the wells of each batch, drawn at random, are fitted on by linear discriminants
    (shrinkage 0.1), the other half tested: the mean over batches of the share told right.

    Parameters
    ----------
    rows
        (n, d).
    batch
        (n,): codes from 0, each of two wells at least.
    seed
        Of the halves.
    """
    train = np.zeros(len(rows), bool)
    for b in range(int(batch.max()) + 1):
        members = np.flatnonzero(batch == b)
        half = random_subsets(
            len(members), len(members) // 2, 1, seed=seed, stream=stream_of("half", b)
        )[0]
        train[members[half]] = True
    test = np.flatnonzero(~train)
    x, others = standardized(rows, np.flatnonzero(train), test)
    probe = fitted(x, batch[train], int(batch.max()) + 1, "lda", _SHRINKAGE)
    right = probe.predict(others) == batch[test]
    return float((np.bincount(batch[test], weights=right) / np.bincount(batch[test])).mean())


def mixing(rows: Rows, perturbation: Codes, batch: Codes, kind: Codes) -> dict[str, float]:
    """Return how batches and perturbations mix among neighbours, by cosine.

    Keys: ``kbet`` (share of neighbourhoods accepted), ``ilisi`` (batches, scaled to 0 to 1),
    ``silhouette_batch`` (mean of 1 - |silhouette| of batches), each within a kind and averaged over
    kinds that have two batches; ``clisi`` (perturbations, scaled so that 1 is one perturbation
    only) and ``silhouette_label`` ((1 + mean silhouette) / 2) over all rows. All are better the
    larger. As `wellgram.metrics.mixing` has them, on rows of length 1; NaN where there is nothing
    to compare.

    Parameters
    ----------
    rows
        (n, d).
    perturbation, batch, kind
        (n,): codes from 0.
    """
    unit = unit_embeddings(rows)
    found: dict[str, list[float]] = {"kbet": [], "ilisi": [], "silhouette_batch": []}
    for k in np.unique(kind):
        own = kind == k
        batches = np.unique(batch[own], return_inverse=True)[1]
        if batches.max() == 0 or own.sum() < 8:
            continue
        for name, value in batch_mixing(unit[own], batches).items():
            found[name].append(value)
    labels = np.unique(perturbation, return_inverse=True)[1]
    near, apart = nearest_with_self(unit, min(_NEIGHBORS, len(unit)))
    return {
        name: float(np.mean(values)) if values else np.nan for name, values in found.items()
    } | {
        "clisi": 1 - scaled_lisi(lisi(near, apart, labels), labels),
        "silhouette_label": (1 + float(silhouettes(unit, labels).mean())) / 2,
    }


def batch_mixing(unit: Rows, batch: Codes) -> dict[str, float]:
    """Return how batches mix among neighbours: ``kbet``, ``ilisi``, ``silhouette_batch``.

    Parameters
    ----------
    unit
        (n, d): rows of length 1, eight at least.
    batch
        (n,): codes from 0, of which each is there, and two at least.
    """
    near, apart = nearest_with_self(unit, min(_NEIGHBORS, len(unit)))
    return {
        "kbet": kbet(near[:, :_KBET_NEIGHBORS], batch),
        "ilisi": scaled_lisi(lisi(near, apart, batch), batch),
        "silhouette_batch": float((1 - np.abs(silhouettes(unit, batch))).mean()),
    }


def some_wells(labelled: LabelledWells, most: int, *, seed: int = 0) -> Codes:
    """Return so many of the wells that are told apart, or all: drawn at random, in order."""
    used = np.flatnonzero(labelled.used)
    if len(used) <= most:
        return used
    drawn = random_subsets(len(used), most, 1, seed=seed, stream=stream_of("mixing"))[0]
    return np.sort(used[drawn])


def _squared(sums: Floats, counts: Codes) -> Floats:
    """Return the sum of the cosines of all ordered pairs, and their number, themselves included."""
    return np.array([np.square(sums).sum(), np.square(counts.astype(np.float64)).sum()])


def _mean(pairs: Floats) -> float:
    return float(np.clip(pairs[0] / pairs[1], -1, 1)) if pairs[1] > 0 else np.nan
