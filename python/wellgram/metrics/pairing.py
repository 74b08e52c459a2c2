"""Which profiles are pairs: those equal in some columns of their metadata, different in others.

The vocabulary is that of copairs. Pairs are counted by groups, and listed for some profiles at a
time, so that their number costs no memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes
from wellgram.errors import ColumnMissing, InputError
from wellgram.label_rules.missing_labels import is_missing, without_missing
from wellgram.metrics.several_values import first_list, split_values, warn_of_separator
from wellgram.wells import ROLES

NONE_IS_A_VALUE = "dose"
"""The column of `Wells` in which a missing value says something: that there is none"""

Labels = NDArray[np.int32]

ColumnRule = str | Sequence[str] | Mapping[str, str | Sequence[str]]
"""One column, several of which all count, or ``{"any": [...], "all": [...]}``"""


def as_names(columns: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of one column or several, each once."""
    return (columns,) if isinstance(columns, str) else tuple(dict.fromkeys(columns))


@dataclass(frozen=True)
class Columns:
    """Columns of a rule: it holds in all of `every`, and in one at least of `any_of`."""

    every: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()

    @classmethod
    def of(cls, rule: ColumnRule) -> "Columns":
        """Return the columns that a rule names.

        Raises
        ------
        InputError
            If a mapping has other keys than ``any`` and ``all``.
        """
        if not isinstance(rule, Mapping):
            return cls(as_names(rule))
        unknown = sorted(map(str, rule.keys() - {"any", "all"}))
        if unknown:
            raise InputError(
                f"columns are given as {{'any': [...]}} or {{'all': [...]}}, not by {unknown[0]!r}"
            )
        every, any_of = as_names(rule.get("all", ())), as_names(rule.get("any", ()))
        return cls((*every, *any_of)) if len(any_of) == 1 else cls(every, any_of)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, each once."""
        return tuple(dict.fromkeys((*self.every, *self.any_of)))

    def __str__(self) -> str:
        parts = [", ".join(self.every)] * bool(self.every)
        parts += [f"any of {', '.join(self.any_of)}"] * bool(self.any_of)
        return " and ".join(parts)


@dataclass(frozen=True)
class Rules:
    """Which pairs are positive and which negative: equal and different in these columns.

    Values of the column `multilabel` are lists of labels, or texts that `separator` parts: equal is
    to share one, different to share none.
    """

    pos_sameby: Columns
    pos_diffby: Columns
    neg_sameby: Columns
    neg_diffby: Columns
    multilabel: str | None = None
    separator: str | None = None

    def __post_init__(self) -> None:
        for kind, same, differ in self._kinds():
            both = sorted({*same.every} & {*differ.every})
            if both:
                raise InputError(
                    f"{kind} pairs cannot be both equal and different in {both[0]!r}; take it from "
                    f"{kind[:3]}_sameby or from {kind[:3]}_diffby"
                )
            if not same.names and not differ.names:
                raise InputError(
                    f"name a column that {kind} pairs are equal in ({kind[:3]}_sameby) or "
                    f"different in ({kind[:3]}_diffby)"
                )
        label = self.multilabel
        if label is None:
            if self.separator is not None:
                raise InputError("name the column whose values the separator parts (multilabel=)")
            return
        if any(label in columns.any_of for columns in self._columns()):
            raise InputError(f"lists of labels such as {label!r} cannot be one of any columns")
        if label in self.pos_diffby.every or label in self.neg_sameby.every:
            raise InputError(
                f"lists of labels such as {label!r} go into pos_sameby (positives share a label) "
                "or neg_diffby (negatives share none)"
            )
        if label not in {*self.pos_sameby.every, *self.neg_diffby.every}:
            raise InputError(f"no rule speaks of the labels {label!r}; add them to pos_sameby")

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, each once."""
        return tuple(dict.fromkeys(name for some in self._columns() for name in some.names))

    @property
    def all_must_hold(self) -> bool:
        """Whether no rule is content with one of several columns."""
        return not any(columns.any_of for columns in self._columns())

    def _columns(self) -> tuple[Columns, ...]:
        return self.pos_sameby, self.pos_diffby, self.neg_sameby, self.neg_diffby

    def _kinds(self) -> Iterator[tuple[str, Columns, Columns]]:
        yield "positive", self.pos_sameby, self.pos_diffby
        yield "negative", self.neg_sameby, self.neg_diffby

    def __str__(self) -> str:
        said = []
        for kind, same, differ in self._kinds():
            parts = [f"same {same}"] * bool(same.names)
            parts += [f"different {differ}"] * bool(differ.names)
            said.append(f"{kind}s of {', '.join(parts)}")
        return "; ".join(said)


