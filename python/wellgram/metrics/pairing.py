"""Which profiles are pairs: those equal in some columns of their metadata, different in others.

The vocabulary is that of copairs. Pairs are counted by groups, and listed for some profiles at a
time, so that their number costs no memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes
from wellgram.errors import ColumnMissing, InputError

_NONE_IS_A_VALUE = "dose"
"""The column of `Wells` in which a missing value says something: that there is none"""

Labels = NDArray[np.int32]


def as_names(columns: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of one column or several, each once."""
    return (columns,) if isinstance(columns, str) else tuple(dict.fromkeys(columns))


@dataclass(frozen=True)
class Rules:
    """Which pairs are positive and which negative: equal and different in these columns.

    Values of the column `multilabel` are lists of labels: equal is to share one, different to share
    none.
    """

    pos_sameby: tuple[str, ...]
    pos_diffby: tuple[str, ...]
    neg_sameby: tuple[str, ...]
    neg_diffby: tuple[str, ...]
    multilabel: str | None = None

    def __post_init__(self) -> None:
        for kind, same, differ in self._kinds():
            both = sorted({*same} & {*differ})
            if both:
                raise InputError(
                    f"{kind} pairs cannot be both equal and different in {both[0]!r}; take it from "
                    f"{kind[:3]}_sameby or from {kind[:3]}_diffby"
                )
            if not same and not differ:
                raise InputError(
                    f"name a column that {kind} pairs are equal in ({kind[:3]}_sameby) or "
                    f"different in ({kind[:3]}_diffby)"
                )
        label = self.multilabel
        if label is not None and (label in self.pos_diffby or label in self.neg_sameby):
            raise InputError(
                f"lists of labels such as {label!r} go into pos_sameby (positives share a label) "
                "or neg_diffby (negatives share none)"
            )
        if label is not None and label not in {*self.pos_sameby, *self.neg_diffby}:
            raise InputError(f"no rule speaks of the labels {label!r}; add them to pos_sameby")

    def _kinds(self) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        yield "positive", self.pos_sameby, self.pos_diffby
        yield "negative", self.neg_sameby, self.neg_diffby

    def __str__(self) -> str:
        said = []
        for kind, same, differ in self._kinds():
            parts = [f"same {', '.join(same)}"] * bool(same)
            parts += [f"different {', '.join(differ)}"] * bool(differ)
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
        first, sizes = self._first[self.same[rows]], self._sizes[self.same[rows]]
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

    def are(self, i: Codes, j: Codes) -> NDArray[np.bool_]:
        """Return which rows i and j (m,) are pairs."""
        paired = (self.same[i] == self.same[j]) & (self.owner[i] != self.owner[j])
        for codes in self.differ:
            paired &= codes[i] != codes[j]
        return np.asarray(paired)

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
class Pairs:
    """The pairs of n profiles by `Rules`.

    `positives` are pairs of entries, and an entry is a profile (`owner`), or one label of it;
    `negatives` are pairs of profiles, without those that are pairs of `sharing`, entries that have
    a label in common.
    """

    owner: Codes
    labels: "pd.Series[str] | None"
    """The label (e,) of each entry, where positives share one"""
    positives: Pairing
    negatives: Pairing
    sharing: Pairing | None


def find_pairs(metadata: pd.DataFrame, rules: Rules) -> Pairs:
    """Return the pairs of the profiles that this is the metadata of.

    Raises
    ------
    InputError
        If a column is absent or a value missing.
    """
    n, label = len(metadata), rules.multilabel
    names = {*rules.pos_sameby, *rules.pos_diffby, *rules.neg_sameby, *rules.neg_diffby} - {label}
    codes = {name: _codes_of(metadata, name) for name in sorted(names)}
    each = np.arange(n)
    negatives = _pairing(
        codes, rules.neg_sameby, [name for name in rules.neg_diffby if name != label], each
    )
    if label is None:
        return Pairs(
            each, None, _pairing(codes, rules.pos_sameby, rules.pos_diffby, each), negatives, None
        )
    labels = _labels_of(metadata, label)
    code, owner = pd.factorize(labels)[0].astype(np.int32), labels.index.to_numpy(np.int64)
    sharing = Pairing(code.astype(np.int64), (), owner) if label in rules.neg_diffby else None
    if label not in rules.pos_sameby:
        positives = _pairing(codes, rules.pos_sameby, rules.pos_diffby, each)
        return Pairs(each, None, positives, negatives, sharing)
    of_entries = {name: values[owner] for name, values in codes.items()} | {label: code}
    positives = _pairing(of_entries, rules.pos_sameby, rules.pos_diffby, owner)
    return Pairs(owner, labels.reset_index(drop=True), positives, negatives, sharing)


def _pairing(
    codes: Mapping[str, Labels], same: Sequence[str], differ: Sequence[str], owner: Codes
) -> Pairing:
    joint = joint_codes([codes[name] for name in same], len(owner))
    return Pairing(joint, tuple(codes[name] for name in differ), owner)


def _codes_of(metadata: pd.DataFrame, column: str) -> Labels:
    values = _column(metadata, column)
    missing = int(values.isna().sum())
    if missing and column != _NONE_IS_A_VALUE:
        raise InputError(
            f"{missing:,} of {len(metadata):,} profiles have no {column!r} to pair them by; fill "
            "it in or leave them out"
        )
    return pd.factorize(values, use_na_sentinel=False)[0].astype(np.int32)


def _labels_of(metadata: pd.DataFrame, column: str) -> "pd.Series[str]":
    """Return the labels of all profiles, each once for a profile, indexed by profile."""
    values = _column(metadata, column).reset_index(drop=True)
    plain = next((v for v in values if isinstance(v, str)), None)
    if plain is not None:
        raise InputError(
            f"{column!r} holds the text {plain!r} where a list of labels is expected; split it, "
            f"for example metadata[{column!r}].str.split('|')"
        )
    labels = values.explode().dropna().astype("str")
    again = pd.DataFrame({"row": labels.index, "label": labels.to_numpy()}).duplicated()
    return labels[~again.to_numpy()]


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
