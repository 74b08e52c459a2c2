"""Nulls of all kinds of random sets, drawn from the same shuffles of each batch.

The shuffle of a batch is named by the batch alone. So the null of a kind depends on nothing but the
seed, the batches and how many wells it has of each; it is the same whichever other kinds there are,
wherever rows lie and whoever draws.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Codes, Floats, Kind, Progress, Rows
from wellgram.distributed import each, team
from wellgram.metrics.batch_strata import BatchKind, Strata
from wellgram.nulls import stratum_stream

_SCORES_AT_ONCE = 1 << 25
"""How many scores of random sets are held at a time"""
_BYTES_AT_ONCE = 1 << 29
"""How large the rows may be that are taken together where not all are at hand"""
_PARTS_PER_THREAD = 2
"""Into how many parts draws are cut for each thread of a cluster"""


@dataclass(frozen=True)
class RandomSets:
    """Random sets of several kinds, as `Backend.kind_means` takes them."""

    pool: Sequence[Codes]
    kinds: Sequence[Kind]
    streams: Sequence[int]
    seed: int
    draws: int
    first: int = 0
    """The number of the first draw"""


SetScores = Callable[[Rows, RandomSets, Progress | None], Floats]
"""Returns the scores (kinds, draws) of random sets of rows"""


def set_means(x: Rows, sets: RandomSets, progress: Progress | None) -> Floats:
    """Return the mean cosines of all pairs of each set: see `Backend.kind_means`."""
    return get_backend().kind_means(
        x,
        sets.pool,
        sets.kinds,
        sets.draws,
        seed=sets.seed,
        streams=sets.streams,
        first=sets.first,
        progress=progress,
    )


@dataclass(frozen=True)
class SetDistances:
    """Returns the sum of the distances of all pairs of each set: see `Backend.kind_distances`."""

    centre: Floats

    def __call__(self, x: Rows, sets: RandomSets, progress: Progress | None) -> Floats:
        """Return the sums (kinds, draws)."""
        return get_backend().kind_distances(
            x,
            sets.pool,
            sets.kinds,
            self.centre,
            sets.draws,
            seed=sets.seed,
            streams=sets.streams,
            first=sets.first,
            progress=progress,
        )


@dataclass(frozen=True)
class SetRows:
    """The rows that random sets are drawn of: all of them at hand, or some made at a time."""

    at_hand: Rows | None
    some: Callable[[Codes], Rows]
    """Returns the rows of some wells"""
    row_bytes: int


@dataclass(frozen=True)
class SharedDraws:
    """Kinds of sets that are drawn together, of the batches that they have wells of."""

    kinds: Sequence[BatchKind]
    strata: Strata

    @classmethod
    def groups(
        cls, kinds: Sequence[BatchKind], strata: Strata, draws: int, most_rows: int | None
    ) -> "list[SharedDraws]":
        """Group kinds so that their scores can be held, and, if asked, the rows of their batches.

        Kinds of the same batches come together.
        """
        groups: list[list[BatchKind]] = []
        held: set[int] = set()
        rows = 0
        for kind in sorted(kinds, key=lambda kind: kind.batches):
            more = [b for b in kind.batches if b not in held]
            added = sum(len(strata[b]) for b in more)
            full = groups and (
                (len(groups[-1]) + 1) * draws > _SCORES_AT_ONCE
                or (most_rows is not None and rows + added > most_rows)
            )
            if full or not groups:
                groups.append([])
                held, rows, more = set(), 0, list(kind.batches)
                added = sum(len(strata[b]) for b in more)
            groups[-1].append(kind)
            held.update(more)
            rows += added
        return [cls(group, strata) for group in groups]

    @property
    def batches(self) -> list[int]:
        """The batches that are drawn from."""
        return sorted({b for kind in self.kinds for b in kind.batches})

    @property
    def pool(self) -> list[Codes]:
        """The wells of each."""
        return [self.strata[b] for b in self.batches]

    @property
    def streams(self) -> list[int]:
        """The stream of the shuffle of each."""
        return [
            0 if self.strata.whole else stratum_stream([self.strata.names[b]], [0])
            for b in self.batches
        ]

    @property
    def wanted(self) -> list[Kind]:
        """The kinds, by the places of their batches among those."""
        place = {b: i for i, b in enumerate(self.batches)}
        return [(tuple(place[b] for b in kind.batches), kind.counts) for kind in self.kinds]

    def sets(self, draws: int, seed: int) -> RandomSets:
        """Return the sets of so many draws."""
        return RandomSets(self.pool, self.wanted, self.streams, seed, draws)

    def places(self, first: int, draws: int, seed: int) -> list[Codes]:
        """Return the places (draws, most) drawn of the wells of each batch, from a draw on."""
        most = np.zeros(len(self.batches), np.int64)
        for batches, counts in self.wanted:
            np.maximum.at(most, np.asarray(batches), np.asarray(counts))
        return [
            get_backend().random_subsets(
                [len(wells)], [count], draws, seed=seed, stream=stream, first=first
            )
            for wells, count, stream in zip(self.pool, most.tolist(), self.streams, strict=True)
        ]

    def sums_of(self, values: Floats, draws: int, seed: int) -> Floats:
        """Return the sums (kinds, draws) of a number of each well over the sets of each kind."""
        found = np.zeros((len(self.kinds), draws))
        wanted = self.wanted
        for b, (wells, places) in enumerate(
            zip(self.pool, self.places(0, draws, seed), strict=True)
        ):
            running = np.cumsum(values[wells[places]], axis=1)
            for k, (batches, counts) in enumerate(wanted):
                if b in batches:
                    found[k] += running[:, counts[batches.index(b)] - 1]
        return found


def shared_scores(
    score: SetScores,
    rows: SetRows,
    strata: Strata,
    kinds: Sequence[BatchKind],
    draws: int,
    seed: int,
    progress: Progress | None = None,
) -> Iterator[tuple[SharedDraws, Floats]]:
    """Yield kinds of sets, and the scores (kinds, draws) of random sets of each."""
    most_rows = None if rows.at_hand is not None else max(1, _BYTES_AT_ONCE // rows.row_bytes)
    groups = SharedDraws.groups(kinds, strata, draws, most_rows)
    for done, group in enumerate(groups):
        share = part_of(progress, done / len(groups), 1 / len(groups))
        sets = group.sets(draws, seed)
        if rows.at_hand is not None:
            yield group, _of_rows_at_hand(score, rows.at_hand, sets, share)
        else:
            yield group, _of_some_rows(score, rows.some, group, sets, most_rows or 1, share)


def _of_rows_at_hand(
    score: SetScores, x: Rows, sets: RandomSets, progress: Progress | None
) -> Floats:
    """Return the scores of sets of rows that are at hand; the workers of a cluster share draws."""
    workers = team()
    if workers is None:
        return score(x, sets, progress)
    step = -(-sets.draws // (_PARTS_PER_THREAD * workers.threads))
    parts = [(first, min(step, sets.draws - first)) for first in range(0, sets.draws, step)]
    scores = list(each(_part, parts, shared=(score, x, sets), progress=progress))
    return np.concatenate(scores, axis=1)


def _part(
    part: tuple[int, int],
    score: SetScores,
    x: Rows,
    sets: RandomSets,
    progress: Progress | None = None,
) -> Floats:
    first, draws = part
    return score(x, replace(sets, first=first, draws=draws), progress)


def _of_some_rows(
    score: SetScores,
    some: Callable[[Codes], Rows],
    group: SharedDraws,
    sets: RandomSets,
    most_rows: int,
    progress: Progress | None,
) -> Floats:
    """Return the scores where rows are made: those of all wells, or of those that are drawn."""
    wells = np.unique(np.concatenate(sets.pool))
    if len(wells) <= most_rows:
        at = [np.searchsorted(wells, part) for part in sets.pool]
        return score(some(wells), replace(sets, pool=at), progress)
    scores = []
    drawn_rows = sum(places.shape[1] for places in group.places(0, 1, sets.seed))
    step = max(1, most_rows // drawn_rows)
    for first in range(0, sets.draws, step):
        count = min(step, sets.draws - first)
        drawn = [
            part[np.unique(places)]
            for part, places in zip(sets.pool, group.places(first, count, sets.seed), strict=True)
        ]
        wells = np.unique(np.concatenate(drawn))
        # Wells that are not drawn have the place of some that is: their rows are not looked at.
        at = [np.minimum(np.searchsorted(wells, part), len(wells) - 1) for part in sets.pool]
        share = part_of(progress, first / sets.draws, count / sets.draws)
        scores.append(score(some(wells), replace(sets, pool=at, first=first, draws=count), share))
    return np.concatenate(scores, axis=1)