@dataclass(frozen=True)
class Pairing:
    """Pairs of n rows: of one code of `same` (n,), and of no common one of any of `differ`.

    Rows of one `owner` (n,) are no pair; a group of `same` has at most one row of each.
    """

    same: Codes
    differ: tuple[Labels, ...]
    owner: Codes

    @cached_property
    def partners(self) -> Codes:
        """How many partners each row has (n,), by inclusion and exclusion."""
        counts = np.zeros(len(self.same), np.int64)
        for size in range(len(self.differ) + 1):
            for some in combinations(self.differ, size):
                joint = joint_codes([self.same, *some], len(self.same))
                counts += (-1) ** size * np.bincount(joint)[joint]
        return counts if self.differ else counts - 1

    def members(self, group: int) -> Codes:
        """Return the rows of a group of `same`."""
        first = self._first[group]
        return self._order[first : first + self._sizes[group]]

    def pairs(self, rows: Codes, at_once: int) -> Iterator[tuple[slice, Codes, Codes]]:
        """Yield some of the rows at a time, and their pairs: places among these rows, partners.

        As many rows as have `at_once` members in their groups, one at least. Places ascend.
        """
        if len(rows) and (self.same[rows] == self.same[rows[0]]).all():
            yield from self._pairs_of_a_group(rows, at_once)
            return
        first, sizes = self._first[self.same[rows]], self.group_sizes(rows)
        ends = np.cumsum(sizes)
        begin = 0
        while begin < len(rows):
            done = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, done + at_once, side="right")))
            count = sizes[begin:end]
            place = np.repeat(np.arange(end - begin), count)
            step = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
            i, j = rows[begin:end][place], self._order[first[begin:end][place] + step]
            paired = self.are(i, j)
            yield slice(begin, end), place[paired], j[paired]
            begin = end

    def _pairs_of_a_group(self, rows: Codes, at_once: int) -> Iterator[tuple[slice, Codes, Codes]]:
        """Yield the pairs of rows of one group, which could all pair with the same members."""
        members = self.possible(rows)
        step = max(1, at_once // max(1, len(members)))
        for begin in range(0, len(rows), step):
            some = rows[begin : begin + step]
            place = np.repeat(np.arange(len(some)), len(members))
            partners = np.tile(members, len(some))
            paired = self.are(some[place], partners)
            yield slice(begin, begin + len(some)), place[paired], partners[paired]

    def possible(self, rows: Codes, members: Codes | None = None) -> Codes:
        """Return members of the group of rows without those that none of these can pair with.

        Those are equal to all of the rows in a column in which pairs must differ.
        """
        members = self.members(int(self.same[rows[0]])) if members is None else members
        for codes in self.differ:
            one = codes[rows[:1]]
            if (codes[rows] == one).all():
                members = members[codes[members] != one]
        return members

    def are(self, i: Codes, j: Codes) -> NDArray[np.bool_]:
        """Return which rows i and j (m,) are pairs."""
        paired = (self.same[i] == self.same[j]) & (self.owner[i] != self.owner[j])
        for codes in self.differ:
            paired &= codes[i] != codes[j]
        return np.asarray(paired)

    def group_sizes(self, rows: Codes) -> Codes:
        """Return how many members the groups of some rows have."""
        return self._sizes[self.same[rows]]

    @cached_property
    def _order(self) -> Codes:
        return np.argsort(self.same, kind="stable")

    @cached_property
    def _sizes(self) -> Codes:
        return np.bincount(self.same)

    @cached_property
    def _first(self) -> Codes:
        return np.cumsum(self._sizes) - self._sizes


@dataclass(frozen=True)
class PairingUnion:
    """Pairs of n rows by any of several pairings, no two of which have a pair in common."""

    parts: tuple[Pairing, ...]

    @property
    def owner(self) -> Codes:
        """Whose the rows are (n,): rows of one owner are no pair."""
        return self.parts[0].owner

    @cached_property
    def partners(self) -> Codes:
        """How many partners each row has (n,)."""
        return np.asarray(np.sum([part.partners for part in self.parts], axis=0), np.int64)

    def pairs(self, rows: Codes, at_once: int) -> Iterator[tuple[slice, Codes, Codes]]:
        """Yield some of the rows at a time, and their pairs: see `Pairing.pairs`."""
        if len(self.parts) == 1:
            yield from self.parts[0].pairs(rows, at_once)
            return
        sizes = np.sum([part.group_sizes(rows) for part in self.parts], axis=0)
        chunk = (np.cumsum(sizes) - sizes) // at_once
        bounds = [*np.flatnonzero(np.diff(chunk, prepend=-1)).tolist(), len(rows)]
        for begin, end in pairwise(bounds):
            places, partners = [], []
            for part in self.parts:
                for _, place, partner in part.pairs(rows[begin:end], int(sizes.sum()) + 1):
                    places.append(place)
                    partners.append(partner)
            place = np.concatenate(places)
            order = np.argsort(place, kind="stable")
            yield slice(begin, end), place[order], np.concatenate(partners)[order]

    def are(self, i: Codes, j: Codes) -> NDArray[np.bool_]:
        """Return which rows i and j (m,) are pairs."""
        return np.asarray(np.any([part.are(i, j) for part in self.parts], axis=0))


@dataclass(frozen=True)
class Pairs:
    """The pairs of n profiles by `Rules`.

    `positives` are pairs of entries, and an entry is a profile (`owner`), or one label of it;
    `negatives` are pairs of profiles, without those that are pairs of `sharing`, entries that have
    a label in common.
    """

    owner: Codes
    labels: "pd.Series[str] | None"
    """The label (e,) of each entry, where positives share one"""
    positives: PairingUnion
    negatives: PairingUnion
    sharing: Pairing | None


def find_pairs(metadata: pd.DataFrame, rules: Rules) -> Pairs:
    """Return the pairs of the profiles that this is the metadata of.

    Raises
    ------
    InputError
        If a column is absent or a value missing. Where pairs are equal in any of several columns, a
        value may be missing: it is equal to none.

    Warns
    -----
    LabelsWarning
        If values of a column look like several that are written as one.
    """
    n, label = len(metadata), rules.multilabel
    loose = {*rules.pos_sameby.any_of, *rules.neg_sameby.any_of}
    strict = {
        name
        for same, differ in (
            (rules.pos_sameby, rules.pos_diffby),
            (rules.neg_sameby, rules.neg_diffby),
        )
        for name in (*same.every, *differ.names)
    }
    codes = {name: _codes_of(metadata, name, name in strict)
             for name in sorted((loose | strict) - {label})}  # fmt: skip
    for name in sorted({*rules.pos_sameby.names, *rules.neg_diffby.names} - {label, *ROLES}):
        remedy = f"give multilabel={name!r}, separator={{separator!r}}"
        warn_of_separator(metadata[name], name, remedy)
    each = np.arange(n)
    differ = Columns(
        tuple(name for name in rules.neg_diffby.every if name != label), rules.neg_diffby.any_of
    )
    negatives = _pairings(codes, rules.neg_sameby, differ, each)
    if label is None:
        positives = _pairings(codes, rules.pos_sameby, rules.pos_diffby, each)
        return Pairs(each, None, positives, negatives, None)
    labels = _labels_of(metadata, label, rules.separator)
    code, owner = pd.factorize(labels)[0].astype(np.int32), labels.index.to_numpy(np.int64)
    sharing = Pairing(code.astype(np.int64), (), owner) if label in rules.neg_diffby.every else None
    if label not in rules.pos_sameby.every:
        positives = _pairings(codes, rules.pos_sameby, rules.pos_diffby, each)
        return Pairs(each, None, positives, negatives, sharing)
    of_entries = {name: values[owner] for name, values in codes.items()} | {label: code}
    positives = _pairings(of_entries, rules.pos_sameby, rules.pos_diffby, owner)
    return Pairs(owner, labels.reset_index(drop=True), positives, negatives, sharing)


def _pairings(
    codes: Mapping[str, Labels], same: Columns, differ: Columns, owner: Codes
) -> PairingUnion:
    """Return the pairs that two rules allow.

    Those equal in a or in b are those equal in a, and those equal in b and different in a. Likewise
    those different in a or in b.
    """
    parts = []
    for (apart, equal), (equal_too, apart_too) in product(
        _one_after_others(same.any_of), _one_after_others(differ.any_of)
    ):
        joint = joint_codes([codes[name] for name in (*same.every, *equal, *equal_too)], len(owner))
        apart_in = (*differ.every, *apart, *apart_too)
        parts.append(Pairing(joint, tuple(codes[name] for name in apart_in), owner))
    return PairingUnion(tuple(parts))


def _one_after_others(names: tuple[str, ...]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return each name with those before it; one case without names if there are none."""
    return [(names[:k], names[k : k + 1]) for k in range(len(names))] or [((), ())]


def _codes_of(metadata: pd.DataFrame, column: str, needed: bool) -> Labels:
    """Return a code for each value; missing ones have one each if they are not needed."""
    values = _column(metadata, column)
    some = first_list(values)
    if some is not None:
        raise InputError(
            f"{column!r} holds lists, such as {some!r}: say so with multilabel={column!r}"
        )
    missing = is_missing(values)
    codes = pd.factorize(without_missing(values), use_na_sentinel=False)[0].astype(np.int32)
    if column == NONE_IS_A_VALUE or not missing.any():
        return codes
    if not needed:
        codes[missing] = len(codes) + np.arange(missing.sum())
        return codes
    label = values[missing].iloc[0]
    spelled = f" (written {label!r})" if isinstance(label, str) else ""
    raise InputError(
        f"{int(missing.sum()):,} of {len(metadata):,} profiles have no {column!r}{spelled} to pair "
        "them by; fill it in or leave them out"
    )


def _labels_of(metadata: pd.DataFrame, column: str, separator: str | None) -> "pd.Series[str]":
    """Return the labels of all profiles, each once for a profile, indexed by profile."""
    values = _column(metadata, column)
    if separator is None:
        plain = next((v for v in without_missing(values) if isinstance(v, str)), None)
        if plain is not None:
            raise InputError(
                f"{column!r} holds the text {plain!r} where a list of labels is expected; name "
                "what parts the labels, for example separator='|'"
            )
    return split_values(values, separator)


def _column(metadata: pd.DataFrame, column: str) -> "pd.Series[str]":
    if column not in metadata:
        known = ", ".join(map(str, metadata.columns))
        raise ColumnMissing(f"there is no column {column!r} to pair profiles by; there are {known}")
    return metadata[column]


def joint_codes(columns: Sequence[NDArray[np.integer]], rows: int) -> Codes:
    """Return one code (n,) for each combination of codes that there is, from 0 on."""
    joint = np.zeros(rows, np.int64)
    for codes in columns:
        wide = joint * (int(codes.max(initial=0)) + 1) + codes
        joint = np.unique(wide, return_inverse=True)[1].astype(np.int64)
    return joint
