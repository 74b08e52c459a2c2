"""How well labels can be told from the embeddings of batches that were never seen."""

from collections.abc import Sequence
from typing import Literal, get_args, overload

import numpy as np
import pandas as pd

from wellgram.align import Alignment
from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.errors import InputError, NotApplicable
from wellgram.input_kinds import check_wells
from wellgram.label_rules.missing_labels import is_missing
from wellgram.metrics.blinding import aligned_blind
from wellgram.metrics.class_f1 import MacroF1Result
from wellgram.metrics.labelled import LabelledWells, Sides
from wellgram.metrics.penalties import (
    Method,
    best_penalty,
    check_penalties,
    fitted,
    method_words,
    standardized,
)
from wellgram.metrics.probe_results import ProbeResult, probe_result, tested_wells
from wellgram.pairs import neighbors, neighbors_across
from wellgram.probes.accuracy import TOP
from wellgram.probes.splits import (
    Mask,
    Split,
    column_split,
    has_sides,
    held_out,
    split_words,
    splits_by,
)
from wellgram.stream import WellStream
from wellgram.wells import Wells, batch_codes

NeighborScore = Literal["accuracy", "macro-f1"]

_CHOICE = 0.8
"""Of the work of a split, where a penalty is chosen"""
_DRAWS = 20
"""How many draws of batches to choose a penalty by are tried"""


@takes_backend
def linear_probe(
    wells: Wells | WellStream,
    align: Alignment | None = None,
    *,
    label: str = "perturbation",
    split: str = "batch",
    folds: int = 5,
    method: Method = "logistic",
    penalty: float | Sequence[float] | None = None,
    kind: str | None = None,
    resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
    progress: Progress | None = None,
) -> ProbeResult:
    """Fit a linear probe to some batches and test it on others.

    Features are standardised by the wells that it is fitted on. Where several penalties are given,
    one batch in eight of those is held out: penalties are tried from the strongest, each search
    beginning where the last ended, until the held-out log loss is worse than before; then the probe
    is fitted to all of them with the best penalty. Accuracy on unseen batches is RxRx1's criterion
    (arXiv 2301.05768) and the block search's of ViTally Consistent (arXiv 2411.02572); neither
    publishes its solver.

    Parameters
    ----------
    wells
        The wells; those in the map that have a label are fitted on or tested. A stream is read.
    align
        An alignment that has not been fitted. It is fitted to all wells, with the labels of tested
        ones hidden; None: as they are.
    label
        The column of the classes.
    split
        A column: if it has the values ``train`` and ``test``, those are the sides; else its values
        are dealt to folds, each of which is tested once. No batch is ever on both sides. A tested
        well is left out where no well of its class is fitted on; `left_out` of the result counts
        them.
    folds
        How many, where there are no such values.
    method
        ``"logistic"`` (multinomial, L2), ``"ridge"`` or ``"lda"`` (linear discriminants).
    penalty
        One, or several to choose of: 1 / C of scikit-learn's logistic regression, alpha of its
        ridge, the shrinkage of its discriminants; by default several.
    kind
        A column by whose values accuracies are given too, and within which groups are dealt to
        folds; by default ``cell_type`` where the wells have it.
    resamples, seed
        How often batches are resampled for intervals, and the seed of all draws.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the work that is done.

    Returns
    -------
    ProbeResult

    Raises
    ------
    InputError
        If a column is absent or its values leave nothing to test, a batch is on both sides or has
        wells of one class only, no fold tests a class that was trained, the alignment was fitted
        before, or a penalty cannot be used or chosen.
    """
    check_wells(wells)
    check_whole(resamples, "resamples")
    tried = check_penalties(method, penalty)
    labelled = LabelledWells.of(wells, label, kind)
    splits = splits_by(labelled.wells, split, folds=folds, within=labelled.kind, seed=seed)
    testable = labelled.testable(splits)
    sides = testable.sides
    choices = [_choice(labelled, one, seed) if len(tried) > 1 else None for one in testable.splits]
    rows = aligned_blind(labelled.wells, align, _tested(splits))
    parts, penalties = [], []
    for k, (side, choice) in enumerate(zip(sides, choices, strict=True)):
        best = tried[0]
        if choice is not None:
            best = best_penalty(rows, choice, method, tried, progress=_part(progress, k, sides))
        x, others = standardized(rows, side.train, side.test)
        probe = fitted(x, side.train_classes, len(side.trained), method, best)
        parts.append(tested_wells(labelled, side.test, probe.ranks(others, side.test_classes)))
        penalties.append(best)
        _tell(progress, (k + 1) / len(sides))
    said = f"{method_words(method)} of {label}, {split_words(splits, split)}"
    if testable.skipped:
        said += f", {testable.skipped} of which test no class that was trained"
    left_out = np.concatenate([testable.left_out, *(side.left_out for side in sides)])
    return probe_result(labelled, parts, left_out, said, penalties, resamples, seed)


