"""Enrichment above a percentile: whether replicates are more frequent among the most alike."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wellgram.align import Aligner
from wellgram.backends import takes_backend
from wellgram.backends.consumers import CountBelow
from wellgram.backends.number_checks import checked_numbers
from wellgram.backends.protocol import Progress
from wellgram.errors import InputError
from wellgram.metrics.legacy.replicate_groups import LegacySimilarity, Profiles, ReplicateGroups
from wellgram.pairs.distribution import exact_quantiles
from wellgram.pairs.scanning import scan
from wellgram.pairs.unit_rows import UnitRows


@takes_backend
def enrichment_above(
    profiles: Profiles,
    align: Aligner = None,
    *,
    sameby: str | Sequence[str] = "perturbation",
    quantiles: Sequence[float] = (0.95, 0.98, 0.99),
    similarity: LegacySimilarity = "correlation",
    backend: str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return whether pairs above a quantile of all similarities are replicates more often.

    Fisher's exact test, one-sided, of pairs that are replicates or not against pairs above the
    quantile or not. As ``cytominer_eval.operations.enrichment`` has it of each pair once. Given its
    full matrix, that counts each pair twice, and its p-values are too small. Pairs that share a
    profile depend on each other: a p-value is too small here, too, where groups are large.

    Parameters
    ----------
    profiles, align, sameby, similarity, backend, progress
        As for `replicate_reproducibility`.
    quantiles
        Of the similarities of all pairs, in [0, 1].

    Returns
    -------
    pandas.DataFrame
        A row per quantile: ``quantile``, ``threshold``, ``n_replicates_above``, ``n_above``,
        ``odds_ratio`` and ``p_value``.

    Raises
    ------
    InputError
        If a column is absent, there are no replicates, or a quantile is out of range.
    """
    from scipy.stats import hypergeom

    shares = np.array(checked_numbers(quantiles, "quantiles"))
    if not ((shares >= 0) & (shares <= 1)).all():
        raise InputError(f"quantiles must lie in [0, 1], not {list(quantiles)}")
    groups = ReplicateGroups.of(profiles, align, sameby, similarity)
    rows = UnitRows(groups.unit)
    threshold = exact_quantiles(rows, shares, progress=progress)
    # How many are not above: those below the next number.
    (up_to,) = scan(rows, None, [CountBelow(tuple(np.nextafter(threshold, np.inf).tolist()))])[:]
    pairs = rows.n * (rows.n - 1) // 2
    above = pairs - up_to
    values = rows.cosines(*groups.pairs()).astype(np.float64)
    hits = np.array([np.count_nonzero(values > t) for t in threshold])
    rest = len(values) - hits, above - hits
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = hits * (pairs - above - rest[0]) / (rest[0] * rest[1]).astype(np.float64)
    return pd.DataFrame(
        {
            "quantile": shares,
            "threshold": threshold,
            "n_replicates_above": hits,
            "n_above": above,
            "odds_ratio": odds,
            "p_value": hypergeom.sf(hits - 1, pairs, len(values), above),
        }
    )
