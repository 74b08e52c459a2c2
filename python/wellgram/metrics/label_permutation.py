"""The null of a group's mean average precision by permuted labels.

Under the null, the profiles of a group are like its negatives of the same stratum, a batch for
example. So a random set with as many profiles of each stratum, drawn from both, scores as the group
would. The profiles of a group rank each other among the same negatives; so their average precisions
depend on each other, and on batch effects. This null has that dependence. Random rankings have not.

Cost: a matrix of similarities per group, of the profiles that may be exchanged by all that they are
ranked among; then draws x k^2 values for a group of k.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats
from wellgram.metrics.pairing import Rules
from wellgram.metrics.profile_ranks import ComparedProfiles
from wellgram.nulls import stream_of

_MOST_EXCHANGED = 2048
"""How many profiles of a stratum may be exchanged: the similarities of those are held"""
_MOST_RANKED = 1 << 15
"""How many profiles a group may be ranked among"""
_MANY = 25
"""With so many negatives for each profile of a group, its own profiles hardly matter to the null"""
_VALUES_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class LabelNull:
    """Null means (draws,) of a group, and its own mean by the same rankings."""

    means: Floats
    observed: float


@dataclass(frozen=True)
class _Ranked:
    """Similarities of profiles that may be exchanged (c,) to each other, and their ranks.

    `above` counts, of all negatives that row i may have, those more similar to it than column j.
    """

    similarity: Floats
    above: Codes


@dataclass(frozen=True)
class _Exchange:
    """A group of profiles (k,), and what it may be exchanged with."""

    members: Codes
    """Stratum after stratum"""
    others: Codes
    """What members are ranked among, beside each other"""
    counts: Codes
    """(s,): how many members are of each stratum"""
    pools: Sequence[Codes]
    """The others of each stratum"""
    positive: NDArray[np.bool_]
    """(k, k): which places of a set would be positives of each other"""
    negative: NDArray[np.bool_]
    """Which would be negatives if they were not in it"""
    key: tuple[int, ...]
    """What groups have in common that are alike in strata, and in what sets them apart"""

    def precision(self, places: Codes, ranked: _Ranked) -> float:
        """Return the mean average precision of the group, which lies at these places (k,)."""
        return float(_mean_precisions(places[None], ranked, self.positive, self.negative)[0])


class LabelPermutation:
    """Draws the null of the mean average precision of groups by permuting labels in strata.

    Parameters
    ----------
    compared
        The profiles (n,), as they are compared.
    metadata
        Their labels, one row each.
    rules
        Which pairs are positive and negative. No lists of labels, and none of any columns.
    group
        The columns that make a group.
    draws, seed
        How many sets are drawn for each group, and the seed.
    """

    def __init__(
        self,
        compared: ComparedProfiles,
        metadata: pd.DataFrame,
        rules: Rules,
        group: Sequence[str],
        draws: int,
        seed: int,
    ) -> None:
        self._compared, self._draws, self._seed = compared, draws, seed
        positive = [name for name in rules.pos_sameby.every if name not in group]
        between = dict.fromkeys([*positive, *rules.pos_diffby.every, *rules.neg_sameby.every])
        self._apart = [name for name in rules.neg_diffby.every if name not in between]
        columns = {name: _codes(metadata[name]) for name in (*between, *self._apart)}
        self._outside = np.stack([columns[name] for name in self._apart], axis=1)
        strata = np.stack(
            [np.zeros(len(metadata), np.int64), *(columns[k] for k in between)], axis=1
        )
        kinds, self._stratum = np.unique(strata, axis=0, return_inverse=True)
        self._stratum = self._stratum.ravel()
        place = {name: k + 1 for k, name in enumerate(between)}

        def related(same: Sequence[str], differ: Sequence[str]) -> NDArray[np.bool_]:
            allowed = np.ones((len(kinds), len(kinds)), bool)
            for name in same:
                allowed &= kinds[:, None, place[name]] == kinds[None, :, place[name]]
            for name in differ:
                allowed &= kinds[:, None, place[name]] != kinds[None, :, place[name]]
            return allowed

        self._positive = related(positive, rules.pos_diffby.every)
        differing = [name for name in rules.neg_diffby.every if name in between]
        self._negative = related(rules.neg_sameby.every, differing)
        self._nulls: dict[tuple[object, ...], Floats] = {}

    def __call__(self, members: Codes) -> LabelNull | None:
        """Return the null of a group of profiles (k,); None where it cannot be had.

        It cannot where members differ in what sets them apart from their negatives, or where there
        are too many profiles to exchange them with.
        """
        exchange = self._exchange(members)
        if exchange is None:
            return None
        sizes = np.array([len(pool) for pool in exchange.pools])
        if (sizes >= _MANY * exchange.counts).all():
            return self._among_negatives(exchange)
        if (sizes + exchange.counts > _MOST_EXCHANGED).any():
            return None
        return self._with_the_group(exchange)

    def _exchange(self, members: Codes) -> _Exchange | None:
        """Return what a group may be exchanged with; None where there is nothing, or too much."""
        apart = self._outside[members]
        if not len(self._apart) or (apart != apart[0]).any():
            return None
        others = np.flatnonzero((self._outside != apart[0]).all(axis=1))
        strata, counts = np.unique(self._stratum[members], return_counts=True)
        ranked_strata = np.flatnonzero(self._negative[strata].any(axis=0) | np.isin(
            np.arange(len(self._negative)), strata))  # fmt: skip
        others = others[np.isin(self._stratum[others], ranked_strata)]
        if not len(others) or len(others) + len(members) > _MOST_RANKED:
            return None
        pools = [others[self._stratum[others] == s] for s in strata]
        # A set, and the group in this order, have the profiles of a stratum beside each other.
        ordered = members[np.argsort(self._stratum[members], kind="stable")]
        place = np.repeat(strata, counts)
        positive, negative = (of[np.ix_(place, place)] for of in (self._positive, self._negative))
        key = (*strata.tolist(), *counts.tolist(), *apart[0].tolist())
        return _Exchange(ordered, others, counts, pools, positive, negative, key)

    def _among_negatives(self, exchange: _Exchange) -> LabelNull:
        """Return the null of sets of negatives alone, which groups alike in strata have in common.

        There are so many of them that it hardly matters that the group is not drawn too.
        """
        if exchange.key not in self._nulls:
            pools = [pool[:_MOST_EXCHANGED] for pool in exchange.pools]
            ranked = self._ranks(np.concatenate(pools), exchange.others)
            self._nulls[exchange.key] = self._drawn(exchange, pools, ranked)
        members = exchange.members
        ranked = self._ranks(members, np.append(members, exchange.others))
        return LabelNull(
            self._nulls[exchange.key], exchange.precision(np.arange(len(members)), ranked)
        )

    def _with_the_group(self, exchange: _Exchange) -> LabelNull:
        """Return the null of sets of negatives and the group together."""
        members = exchange.members
        own = np.split(members, np.cumsum(exchange.counts)[:-1])
        pools = [np.append(*pair) for pair in zip(own, exchange.pools, strict=True)]
        ranked = self._ranks(np.concatenate(pools), np.append(members, exchange.others))
        null = self._drawn(exchange, pools, ranked)
        places = np.concatenate(
            [
                first + np.arange(count)
                for first, count in zip(_starts(pools), exchange.counts, strict=True)
            ]
        )
        return LabelNull(null, exchange.precision(places, ranked))

    def _drawn(self, exchange: _Exchange, pools: Sequence[Codes], ranked: _Ranked) -> Floats:
        """Return the means (draws,) of random sets of the pools, one after another in `ranked`."""
        places = get_backend().random_subsets(
            [len(pool) for pool in pools],
            exchange.counts.tolist(),
            self._draws,
            seed=self._seed,
            stream=stream_of("labels", *exchange.key),
        )
        sets = places + np.repeat(_starts(pools), exchange.counts)
        return _mean_precisions(sets, ranked, exchange.positive, exchange.negative)

    def _ranks(self, exchanged: Codes, everyone: Codes) -> _Ranked:
        """Return similarities (c, c), and how many negatives of each row are above each."""
        similarity = self._compared.matrix(exchanged, everyone)
        place = np.full(len(self._stratum), -1)
        place[everyone] = np.arange(len(everyone))
        columns = place[exchanged]
        above = np.empty((len(exchanged), len(exchanged)), np.int64)
        among = self._stratum[everyone]
        for i, profile in enumerate(exchanged):
            allowed = self._negative[self._stratum[profile]][among]
            allowed[columns[i]] = False
            ordered = np.sort(similarity[i, allowed])
            above[i] = len(ordered) - np.searchsorted(ordered, similarity[i, columns], side="right")
        return _Ranked(similarity[:, columns], above)


def _starts(pools: Sequence[Codes]) -> Codes:
    """Return where each pool begins, one after another."""
    return np.cumsum([0, *(len(pool) for pool in pools)])[:-1]


def _mean_precisions(
    sets: Codes, ranked: _Ranked, positive: NDArray[np.bool_], negative: NDArray[np.bool_]
) -> Floats:
    """Return the mean average precision (draws,) of sets (draws, k) of exchanged profiles.

    `positive` and `negative` (k, k) say which places of a set would be positives of each other, and
    which would be negatives if they were not in it.
    """
    k = sets.shape[1]
    positive = positive & ~np.eye(k, dtype=bool)
    count = positive.sum(axis=1)
    step = max(1, _VALUES_AT_ONCE // (k * k))
    means = np.empty(len(sets))
    for first in range(0, len(sets), step):
        some = sets[first : first + step]
        similarity = ranked.similarity[some[:, :, None], some[:, None, :]]
        above = ranked.above[some[:, :, None], some[:, None, :]]
        similarity[:, np.arange(k), np.arange(k)] = -np.inf
        order = np.argsort(-similarity, axis=2, kind="stable")
        is_positive = np.take_along_axis(np.broadcast_to(positive, order.shape), order, axis=2)
        in_set = np.take_along_axis(
            np.broadcast_to(negative & ~np.eye(k, dtype=bool), order.shape), order, axis=2
        )
        t = np.cumsum(is_positive, axis=2)
        taken: Codes = np.cumsum(in_set, axis=2) - in_set
        negatives = np.take_along_axis(above, order, axis=2) - taken
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(is_positive, t / (t + negatives), 0).sum(axis=2) / count
        means[first : first + step] = precision[:, count > 0].mean(axis=1)
    return means


def _codes(values: "pd.Series[str]") -> Codes:
    return np.asarray(pd.factorize(values, use_na_sentinel=False)[0], np.int64)
