"""Profiles as cytominer-eval compares them: all with all, and which are replicates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align import Aligner
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import ColumnMissing, InputError, NotApplicable
from wellgram.input_kinds import check_map
from wellgram.label_rules.controls import Control, control_labels
from wellgram.label_rules.missing_labels import is_missing
from wellgram.metrics.pairing import as_names, joint_codes
from wellgram.metrics.profile_rows import unit_profiles
from wellgram.metrics.replicates import aligned_rows
from wellgram.pairs.unit_rows import unit_embeddings
from wellgram.stream import WellStream
from wellgram.wells import LabelledMap, WellLabels, Wells

Profiles = Wells | WellStream | LabelledMap

LegacySimilarity = Literal["correlation", "cosine"]
"""Pearson's correlation over features, cytominer-eval's default; or the cosine"""


def given_profiles(profiles: Profiles, align: Aligner, controls: bool) -> tuple[pd.DataFrame, Rows]:
    """Return the metadata and the aligned rows of profiles: of wells, those in the map.

    Parameters
    ----------
    profiles, align
        Wells, by an alignment; or the rows of a map.
    controls
        Whether control wells are wanted too.

    Raises
    ------
    InputError
        If they are neither, or a map is to be aligned.
    """
    if isinstance(profiles, WellLabels):
        wanted = profiles.metadata["in_map"].to_numpy(bool)
        if controls:
            wanted = wanted | profiles.metadata["is_control"].to_numpy(bool)
        rows = aligned_rows(profiles, align)[wanted]
        return profiles.metadata[wanted].reset_index(drop=True), rows
    check_map(profiles)
    if align is not None:
        raise InputError("the rows of a map are aligned as it is made: give align= to build_map")
    return profiles.labels.reset_index(drop=True), profiles.embeddings


def compared_rows(rows: Rows, similarity: LegacySimilarity) -> Rows:
    """Return rows of length 1 whose products are similarities.

    Raises
    ------
    InputError
        If the similarity is unknown, there are fewer than two rows, or a row has no direction.
    """
    if similarity not in get_args(LegacySimilarity):
        known = " or ".join(map(repr, get_args(LegacySimilarity)))
        raise InputError(f"unknown similarity {similarity!r}; choose {known}")
    if len(rows) < 2:
        raise NotApplicable(f"there are {len(rows)} profiles; two at least are needed")
    return unit_embeddings(unit_profiles(rows, similarity))


def column_codes(metadata: pd.DataFrame, columns: Sequence[str]) -> Codes:
    """Return a code (n,) of each combination of values, -1 where one of them is missing.

    Raises
    ------
    InputError
        If no column is named, or one is absent.
    """
    if not columns:
        raise InputError("name the columns that replicates have in common (sameby=)")
    for name in columns:
        if name not in metadata:
            raise ColumnMissing(
                f"there is no column {name!r}; there are {', '.join(map(str, metadata.columns))}"
            )
    missing = np.any([is_missing(metadata[name]) for name in columns], axis=0)
    single = [pd.factorize(metadata[name][~missing])[0].astype(np.int64) for name in columns]
    codes = np.full(len(metadata), -1, np.int64)
    codes[~missing] = joint_codes(single, int((~missing).sum()))
    return codes


def control_rows(
    profiles: Profiles, metadata: pd.DataFrame, controls: Control | None
) -> NDArray[np.bool_]:
    """Return which profiles are controls (n,): those with these labels, or the control wells.

    Raises
    ------
    InputError
        If there is none, or a label is nowhere.
    """
    if controls is None:
        if not isinstance(profiles, WellLabels):
            raise InputError("name the controls of a map by their labels (controls=)")
        is_control = metadata["is_control"].to_numpy(bool)
    else:
        names = control_labels(controls)
        labels = metadata["perturbation"].astype("str")
        absent = [name for name in names if not (labels == name).any()]
        if absent:
            raise InputError(f"no profile is a control {absent[0]!r}; name labels that there are")
        is_control = labels.isin(names).to_numpy(bool)
    if is_control.sum() < 2:
        raise NotApplicable(
            f"there are {int(is_control.sum())} control profiles; two at least are needed: name "
            "the controls (controls=)"
        )
    return np.asarray(is_control)


@dataclass(frozen=True)
class ReplicateGroups:
    """Profiles of which some are replicates of each other."""

    metadata: pd.DataFrame
    unit: Rows
    """(n, d): their products are similarities"""
    codes: Codes
    """(n,): the group of replicates of each, -1 for none"""
    columns: tuple[str, ...]

    @classmethod
    def of(
        cls,
        profiles: Profiles,
        align: Aligner,
        sameby: str | Sequence[str],
        similarity: LegacySimilarity,
    ) -> "ReplicateGroups":
        """Return profiles, replicates being those with the same values in all these columns.

        Raises
        ------
        InputError
            If a column is absent, no two profiles are replicates, or as `compared_rows` has it.
        """
        columns = as_names(sameby)
        metadata, rows = given_profiles(profiles, align, controls=False)
        codes = column_codes(metadata, columns)
        groups = cls(metadata, compared_rows(rows, similarity), codes, columns)
        if not (np.bincount(codes[codes >= 0], minlength=1) > 1).any():
            raise NotApplicable(
                f"no two of {len(metadata):,} profiles have the same {', '.join(columns)}: there "
                "are no replicates; name columns that replicates share (sameby=)"
            )
        return groups

    def pairs(self) -> tuple[Codes, Codes]:
        """Return all pairs i < j of replicates, group by group."""
        return pairs_within(self.codes)

    def table(self, groups: Codes) -> pd.DataFrame:
        """Return what names some groups: a row per group."""
        _, first = np.unique(self.codes, return_index=True)
        place = first[1:] if (self.codes < 0).any() else first
        names = self.metadata.iloc[place[groups]]
        return names[list(self.columns)].reset_index(drop=True)


def pairs_within(codes: Codes) -> tuple[Codes, Codes]:
    """Return all pairs i < j of rows with one code, group by group; -1 is no group."""
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    parts = [
        (members[a], members[b])
        for members in np.split(order, starts[1:])
        for a, b in [np.triu_indices(len(members), 1)]
    ]
    first, second = zip(*parts, strict=True)
    return np.concatenate(first), np.concatenate(second)
