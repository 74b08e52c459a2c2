"""Percent replicating and percent matching: how often replicates are more alike than others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from wellgram.align import Aligner
from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_number
from wellgram.backends.protocol import Progress
from wellgram.errors import InputError, NotApplicable
from wellgram.files import save_csv
from wellgram.metrics.legacy.replicate_groups import LegacySimilarity, Profiles, ReplicateGroups
from wellgram.pairs.distribution import exact_quantiles
from wellgram.pairs.unit_rows import UnitRows


@dataclass(frozen=True, repr=False)
class ReproducibilityResult:
    """How many replicates are more alike than most profiles that are none.

    `table` has a row per group: its columns, ``n_pairs`` of replicates, their
    ``median_similarity``, and ``above_threshold``, whether that is above the threshold.
    """

    table: pd.DataFrame
    threshold: float
    """The quantile of the similarities of all pairs that are no replicates"""
    share_of_pairs: float
    """Of all pairs of replicates, how many are above it: cytominer-eval's figure"""

    @property
    def share_of_groups(self) -> float:
        """Of all groups, how many have a median above it: percent replicating, or matching."""
        return float(self.table["above_threshold"].mean())

    def __repr__(self) -> str:
        return (
            f"Replicating: {self.share_of_groups:.1%} of {len(self.table):,} groups, "
            f"{self.share_of_pairs:.1%} of {int(self.table['n_pairs'].sum()):,} pairs above "
            f"{self.threshold:.3f}"
        )

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def replicate_reproducibility(
    profiles: Profiles,
    align: Aligner = None,
    *,
    sameby: str | Sequence[str] = "perturbation",
    quantile: float = 0.95,
    similarity: LegacySimilarity = "correlation",
    backend: str | None = None,
    progress: Progress | None = None,
) -> ReproducibilityResult:
    """Return how often replicates are more alike than a quantile of pairs that are none.

    With the columns of a perturbation it is percent replicating; with a mechanism, on one profile
    per compound, it is percent matching (Way et al. 2022, Cell Systems 13, 911). As
    ``cytominer_eval.operations.replicate_reproducibility`` has it, which returns
    `share_of_pairs`. The quantile is that of all pairs, from one pass that stores none.

    Parameters
    ----------
    profiles
        Wells, of which those in the map are compared, or the rows of a map.
    align
        An alignment of wells; None: as they are.
    sameby
        Columns: replicates have the same values in all of them. A profile without a value has no
        replicates.
    quantile
        Which one of pairs that are no replicates, in (0, 1].
    similarity
        ``"correlation"`` (Pearson's) or ``"cosine"``.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the pairs that is done.

    Raises
    ------
    InputError
        If a column is absent, there are no replicates, or all profiles are replicates.
    """
    check_number(quantile, "quantile")
    if not 0 < quantile <= 1:
        raise InputError(f"quantile must be above 0 and at most 1, not {quantile}")
    groups = ReplicateGroups.of(profiles, align, sameby, similarity)
    rows = UnitRows(groups.unit)
    i, j = groups.pairs()
    if len(i) == rows.n * (rows.n - 1) // 2:
        raise NotApplicable(
            f"all {rows.n:,} profiles are replicates of each other: there are no other pairs to "
            "compare them with; give profiles of several groups, or name other columns (sameby=)"
        )
    values = rows.cosines(i, j).astype(np.float64)
    threshold = float(
        exact_quantiles(rows, np.array([quantile]), left_out=values, progress=progress)[0]
    )
    by_group = pd.Series(values).groupby(groups.codes[i])
    median = by_group.median()
    table = groups.table(median.index.to_numpy()).assign(
        n_pairs=by_group.size().to_numpy(),
        median_similarity=median.to_numpy(),
        above_threshold=median.to_numpy() > threshold,
    )
    return ReproducibilityResult(table, threshold, float((values > threshold).mean()))
