"""Which profiles may be the nearest of which: of another compound, and maybe of another batch."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import ColumnMissing, InputError, NotApplicable
from wellgram.label_rules.missing_labels import is_missing
from wellgram.metrics.pairing import Labels, Pairing

Matching = Literal["not-same-compound", "not-same-compound-and-batch"]
"""Which profiles are looked among: those of other compounds, and of other batches too"""

SINGLE_COMPOUND = "its label has one compound only"
SINGLE_BATCH = "its label is in one batch only"
NO_PARTNER = "no profile of its label is of another compound and another batch"


@dataclass(frozen=True)
class MatchedProfiles:
    """Profiles (n,) with the codes of their labels, and which of them are tested."""

    codes: Codes
    """The label of each, -1 for those without one"""
    names: list[str]
    """The labels that codes stand for, sorted"""
    differ: tuple[Labels, ...]
    """The compound of each, and the batch where it matters: partners differ in all of them"""
    reason: NDArray[np.object_]
    """Why a profile is not tested; empty for those that are"""

    @classmethod
    def of(
        cls, metadata: pd.DataFrame, label: str, matching: Matching, compound: str, batch: str
    ) -> "MatchedProfiles":
        """Return the profiles that this is the metadata of.

        Raises
        ------
        InputError
            If a column is absent or holds lists, a matching is not known, or no profile can be
            tested.
        """
        if matching not in get_args(Matching):
            known = " or ".join(map(repr, get_args(Matching)))
            raise InputError(f"unknown matching {matching!r}; choose {known}")
        by_batch = matching == "not-same-compound-and-batch"
        named = {"label": label, "compound": compound} | ({"batch": batch} if by_batch else {})
        values = {role: _column(metadata, column, role) for role, column in named.items()}
        reason = np.full(len(metadata), "", object)
        for role in reversed(named):
            reason[is_missing(values[role])] = f"it has no value in column {named[role]!r}"
        known = reason == ""
        codes = np.full(len(metadata), -1, np.int64)
        codes[known], names = pd.factorize(values["label"][known].astype("str"), sort=True)
        differ = tuple(_codes(values[role]) for role in list(named)[1:])
        profiles = cls(codes, [str(name) for name in names], differ, reason)
        reason[known] = profiles._why_not()
        if not profiles.tested.any():
            counts = pd.Series(reason).value_counts()
            why = "; ".join(f"{count:,}: {words}" for words, count in counts.items())
            raise NotApplicable(
                f"none of {len(metadata):,} profiles can be tested for {label!r} ({why}); name "
                "other columns (label=, compound=, batch=)"
            )
        return profiles

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Which profiles are tested: some partner is of their label."""
        return np.asarray(self.reason == "")

    @property
    def sought_among(self) -> NDArray[np.bool_]:
        """Which profiles may be found: those of labels of which some profile is tested."""
        return np.isin(self.codes, np.unique(self.codes[self.tested]))

    def chance(self) -> Floats:
        """Return the share of its partners that are of its label, for each tested profile."""
        among = self.sought_among
        differ = tuple(codes[among] for codes in self.differ)
        each = np.arange(int(among.sum()))
        alike = Pairing(self.codes[among], differ, each).partners
        partners = Pairing(np.zeros_like(each), differ, each).partners
        tested = self.tested[among]
        return np.asarray(alike[tested] / partners[tested])

    def _why_not(self) -> NDArray[np.object_]:
        """Return why profiles that have a label are not tested; empty for those that are."""
        known = self.codes >= 0
        codes = self.codes[known]
        differ = tuple(values[known] for values in self.differ)
        alike = Pairing(codes, differ, np.arange(len(codes))).partners
        single = [_groups_of_labels(codes, values) == 1 for values in differ]
        conditions = [alike > 0, *(of_label[codes] for of_label in single)]
        return np.select(
            conditions, ["", SINGLE_COMPOUND, SINGLE_BATCH][: len(conditions)], NO_PARTNER
        )


def _groups_of_labels(codes: Codes, groups: Labels) -> Codes:
    """Return how many groups the profiles of each label are of."""
    pairs = pd.DataFrame({"code": codes, "group": groups})
    return np.asarray(pairs.groupby("code")["group"].nunique(), np.int64)


def _column(metadata: pd.DataFrame, column: str, role: str) -> "pd.Series[Any]":
    if column not in metadata:
        known = ", ".join(map(str, metadata.columns))
        raise ColumnMissing(
            f"there is no column {column!r} ({role}=); there are {known}. Of wells, more are kept "
            "by columns=; a map has those that are the same for all wells of a row"
        )
    values = metadata[column].reset_index(drop=True)
    if any(isinstance(value, list | tuple | np.ndarray) for value in values.dropna().head(1)):
        raise InputError(f"column {column!r} holds lists; name a column of one {role} per profile")
    return values


def _codes(values: "pd.Series[Any]") -> Labels:
    return pd.factorize(values, use_na_sentinel=False)[0].astype(np.int32)