@overload
def neighbor_accuracy(
    wells: Wells | WellStream,
    align: Alignment | None = None,
    *,
    label: str = "perturbation",
    split: str = "batch",
    kind: str | None = None,
    score: Literal["accuracy"] = "accuracy",
    resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
    progress: Progress | None = None,
) -> ProbeResult: ...


@overload
def neighbor_accuracy(
    wells: Wells | WellStream,
    align: Alignment | None = None,
    *,
    label: str = "perturbation",
    split: str = "batch",
    kind: str | None = None,
    score: Literal["macro-f1"],
    resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
    progress: Progress | None = None,
) -> MacroF1Result: ...


@takes_backend
def neighbor_accuracy(
    wells: Wells | WellStream,
    align: Alignment | None = None,
    *,
    label: str = "perturbation",
    split: str = "batch",
    kind: str | None = None,
    score: NeighborScore = "accuracy",
    resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
    progress: Progress | None = None,
) -> ProbeResult | MacroF1Result:
    """Return how often a well's nearest well of another batch, by cosine, is of its class.

    Nothing is fitted but the alignment, so a batch may have wells of one class only, and a column
    may part the wells of a batch: ``split="compound"`` looks for neighbors among the wells of other
    compounds. Wells of one batch are alike for that reason too; `mechanism_accuracy` looks in other
    batches as well, and at maps. From one pass over pairs, which are never stored. A well's class
    is among the first five where one of its five nearest wells is of it.

    Parameters
    ----------
    wells, align, label, kind, resamples, seed, backend, progress
        As for `linear_probe`.
    split
        A column: if it has the values ``train`` and ``test``, neighbours of test wells are looked
        for among train wells, in other batches; else those of each well among the wells of its
        other values.
    score
        ``"accuracy"``, or ``"macro-f1"``: the mean over classes of the F1 of the nearest well's
        class, as CHAMMI has it (arXiv 2310.19224), where rare classes count as much as common ones.
        Its in- and out-of-distribution figures are those of a `kind` that says which test wells are
        of which.

    Returns
    -------
    ProbeResult or MacroF1Result
        By the score.

    Raises
    ------
    InputError
        If a column is absent or its values leave nothing to test, train and test wells share a
        batch or no class, the score is unknown, or the alignment was fitted before.
    """
    check_wells(wells)
    if score not in get_args(NeighborScore):
        known = " or ".join(map(repr, get_args(NeighborScore)))
        raise InputError(f"unknown score {score!r}; choose {known}")
    check_whole(resamples, "resamples")
    labelled = LabelledWells.of(wells, label, kind, fitted=False)
    groups: Codes | None = None
    tested = np.ones(len(wells), bool)
    if has_sides(labelled.wells, split):
        parted = column_split(labelled.wells, split)
        side, tested = labelled.sides(parted), parted.test
        said = f"nearest wells, {parted.said}"
    else:
        side, groups = _elsewhere(labelled, split)
        also = ", of the same batch too" if _parts_batches(labelled, groups) else ""
        said = f"nearest wells of another {split!r}{also}"
    rows = aligned_blind(labelled.wells, align, tested)
    if score == "macro-f1":
        nearest = nearest_partners(rows, side, groups, progress=progress)[:, 0]
        return _told_by_the_nearest(labelled, side, nearest, said, resamples, seed)
    ranks = neighbor_ranks(rows, labelled, side, groups, progress=progress)
    outcomes = tested_wells(labelled, side.test, ranks)
    return probe_result(labelled, [outcomes], side.left_out, said, (), resamples, seed)


