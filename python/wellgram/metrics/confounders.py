"""What a score may owe to a number: cell counts, how many wells there are."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Floats
from wellgram.errors import ColumnMissing, InputError
from wellgram.input_kinds import check_frame, check_wells
from wellgram.maps.build import map_rows
from wellgram.wells import KEYS, WellLabels, Wells


def covariate_wells(wells: WellLabels, column: str) -> Wells:
    """Return wells whose embedding is one number of each, to be scored as any other.

    The number, a cell count for example, is standardised by the controls of its batch to z, and the
    embedding is (1, z): the cosine of two wells falls with the difference of their angles, and
    means, energy distances and alignments are those of z. What these wells score, an embedding
    need not be credited with.

    Parameters
    ----------
    wells
        The wells; their embeddings are not looked at.
    column
        A numeric column of their metadata.

    Raises
    ------
    InputError
        If there is no such column, a value is missing or no number, or the controls of a batch are
        fewer than two or all have one value.
    """
    check_wells(wells)
    z = standardized(wells, column)
    origin = {**wells.origin, "embeddings": f"the number {column!r}"}
    return Wells(np.stack([np.ones(len(z)), z], axis=1), wells.metadata, origin)


def covariate_means(wells: WellLabels, column: str) -> pd.DataFrame:
    """Return the mean number of each perturbation: its labels and `column`, standardised.

    Parameters, errors: see `covariate_wells`.
    """
    check_wells(wells)
    codes, labels = map_rows(wells)
    z = standardized(wells, column)
    sums = np.bincount(codes[codes >= 0], z[codes >= 0], len(labels))
    keys = [key for key in KEYS if key in labels]
    return labels[[*keys, "n_wells"]].assign(**{column: sums / labels["n_wells"]})


def associations(
    table: pd.DataFrame, score: str, covariates: str | Sequence[str] = "n_wells"
) -> pd.DataFrame:
    """Return the rank correlation of a score with covariates, which should not matter to it.

    Parameters
    ----------
    table
        A row per perturbation, such as the table of `consistency`.
    score
        The column of the score.
    covariates
        Columns such as ``n_wells``, or a cell count joined from `covariate_means`.

    Returns
    -------
    pandas.DataFrame
        A row per covariate: ``covariate``, Spearman's ``correlation``, its ``p_value``, and
        ``n_perturbations``, those that have both.

    Raises
    ------
    InputError
        If there is no such column.
    """
    from scipy.stats import spearmanr

    check_frame(table, "the table of scores")
    names = [covariates] if isinstance(covariates, str) else list(covariates)
    records = []
    for name in names:
        for column in (score, name):
            if column not in table:
                raise ColumnMissing(
                    f"the table has no column {column!r}; there are {[*table.columns]}"
                )
        both = table[[score, name]].dropna()
        found = spearmanr(both[score], both[name]) if len(both) > 2 else None
        records.append(
            {
                "covariate": name,
                "correlation": np.nan if found is None else float(found.statistic),
                "p_value": np.nan if found is None else float(found.pvalue),
                "n_perturbations": len(both),
            }
        )
    return pd.DataFrame(records)


def standardized(wells: WellLabels, column: str) -> Floats:
    """Return a number of each well (n,) in units of its batch's controls."""
    if column not in wells.metadata:
        raise ColumnMissing(
            f"the wells have no column {column!r}; there are "
            f"{', '.join(map(str, wells.metadata.columns))}"
        )
    value = pd.to_numeric(wells.metadata[column], errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(value)
    if bad.any():
        first = wells.metadata["well_id"][bad].iloc[0]
        raise InputError(
            f"{int(bad.sum()):,} wells have no number in {column!r} (first: {first!r}); leave "
            "those wells out"
        )
    batch, names = wells.batches()
    control = wells.metadata["is_control"].to_numpy(bool)
    of = batch[control]
    count = np.bincount(of, minlength=len(names))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(of, value[control], len(names)) / count
        spread = np.sqrt(np.bincount(of, (value[control] - mean[of]) ** 2, len(names)) / count)
    poor = np.flatnonzero((count < 2) | ~(spread > 0))
    if len(poor):
        raise InputError(
            f"{len(poor)} batches have fewer than two values of {column!r} among their controls "
            f"(first: {names[poor[0]]!r}), so there is nothing to measure it by; leave them out"
        )
    return np.asarray((value - mean[batch]) / spread[batch])
