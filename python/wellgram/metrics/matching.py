"""Scores after matching on a number, such as the cell count: like is compared with like."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from wellgram.align import Alignment, BatchAffine
from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import InputError
from wellgram.input_kinds import check_frame, check_map, check_wells
from wellgram.metrics.bootstrap import gene_bootstrap
from wellgram.metrics.confounders import standardized
from wellgram.metrics.recall import TAILS, Null, Same, checked_tails, known_pairs
from wellgram.metrics.replicates import aligned_rows
from wellgram.metrics.rows_of_pairs import Sources
from wellgram.pairs import PairDtype, UnitRows, order_statistics, pair_count
from wellgram.stream import WellStream
from wellgram.wells import KEYS, LabelledMap, Wells


@takes_backend
def match_wells(
    wells: Wells | WellStream,
    column: str,
    align: Alignment | BatchAffine | None = None,
    *,
    bins: int = 5,
    backend: str | None = None,
) -> Wells:
    """Return aligned wells whose batches are parts of a batch with about the same number.

    Coarsened exact matching (Iacus, King and Porro 2012): the controls of a batch are cut into bins
    of the number, as many controls in each; wells outside of the controls' range are left out, for
    nothing matches them. ``batch`` of the result names batch and bin, so that what compares within
    batches compares matched wells: ``consistency(null="batches")``, or ``average_precision`` with
    ``neg_sameby="batch", neg_diffby="is_control"``.

    Parameters
    ----------
    wells
        The wells. A stream is read.
    column
        A numeric column of their metadata, such as the cell count.
    align
        An alignment, fitted to all these wells unless it has been before; None: as they are.
    bins
        How many bins a batch is cut into; fewer where its controls have fewer values.
    backend
        See `wellgram.set_backend`.

    Raises
    ------
    InputError
        As for `covariate_wells`; or if `bins` is not positive.
    """
    check_wells(wells)
    check_whole(bins, "bins")
    if bins < 1:
        raise InputError(f"bins must be 1 or more, not {bins}")
    z = standardized(wells, column)
    batch, names = wells.batches()
    is_control = wells.metadata["is_control"].to_numpy(bool)
    place = np.full(len(z), -1)
    for b in range(len(names)):
        own = np.flatnonzero(batch == b)
        controls = z[own[is_control[own]]]
        edges = np.unique(np.quantile(controls, np.linspace(0, 1, bins + 1)))
        inside = own[(z[own] >= edges[0]) & (z[own] <= edges[-1])]
        place[inside] = np.searchsorted(edges[1:-1], z[inside], side="right")
    kept = place >= 0
    rows = aligned_rows(wells, align)[kept]
    stratum = [
        f"{names[b]}, {column} {k + 1}" for b, k in zip(batch[kept], place[kept], strict=True)
    ]
    metadata = wells.metadata[kept].reset_index(drop=True).assign(batch=stratum)
    return Wells(rows, metadata, {**wells.origin, "batch": f"batch and bin of {column!r}"})


@takes_backend
def matched_recall(
    map_: LabelledMap,
    /,
    means: pd.DataFrame,
    sources: Sources | None = None,
    *,
    same: Same = (),
    separator: str | None = None,
    tails: Iterable[tuple[float, float]] = TAILS,
    null: Null | None = None,
    bins: int = 5,
    resamples: int = 1000,
    seed: int = 0,
    dtype: PairDtype | None = None,
    backend: str | None = None,
) -> pd.DataFrame:
    """Return the recall of known pairs among pairs that have about the same covariates.

    Perturbations are cut into bins of their covariate, as many in each, and a known pair is ranked
    among the pairs of its two bins alone. A recall that falls to chance was that of the covariate.

    Parameters
    ----------
    map_, sources, same, separator, tails, null, dtype, backend
        As for `relationship_recall`.
    means
        Of `covariate_means`: what names a perturbation, and in its last column the covariate.
    bins
        How many bins.
    resamples, seed
        How often genes are resampled, and the seed of the draws.

    Returns
    -------
    pandas.DataFrame
        A row per source and tails: ``source``, ``n_known_pairs``, ``tail_low``, ``tail_high``,
        ``n_recalled``, ``recall``, ``chance``, ``ci_low``, ``ci_high``.

    Raises
    ------
    InputError
        If a perturbation has no covariate, `bins` is out of range, or as `relationship_recall` has
        it.
    """
    check_map(map_)
    check_frame(means, "what covariate_means returns")
    tails = checked_tails(tails)
    check_whole(resamples, "resamples")
    rows, _, known = known_pairs(map_.labels, sources, same=same, separator=separator, null=null)
    covariate = _covariates_of(map_.labels.iloc[rows], means)
    check_whole(bins, "bins")
    if not 1 <= bins <= len(rows) // 2:
        raise InputError(f"bins must be from 1 to {len(rows) // 2}, half of the rows, not {bins}")
    order = np.argsort(np.argsort(covariate, kind="stable"))
    code = order * bins // len(rows)
    unit = UnitRows(map_, dtype, rows)
    records = []
    for source, (i, j) in known.items():
        left, right = _ranks_within(unit, code, bins, i, j)
        hits = np.array([(right <= low) | (left >= high) for low, high in tails])
        ends = gene_bootstrap(hits, i, j, resamples=resamples, seed=seed)
        for (low, high), hit, (start, stop) in zip(tails, hits, ends, strict=True):
            records.append(
                {
                    "source": source,
                    "n_known_pairs": len(i),
                    "tail_low": low,
                    "tail_high": high,
                    "n_recalled": int(hit.sum()),
                    "recall": hit.mean() if len(hit) else np.nan,
                    "chance": low + 1 - high,
                    "ci_low": start,
                    "ci_high": stop,
                }
            )
    return pd.DataFrame(records)


def _covariates_of(labels: pd.DataFrame, means: pd.DataFrame) -> Floats:
    """Return the covariate of each row of a map."""
    keys = [key for key in KEYS if key in labels and key in means]
    column = means.columns[-1]
    found = labels[keys].merge(means[[*keys, column]], on=keys, how="left")[column]
    missing = found.isna().to_numpy()
    if len(found) != len(labels) or missing.any():
        first = labels["perturbation"].iloc[int(np.argmax(missing))]
        raise InputError(
            f"{int(missing.sum())} perturbations of the map have no single {column!r} "
            f"(first: {first!r}); take the means of the same wells (covariate_means)"
        )
    if not pd.api.types.is_numeric_dtype(found.dtype):
        raise InputError(f"column {column!r} of the covariates holds no numbers")
    return found.to_numpy(np.float64)


def _ranks_within(
    unit: UnitRows, code: Codes, bins: int, i: Codes, j: Codes
) -> tuple[Floats, Floats]:
    """Return the shares of the pairs of the same two bins below each pair, and up to it."""
    cosines = unit.cosines(i, j).astype(np.float64)
    low, high = np.minimum(code[i], code[j]), np.maximum(code[i], code[j])
    left, right = np.empty(len(i)), np.empty(len(i))
    for a in range(bins):
        for b in range(a, bins):
            of = np.flatnonzero((low == a) & (high == b))
            if not len(of):
                continue
            rows, others = np.flatnonzero(code == a), np.flatnonzero(code == b)
            found = order_statistics(
                unit.some(rows), (), other=None if a == b else unit.some(others), values=cosines[of]
            ).ranked
            assert found is not None
            pairs = pair_count(len(rows)) if a == b else len(rows) * len(others)
            left[of], right[of] = found.below / pairs, found.up_to / pairs
    return left, right