def neighbor_ranks(
    rows: Rows,
    labelled: LabelledWells,
    side: Sides,
    groups: Codes | None = None,
    *,
    progress: Progress | None = None,
) -> Codes:
    """Return how many neighbours of each tested well come before the first of its class.

    The five nearest are looked at; 5 where none of them is.
    """
    partners = nearest_partners(rows, side, groups, progress=progress)
    alike = (labelled.codes[partners] == labelled.codes[side.test][:, None]) & (partners >= 0)
    return np.where(alike.any(axis=1), alike.argmax(axis=1), TOP)


def nearest_partners(
    rows: Rows, side: Sides, groups: Codes | None, *, progress: Progress | None
) -> Codes:
    """Return the nearest wells of each tested well (m, k), five at most; -1 where there are fewer.

    Neighbours are the wells fitted on, or those of another group.
    """
    if groups is None:
        k = min(TOP, len(side.train))
        found = neighbors(rows[side.test], k, farthest=0, other=rows[side.train], progress=progress)
        return side.train[found.nearest]
    used = side.train
    across = neighbors_across(rows[used], groups[used], TOP, progress=progress)
    nearest = across.nearest[np.isin(used, side.test)]
    return np.where(nearest >= 0, used[nearest], -1)


def _told_by_the_nearest(
    labelled: LabelledWells, side: Sides, nearest: Codes, said: str, resamples: int, seed: int
) -> MacroF1Result:
    """Return the macro F1 of tested wells, each taken for the class of its nearest well."""
    batches, _ = labelled.wells.batches()
    kinds = None
    if labelled.kind is not None:
        kinds = labelled.wells.metadata[labelled.kind].astype("str").iloc[side.test]
    return MacroF1Result(
        labelled.codes[side.test],
        labelled.codes[nearest],
        batches[side.test],
        kinds,
        said,
        len(side.left_out),
        resamples,
        seed,
    )


def _choice(labelled: LabelledWells, split: Split, seed: int) -> Sides:
    """Return the sides of a split that a penalty is chosen by.

    Raises
    ------
    InputError
        If the batches that are held out have no class in common with the others, whichever they
        are of some draws.
    """
    for draw in range(_DRAWS):
        try:
            return labelled.sides(held_out(labelled.wells, split, seed=seed, draw=draw))
        except NotApplicable:
            continue
    raise NotApplicable(
        f"no penalty can be chosen: of the wells fitted on ({split.said}), batches that are held "
        "out share no class with the others; name one penalty (penalty=)"
    )


def _tested(splits: Sequence[Split]) -> Mask:
    """Return which wells are on the test side of some split: (n,)."""
    tested: Mask = np.any([split.test for split in splits], axis=0)
    return tested


def _elsewhere(labelled: LabelledWells, column: str) -> tuple[Sides, Codes]:
    """Return all wells, those tested whose class is in several groups, and the groups."""
    values = labelled.wells.metadata[column]
    missing = int((is_missing(values) & labelled.used).sum())
    if missing:
        raise InputError(
            f"{missing:,} wells have no value in column {column!r} to look for neighbours outside "
            "of; fill it in or leave them out"
        )
    groups, _ = batch_codes(values)
    used = np.flatnonzero(labelled.used)
    codes = labelled.codes[used]
    pairs = pd.DataFrame({"code": codes, "group": groups[used]}).groupby("code")["group"]
    spread = pairs.nunique()
    single = spread.index[spread < 2].to_numpy(np.int64)
    known = ~np.isin(codes, single)
    if not known.any():
        raise NotApplicable(
            f"no class is in two values of column {column!r}, so no well has a neighbour of its "
            "class to be found; name another column (split=)"
        )
    return (
        Sides(used, codes, used[known], codes[known], np.unique(codes), codes[~known]),
        groups,
    )


def _parts_batches(labelled: LabelledWells, groups: Codes) -> bool:
    """Whether the wells of some batch, of those that have a class, are of several groups (n,)."""
    batches, names = labelled.wells.batches()
    pairs = pd.DataFrame({"batch": batches, "group": groups})[labelled.used]
    return len(names) > 1 and bool(pairs.groupby("batch")["group"].nunique().gt(1).any())


def _part(progress: Progress | None, k: int, sides: Sequence[Sides]) -> Progress:
    """Return what reports the choice of a penalty, most of the work of a split."""
    return lambda share: _tell(progress, (k + _CHOICE * share) / len(sides))


def _tell(progress: Progress | None, share: float) -> None:
    if progress is not None:
        progress(share)
