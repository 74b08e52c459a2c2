"""Precision and recall among the k most similar partners."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wellgram.align import Aligner
from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Progress
from wellgram.errors import InputError
from wellgram.metrics.legacy.replicate_groups import (
    LegacySimilarity,
    Profiles,
    ReplicateGroups,
    column_codes,
)
from wellgram.metrics.pairing import as_names
from wellgram.pairs import neighbors


@takes_backend
def precision_recall(
    profiles: Profiles,
    align: Aligner = None,
    *,
    k: int = 10,
    sameby: str | Sequence[str] = "perturbation",
    groupby: str | Sequence[str] | None = None,
    similarity: LegacySimilarity = "correlation",
    backend: str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return how many of the k most similar partners are replicates.

    Precision is their number over k, recall over all replicates. As
    ``cytominer_eval.operations.precision_recall`` has it. Each profile is asked, or the profiles of
    each group together: of all pairs of one of its profiles and any other, those k that are most
    similar. From one pass over all pairs, which keeps the nearest of each.

    Parameters
    ----------
    profiles, align, sameby, similarity, backend, progress
        As for `replicate_reproducibility`.
    k
        How many partners.
    groupby
        Columns whose profiles are asked together: with those of `sameby`, as cytominer-eval 0.1 has
        it; None: each profile alone. A profile without a value is asked in no group.

    Returns
    -------
    pandas.DataFrame
        A row per profile, with its metadata, or per group: ``n_relevant``, all its pairs with
        replicates; ``n_found``, those among the first k; ``precision`` and ``recall``, NaN where
        there are no replicates.

    Raises
    ------
    InputError
        If a column is absent, there are no replicates, or there are not so many partners.
    """
    check_whole(k, "k")
    groups = ReplicateGroups.of(profiles, align, sameby, similarity)
    n, codes = len(groups.unit), groups.codes
    if not 1 <= k < n:
        raise InputError(f"k must be from 1 to {n - 1}, the partners of a profile, not {k}")
    near = neighbors(groups.unit, k, farthest=0, progress=progress)
    alike = (codes[near.nearest] == codes[:, None]) & (codes >= 0)[:, None]
    sizes = np.bincount(codes[codes >= 0])
    relevant = np.where(codes >= 0, sizes[codes] - 1, 0)
    if groupby is None:
        table, n_found = groups.metadata, alike.sum(axis=1)
    else:
        columns = as_names(groupby)
        asked = column_codes(groups.metadata, columns)
        there = np.flatnonzero(asked >= 0)
        order = np.lexsort((-near.nearest_cosines[there].ravel(), np.repeat(asked[there], k)))
        _, first, counts = np.unique(asked[there], return_index=True, return_counts=True)
        starts = np.repeat(np.cumsum([0, *counts[:-1]]) * k, k) + np.tile(np.arange(k), len(counts))
        n_found = alike[there].ravel()[order][starts].reshape(-1, k).sum(axis=1)
        relevant = np.bincount(asked[there], relevant[there]).astype(np.int64)
        table = groups.metadata.iloc[there[first]][list(columns)].reset_index(drop=True)
    with np.errstate(invalid="ignore"):
        shares = {"precision": n_found / k, "recall": n_found / relevant}
    return table.assign(n_relevant=relevant, n_found=n_found, **shares)
