"""Grit: how alike the perturbations of a group are, in units of their similarity to controls."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align import Aligner
from wellgram.backends import takes_backend
from wellgram.backends.consumers import RowMoments
from wellgram.backends.protocol import Codes, Floats, Progress
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.label_rules.controls import Control
from wellgram.metrics.legacy.replicate_groups import (
    LegacySimilarity,
    Profiles,
    column_codes,
    compared_rows,
    control_rows,
    given_profiles,
    pairs_within,
)
from wellgram.pairs.scanning import scan
from wellgram.pairs.unit_rows import UnitRows

GritSummary = Literal["mean", "median"]


@dataclass(frozen=True, repr=False)
class GritResult:
    """The grit of each perturbation.

    `table` has a row per perturbation, sorted: its column and that of its group; ``n_pairs`` with
    profiles of other perturbations of the group; ``n_control_pairs``; ``control_mean`` and
    ``control_sd``, of its similarities to controls; ``grit``; and ``reason``, why it is missing.
    """

    table: pd.DataFrame

    def __repr__(self) -> str:
        scored = self.table["grit"].dropna()
        return f"Grit: median {scored.median():.2f} of {len(scored):,} perturbations"

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def grit(
    profiles: Profiles,
    align: Aligner = None,
    *,
    group: str,
    perturbation: str = "perturbation",
    controls: Control | None = None,
    summary: GritSummary = "mean",
    similarity: LegacySimilarity = "correlation",
    backend: str | None = None,
    progress: Progress | None = None,
) -> GritResult:
    """Return how alike each perturbation is to others of its group, beside controls.

    Of the similarities of its profiles to those of other perturbations of the group, less the mean
    of their similarities to controls, over the standard deviation (of the population) of these: the
    mean. As ``cytominer_eval.operations.grit`` has it. Similarities to controls are added up in one
    pass; those within groups are listed.

    Parameters
    ----------
    profiles, align, similarity, backend, progress
        As for `replicate_reproducibility`; control wells are taken too.
    group
        A column, such as the gene of guides. A profile without a value is in no group.
    perturbation
        A column: whose grit it is, such as the guide.
    controls
        Labels of controls in column ``perturbation``; None: the control wells.
    summary
        ``"mean"`` or ``"median"``, over pairs.

    Raises
    ------
    InputError
        If a column is absent, a perturbation is in two groups, or there are fewer than two
        controls.
    """
    if summary not in get_args(GritSummary):
        raise InputError(f"unknown summary {summary!r}; choose 'mean' or 'median'")
    metadata, given = given_profiles(profiles, align, controls=True)
    whose, codes = column_codes(metadata, [perturbation]), column_codes(metadata, [group])
    _check_one_group(metadata, perturbation, group)
    is_control = control_rows(profiles, metadata, controls)
    rows = UnitRows(compared_rows(given, similarity))
    there = whose >= 0
    count = int(whose.max()) + 1
    controls_of = _control_moments(rows, is_control, progress)
    n, total, squares = (np.bincount(whose[there], part[there], count) for part in controls_of)
    mean = total / n
    spread = np.sqrt(np.maximum(squares / n - mean**2, 0))
    scale = np.where(spread > 0, spread, 1)
    i, j = pairs_within(np.where(there, codes, -1)) if (codes >= 0).any() else _no_pairs()
    other = whose[i] != whose[j]
    values = rows.cosines(i[other], j[other]).astype(np.float64)
    of = np.concatenate([whose[i[other]], whose[j[other]]])
    scores = (np.concatenate([values, values]) - mean[of]) / scale[of]
    by = pd.Series(scores).groupby(of)
    found = (by.mean() if summary == "mean" else by.median()).reindex(range(count))
    pairs = np.bincount(of, minlength=count)
    _, first = np.unique(whose[there], return_index=True)
    place = np.flatnonzero(there)[first]
    in_group = codes[place] >= 0
    table = metadata.iloc[place][[perturbation, group]].reset_index(drop=True)
    table = table.assign(
        n_pairs=pairs,
        n_control_pairs=n.astype(np.int64),
        control_mean=mean,
        control_sd=spread,
        grit=found.to_numpy(),
        reason=np.select([~in_group, pairs == 0], ["in no group", "alone in its group"], ""),
    )
    return GritResult(table.sort_values(perturbation, ignore_index=True))


def _check_one_group(metadata: pd.DataFrame, perturbation: str, group: str) -> None:
    counts = metadata.groupby(perturbation)[group].nunique()
    several = counts.index[counts > 1]
    if len(several):
        raise InputError(
            f"{len(several):,} values of {perturbation!r} are in several groups of {group!r} "
            f"(first: {several[0]!r}); give each one group"
        )


def _control_moments(
    rows: UnitRows,
    is_control: NDArray[np.bool_],
    progress: Progress | None,
) -> Floats:
    """Return of each row how many controls it has, and the sums of similarities and squares."""
    some = np.flatnonzero(is_control)
    moments: Floats = scan(rows, rows.some(some), [RowMoments()], progress=progress)[0].copy()
    same = rows.cosines(some, some).astype(np.float64)  # of a control with itself: no pair
    moments[:, some] -= np.stack([np.ones_like(same), same, same**2])
    return moments


def _no_pairs() -> tuple[Codes, Codes]:
    return np.empty(0, np.int64), np.empty(0, np.int64)
