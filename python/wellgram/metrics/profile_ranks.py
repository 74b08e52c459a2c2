"""Average precision of rankings that are never made: the few are listed, the many counted."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Backend, Codes, Floats, Progress, Rows
from wellgram.metrics.pairing import PairingUnion, Pairs, joint_codes
from wellgram.metrics.ranking import (
    expected_by_negatives,
    expected_by_positives,
    precision_by_negatives,
    precision_by_positives,
)

Ties = Literal["expected", "first"]
"""Among equal similarities: the expectation over their order, or positives first"""

_PAIRS_AT_ONCE = 1 << 20
_LONG_LIST = 64  # values, of which a sort takes longer than its call
"""How many pairs are listed at a time"""


def next_below(values: Floats, dtype: "np.dtype[Any]") -> Floats:
    """Return the next smaller numbers of a type."""
    least: Floats = np.nextafter(values.astype(dtype), dtype.type(-np.inf)).astype(np.float64)
    return least


class Comparison(Protocol):
    """How profiles are compared."""

    def pairs(self, i: Codes, j: Codes) -> Floats:
        """Return the similarities (m,) of profiles j to profiles i."""

    def before(self, values: Floats, profiles: Codes) -> Floats:
        """Return the similarity (m,) that a partner must exceed to be ranked before each of these.

        `profiles` is whom each of them is similar to.
        """

    def up_to(self, values: Floats, profiles: Codes) -> Floats:
        """Return the same of a partner that is ranked before each of these, or equal to it."""

    def counts_above(
        self,
        i: Codes,
        j: Codes,
        starts: Codes,
        values: Floats,
        own: NDArray[np.int32],
        other: NDArray[np.int32],
    ) -> Codes:
        """See `Backend.rank_counts`: of profiles j, how many are above each value of i."""


class ComparedProfiles(Comparison, Protocol):
    """Profiles that can also be compared all with all."""

    def matrix(self, i: Codes, j: Codes) -> Floats:
        """Return the similarities (m, k) of profiles j to profiles i."""


@dataclass(frozen=True)
class Compared:
    """Rows whose products, of one of x and one of y, say how similar profiles are to that of x."""

    run: Backend
    x: Rows
    y: Rows
    absolute: bool = False

    def pairs(self, i: Codes, j: Codes) -> Floats:
        """See `Comparison.pairs`."""
        products = self.run.pair_cosines(self.x, i, j, self.y).astype(np.float64)
        return np.abs(products) if self.absolute else products

    def matrix(self, i: Codes, j: Codes) -> Floats:
        """See `ComparedProfiles.matrix`."""
        products = np.asarray(self.x[i] @ self.y[j].T, np.float64)
        return np.abs(products) if self.absolute else products

    def before(self, values: Floats, profiles: Codes) -> Floats:
        """See `Comparison.before`."""
        return values

    def up_to(self, values: Floats, profiles: Codes) -> Floats:
        """See `Comparison.up_to`."""
        return next_below(values, self.x.dtype)

    def counts_above(
        self,
        i: Codes,
        j: Codes,
        starts: Codes,
        values: Floats,
        own: NDArray[np.int32],
        other: NDArray[np.int32],
    ) -> Codes:
        """See `Comparison.counts_above`.

        Where all i are among the j, a product serves both of its profiles.
        """
        inside = _places_among(i, j) if self.x is self.y else None
        if inside is None:
            x, y = self.x[i], self.y[j]
            return self.run.rank_counts(x, y, starts, values, own, other, absolute=self.absolute)
        x = self.x[i]
        mirrored = self.run.rank_counts(
            x, x, starts, values, own, other[:, inside], absolute=self.absolute
        )
        outside = np.delete(np.arange(len(j)), inside)
        if not len(outside):
            return mirrored
        rest = self.run.rank_counts(
            x, self.y[j[outside]], starts, values, own, other[:, outside], absolute=self.absolute
        )
        return np.asarray(mirrored + rest)


def _places_among(i: Codes, j: Codes) -> Codes | None:
    """Return the place of each i among all j, which differ; None unless each is there, once."""
    if len(i) > len(j):
        return None
    order = np.argsort(j, kind="stable")
    at = np.minimum(np.searchsorted(j[order], i), len(j) - 1)
    place = order[at]
    there = np.array_equal(j[place], i) and len(np.unique(place)) == len(i)
    return place if there else None


@dataclass(frozen=True)
class ComparedSome:
    """Some profiles of others that are compared, by their own numbers."""

    whole: ComparedProfiles
    profiles: Codes
    """(n,) which of the whole"""

    def matrix(self, i: Codes, j: Codes) -> Floats:
        """See `ComparedProfiles.matrix`."""
        return self.whole.matrix(self.profiles[i], self.profiles[j])

    def pairs(self, i: Codes, j: Codes) -> Floats:
        """See `Comparison.pairs`."""
        return self.whole.pairs(self.profiles[i], self.profiles[j])

    def before(self, values: Floats, profiles: Codes) -> Floats:
        """See `Comparison.before`."""
        return self.whole.before(values, self.profiles[profiles])

    def up_to(self, values: Floats, profiles: Codes) -> Floats:
        """See `Comparison.up_to`."""
        return self.whole.up_to(values, self.profiles[profiles])

    def counts_above(
        self,
        i: Codes,
        j: Codes,
        starts: Codes,
        values: Floats,
        own: NDArray[np.int32],
        other: NDArray[np.int32],
    ) -> Codes:
        """See `Comparison.counts_above`."""
        return self.whole.counts_above(
            self.profiles[i], self.profiles[j], starts, values, own, other
        )


class Precisions(Protocol):
    """How average precisions of lists are added up, positives first among equals."""

    def by_positives(self, starts: Codes, above: Codes, negatives: Codes) -> Floats:
        """Return those (e,) of lists with so many negatives: `precision_by_positives`."""

    def by_negatives(self, starts: Codes, up_to: Codes, positives: Codes) -> Floats:
        """Return those (e,) of lists with so many positives: `precision_by_negatives`."""


@dataclass(frozen=True)
class Ranked:
    """Entries (e,), the average precision of each, and how many negatives it has."""

    entries: Codes
    precision: Floats
    negatives: Codes
    tied: int = 0
    """How many pairs of a positive and a negative are equally similar; 0 if positives come first"""


def rank_entries(
    compared: Comparison,
    pairs: Pairs,
    entries: Codes,
    progress: Progress | None = None,
    *,
    ties: Ties = "first",
    precisions: Precisions | None = None,
) -> Iterator[Ranked]:
    """Yield the average precision of these entries, some at a time; each has positives.

    Of an entry's positives and negatives the fewer are listed, with their similarities, and of the
    others it is counted how many are more similar than each of those. `precisions` adds up where
    the last digit counts; without it, the shortest formula does.
    """
    each = np.arange(len(pairs.owner))
    positives = _Side(pairs.positives, each, pairs.owner)
    negatives = _Side(pairs.negatives, pairs.owner, pairs.negatives.owner)
    few = positives.partners(entries) <= negatives.partners(entries)
    if pairs.sharing is not None:
        few[:] = True  # those that share a label are taken off the counts of negatives
    done = 0
    for mine, listed, counted in (
        (entries[few], positives, negatives),
        (entries[~few], negatives, positives),
    ):
        for some, members in counted.groups(mine):
            for part in listed.lists(compared, pairs.owner, some):
                whose = part.profiles[part.of]
                tied = 0
                if ties == "expected":
                    above, up_to = counted.above_and_up_to(compared, part, members)
                    tied = int((up_to - above).sum())
                elif listed is positives:
                    above = counted.above(
                        compared, part, members, part.starts, compared.before(part.values, whose)
                    )
                    up_to = above
                else:
                    up_to = counted.above(
                        compared, part, members, part.starts, compared.up_to(part.values, whose)
                    )
                    above = up_to
                if listed is positives:
                    left = negatives.partners(part.entries)
                    if pairs.sharing is not None:
                        fewer, more_similar, as_similar = _sharing(compared, pairs, part)
                        tied -= int(as_similar.sum()) if ties == "expected" else 0
                        left, above = left - fewer, above - more_similar
                        up_to = up_to - more_similar - as_similar
                    if ties == "expected":
                        precision = expected_by_positives(part.starts, above, up_to)
                    elif precisions is not None:
                        precision = precisions.by_positives(part.starts, above, left)
                    else:
                        precision = precision_by_positives(part.starts, above)
                else:
                    left = np.diff(part.starts)
                    p = positives.partners(part.entries)
                    if ties == "expected":
                        precision = expected_by_negatives(part.starts, above, up_to, p)
                    elif precisions is not None:
                        precision = precisions.by_negatives(part.starts, up_to, p)
                    else:
                        precision = precision_by_negatives(part.starts, up_to, p)
                yield Ranked(part.entries, precision, left, tied)
                done += len(part.entries)
                if progress is not None:
                    progress(done / len(entries))


def partners_above(
    compared: Comparison, pairing: PairingUnion, starts: Codes, values: Floats
) -> Codes:
    """Return how many partners of each profile would be ranked before each of its values.

    Profile i has ``values[starts[i]:starts[i + 1]]``, ascending.
    """
    each = np.arange(len(pairing.owner))
    side = _Side(pairing, each, pairing.owner)
    found = np.zeros(len(values), np.int64)
    for some, members in side.groups(np.flatnonzero(np.diff(starts))):
        places = [np.arange(starts[i], starts[i + 1]) for i in some.tolist()]
        place = np.concatenate(places)
        ends = np.cumsum([0, *map(len, places)])
        part = _Lists(some, pairing.owner[some], ends, values[place])
        beyond = compared.before(part.values, part.profiles[part.of])
        found[place] = side.above(compared, part, members, part.starts, beyond)
    return found


@dataclass(frozen=True)
class _Lists:
    """The similarities of partners to each entry (e,), ascending: from `starts[e]` on."""

    entries: Codes
    profiles: Codes
    starts: Codes
    values: Floats

    @property
    def of(self) -> Codes:
        """Whose each similarity is: a place among the entries."""
        return np.repeat(np.arange(len(self.entries)), np.diff(self.starts))


@dataclass(frozen=True)
class _Side:
    """The positives, or the negatives, of entries."""

    pairing: PairingUnion
    row: Codes
    """Which row of the pairing each entry is"""
    profile: Codes
    """Which profile each row of the pairing is"""

    def partners(self, entries: Codes) -> Codes:
        return self.pairing.partners[self.row[entries]]

    def groups(self, entries: Codes) -> Iterator[tuple[Codes, list[Codes]]]:
        """Yield entries that can only pair with the same rows, and these, by each pairing."""
        rows, parts = self.row[entries], self.pairing.parts
        group = joint_codes([part.same[rows] for part in parts], len(rows))
        order = np.argsort(group, kind="stable")
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        for some in np.split(entries[order], starts[1:]) if len(entries) else ():
            yield some, [part.possible(self.row[some]) for part in parts]

    def lists(self, compared: Comparison, owner: Codes, entries: Codes) -> Iterator[_Lists]:
        """Yield the similarities of all partners of some entries at a time."""
        for part, place, partner in self.pairing.pairs(self.row[entries], _PAIRS_AT_ONCE):
            some, profiles = entries[part], owner[entries[part]]
            values = compared.pairs(profiles[place], self.profile[partner])
            starts = np.searchsorted(place, np.arange(len(some) + 1))
            yield _Lists(some, profiles, starts, _ascending(starts, place, values))

    def above_and_up_to(
        self, compared: Comparison, lists: _Lists, members: list[Codes]
    ) -> tuple[Codes, Codes]:
        """Return how many partners are above each value of the lists, and how many not below it.

        Both are thresholds of one pass, in ascending order.
        """
        of, whose = lists.of, lists.profiles[lists.of]
        thresholds = np.concatenate(
            [compared.before(lists.values, whose), compared.up_to(lists.values, whose)]
        )
        order = np.argsort(_keyed(np.concatenate([of, of]), thresholds), kind="stable")
        counts = np.empty(len(thresholds), np.int64)
        counts[order] = self.above(compared, lists, members, 2 * lists.starts, thresholds[order])
        above, up_to = np.split(counts, 2)
        return above, up_to

    def above(
        self,
        compared: Comparison,
        lists: _Lists,
        members: list[Codes],
        starts: Codes,
        values: Floats,
    ) -> Codes:
        """Return how many partners, all of them members, are above each value.

        Entry e of the lists has ``values[starts[e]:starts[e + 1]]``, ascending.
        """
        rows = self.row[lists.entries]
        counts = np.zeros(len(values), np.int64)
        for pairing, some in zip(self.pairing.parts, members, strict=True):
            partners = pairing.possible(rows, some)
            # Where nothing else keeps a profile from being its own partner, being the same one
            # does.
            kinds = pairing.differ or (pairing.owner.astype(np.int32),)
            counts += compared.counts_above(
                lists.profiles,
                self.profile[partners],
                starts,
                values,
                np.stack([codes[rows] for codes in kinds]),
                np.stack([codes[partners] for codes in kinds]),
            )
        return counts


def _sharing(compared: Comparison, pairs: Pairs, lists: _Lists) -> tuple[Codes, Codes, Codes]:
    """Return how many that share a label would be negatives: of each entry, above and at values."""
    sharing, negatives = pairs.sharing, pairs.negatives
    assert sharing is not None
    rows, row = np.unique(lists.profiles, return_inverse=True)
    labels = np.flatnonzero(np.isin(sharing.owner, rows))
    found = [np.empty(0, np.int64)]
    for part, place, partner in sharing.pairs(labels, _PAIRS_AT_ONCE):
        i, j = sharing.owner[labels[part][place]], sharing.owner[partner]
        found.append((i * len(negatives.owner) + j)[negatives.are(i, j)])
    i, j = np.divmod(np.unique(np.concatenate(found)), len(negatives.owner))
    at = np.searchsorted(rows, i)
    ordered = np.sort(_keyed(at, compared.pairs(i, j)))
    ends = np.searchsorted(at, np.arange(len(rows)), side="right")
    of = row[lists.of]
    keyed = _keyed(of, lists.values)
    last = np.searchsorted(ordered, keyed, side="right")
    equal = last - np.searchsorted(ordered, keyed, side="left")
    return np.bincount(at, minlength=len(rows))[row], ends[of] - last, equal


def _ascending(starts: Codes, place: Codes, values: Floats) -> Floats:
    """Return the values of each list in ascending order: all lists at once, or long ones in turn.

    A sort of one list is many times as fast as one by list and value.
    """
    if len(values) < _LONG_LIST * len(starts):
        ordered: Floats = np.sort(_keyed(place, values)).imag.copy()
        return ordered
    ordered = values.copy()
    for begin, end in itertools.pairwise(starts.tolist()):
        ordered[begin:end].sort()
    return ordered


def _keyed(of: Codes, values: Floats) -> "np.ndarray[tuple[int], np.dtype[np.complex128]]":
    """Return numbers that NumPy orders by whose they are, and then by value."""
    keyed = np.empty(len(of), np.complex128)
    keyed.real, keyed.imag = of, values
    return keyed
