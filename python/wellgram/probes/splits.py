"""Which wells a probe is fitted on, and on which it is tested: no batch is on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends.number_checks import check_whole
from wellgram.errors import ColumnMissing, InputError
from wellgram.label_rules.missing_labels import is_missing
from wellgram.nulls import random_subsets, stream_of
from wellgram.wells import WellLabels, batch_codes

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """A way to part wells in those a probe is fitted on and those it is tested on."""

    train: Mask
    """(n,)"""
    test: Mask
    """(n,)"""
    said: str
    """How they were parted, in words"""


def splits_by(
    wells: WellLabels, column: str, *, folds: int, within: str | None, seed: int
) -> list[Split]:
    """Return the split a column has, if its values are ``train`` and ``test``, else its groups'.

    Raises
    ------
    InputError
        As `column_split` and `group_splits` have it.
    """
    if has_sides(wells, column):
        return [column_split(wells, column)]
    return group_splits(wells, column, folds=folds, within=within, seed=seed)


def has_sides(wells: WellLabels, column: str) -> bool:
    """Whether a column says which wells are fitted on and which tested: ``train``, ``test``.

    Raises
    ------
    InputError
        If the column is absent, holds one value, or lacks a value.
    """
    return {"train", "test"} <= set(split_labels(wells, column))


def split_words(splits: Sequence[Split], column: str) -> str:
    """Return how wells were parted, in words."""
    if len(splits) == 1:
        return splits[0].said
    return f"{column!r} held out in {len(splits)} folds"


def column_split(
    wells: WellLabels, column: str, *, train: str = "train", test: str = "test"
) -> Split:
    """Return the split that a column has, such as RxRx1's ``dataset``.

    Wells with another value are on neither side.

    Raises
    ------
    InputError
        If the column is absent or holds one value, one of the two values is not in it, or a batch
        is on both sides.
    """
    labels = split_labels(wells, column)
    values = sorted(labels.unique())
    for value in (train, test):
        if value not in values:
            raise InputError(
                f"column {column!r} has no {value!r}; there are {', '.join(map(repr, values[:5]))}:"
                " name the column that parts train and test wells, or split by batches "
                "(split='batch')"
            )
    split = Split(
        (labels == train).to_numpy(bool),
        (labels == test).to_numpy(bool),
        f"fitted on wells whose {column!r} is {train!r}, tested on {test!r}",
    )
    _check_batches(wells, split, column)
    return split


def group_splits(
    wells: WellLabels,
    column: str = "batch",
    *,
    folds: int = 5,
    within: str | None = None,
    seed: int = 0,
) -> list[Split]:
    """Return splits in which each group is tested once, in a fold, and its wells stay together.

    Parameters
    ----------
    wells
        Their labels are all that is looked at.
    column
        What is held out together: the batch, or a column such as the plate or the cell type.
    folds
        How many folds at most; groups are dealt to them in turn, in random order.
    within
        A column, such as the cell type: groups are dealt within each of its values, so that each
        fold has groups of all values that have as many.
    seed
        Of the order.

    Raises
    ------
    InputError
        If a column is absent or holds one value, there are fewer than two folds, or a batch would
        be on both sides.
    """
    check_whole(folds, "folds")
    if folds < 2:
        raise InputError(f"folds must be 2 or more, not {folds}")
    codes, names = batch_codes(split_labels(wells, column))
    strata = np.zeros(len(names), np.int64)
    if within is not None:
        values = pd.factorize(split_labels(wells, within, several=False))[0]
        strata[codes] = values  # that of the last well, if wells of a group differ
    fold = np.empty(len(names), np.int64)
    dealt = 0
    for stratum in np.unique(strata).tolist():
        members = np.flatnonzero(strata == stratum)
        stream = stream_of("folds", column, stratum)
        order = random_subsets(len(members), len(members), 1, seed=seed, stream=stream)[0]
        fold[members[order]] = (np.arange(len(members)) + dealt) % min(folds, len(names))
        dealt += len(members)
    splits = []
    for k in range(min(folds, len(names))):
        test = (fold == k)[codes]
        said = f"{column!r} held out: fold {k + 1} of {min(folds, len(names))}"
        splits.append(Split(~test, test, said))
        _check_batches(wells, splits[-1], column)
    return splits


def held_out(wells: WellLabels, split: Split, *, seed: int = 0, draw: int = 0) -> Split:
    """Return a split of the wells that a probe is fitted on: a batch in eight to choose by.

    Of a seed there are several draws of batches.

    Raises
    ------
    InputError
        If those wells are of one batch.
    """
    codes, names = wells.batches()
    present = np.unique(codes[split.train])
    if len(present) < 2:
        raise InputError(
            f"all wells that the probe is fitted on are of batch {names[present[0]]!r}: none can "
            "be held out to choose a penalty by; name one penalty (penalty=)"
        )
    size = max(1, len(present) // 8)
    stream = stream_of("held out")
    chosen = random_subsets(len(present), size, draw + 1, seed=seed, stream=stream)[draw]
    out = np.isin(codes, present[chosen])
    return Split(split.train & ~out, split.train & out, f"{size} batches held out")


def split_labels(wells: WellLabels, column: str, *, several: bool = True) -> "pd.Series[Any]":
    """Return a column of wells as words.

    Raises
    ------
    InputError
        If it is absent, lacks a value or, unless it need not have `several`, holds one value.
    """
    if column not in wells.metadata:
        raise ColumnMissing(
            f"there is no column {column!r} to split wells by; there are "
            f"{', '.join(map(str, wells.metadata.columns))} (more are kept by columns=)"
        )
    labels = wells.metadata[column]
    missing = is_missing(labels)
    if missing.any():
        first = wells.metadata["well_id"][missing].iloc[0]
        raise InputError(
            f"{int(missing.sum())} wells have no value in column {column!r} (first: "
            f"{first!r}); fill it in or leave them out"
        )
    words = labels.astype("str")
    if several and words.nunique() < 2:
        raise InputError(
            f"column {column!r} holds one value, {words.iloc[0]!r}: there is nothing to test on; "
            "name another column, or split by batches (split='batch')"
        )
    return words


def _check_batches(wells: WellLabels, split: Split, column: str) -> None:
    """Raise if a batch is on both sides: what wells share by it would count as skill."""
    if "batch" not in wells.metadata:
        return
    codes, names = wells.batches()
    both = np.intersect1d(codes[split.train], codes[split.test])
    if len(both):
        raise InputError(
            f"column {column!r} parts the wells of {len(both)} batches (first: "
            f"{names[both[0]]!r}), so that the probe would be tested on batches it was fitted on; "
            "split by a column that keeps batches together, or name what you split by as the "
            "batch (batch=)"
        )
