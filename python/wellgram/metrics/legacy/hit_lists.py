"""Hit@k: how early replicates come among the partners of each profile."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from wellgram.align import Aligner
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.number_checks import checked_numbers
from wellgram.backends.protocol import Codes, Progress
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.metrics.legacy.replicate_groups import LegacySimilarity, Profiles, ReplicateGroups

PERCENTS = (1, 2, 5, 10, 25, 50, 100)


@dataclass(frozen=True, repr=False)
class HitResult:
    """The ranks of all replicates among the partners of each profile.

    `table` has a row per percentage: ``percent`` of the profiles; ``n_hits``, replicates up to that
    rank; ``n_expected`` by chance; and ``hit_score``, their difference.
    """

    table: pd.DataFrame
    ranks: Codes
    """(h,): of each pair of a profile and a replicate, how many partners come before; profile by
    profile, the most similar first"""

    def __repr__(self) -> str:
        return f"Hits of {len(self.ranks):,} replicates, median rank {np.median(self.ranks):g}"

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def hit_at_k(
    profiles: Profiles,
    align: Aligner = None,
    *,
    sameby: str | Sequence[str] = "perturbation",
    percents: Sequence[float] = PERCENTS,
    similarity: LegacySimilarity = "correlation",
    backend: str | None = None,
    progress: Progress | None = None,
) -> HitResult:
    """Return how many replicates are among the first partners of profiles, less chance.

    All other profiles are the partners of a profile, the most similar first; the rank of a
    replicate is how many are more similar. A percentage p of n profiles counts ranks up to
    ``p n / 100``, less ``floor(p h / 100)`` of h replicates. As
    ``cytominer_eval.operations.hitk`` has it, where each profile is grouped alone. Partners are
    counted in one pass and never sorted.

    Parameters
    ----------
    profiles, align, sameby, similarity, backend, progress
        As for `replicate_reproducibility`.
    percents
        Percentages of the profiles, in (0, 100].

    Raises
    ------
    InputError
        If a column is absent, there are no replicates, or a percentage is out of range.
    """
    wanted = np.array(checked_numbers(percents, "percents"))
    if not ((wanted > 0) & (wanted <= 100)).all():
        raise InputError(f"percents must be above 0 and at most 100, not {list(percents)}")
    groups = ReplicateGroups.of(profiles, align, sameby, similarity)
    i, j = groups.pairs()
    run, n = get_backend(), len(groups.unit)
    values = run.pair_cosines(groups.unit, np.minimum(i, j), np.maximum(i, j)).astype(np.float64)
    owner, values = np.concatenate([i, j]), np.concatenate([values, values])
    order = np.lexsort((values, owner))
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=n))])
    itself = np.arange(n, dtype=np.int32)[None]  # a profile is no partner of itself
    ranks = run.rank_counts(
        groups.unit, groups.unit, starts, values[order], itself, itself, progress=progress
    )
    ranks = ranks[np.lexsort((ranks, owner[order]))]
    n_hits = np.array([np.count_nonzero(ranks <= p * n / 100) for p in wanted])
    expected = np.array([int(p * len(ranks) / 100) for p in wanted])
    table = pd.DataFrame(
        {
            "percent": wanted,
            "n_hits": n_hits,
            "n_expected": expected,
            "hit_score": n_hits - expected,
        }
    )
    return HitResult(table, ranks)
