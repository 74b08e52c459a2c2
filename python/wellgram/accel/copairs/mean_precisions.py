"""Mean average precision of copairs, and its p-values."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.copairs.copairs_releases import copairs_release
from wellgram.accel.copairs.corrected_p_values import check_groups, hierarchical_correction
from wellgram.accel.copairs.null_precisions import Nulls, get_null_dists
from wellgram.accel.copairs.progress_log import MEANS, tell
from wellgram.accel.declined import Declined
from wellgram.backends.protocol import Codes

_SIZES = ["n_pos_pairs", "n_total_pairs"]
_TAKEN = {*_SIZES, "null_ix", "average_precision", "normalized_average_precision"}


def means_and_p_values(
    ap_scores: pd.DataFrame,
    sameby: Any,
    null_size: int,
    seed: Any,
    progress_bar: bool = True,
    max_workers: int | None = None,
    cache_dir: str | Path | None = None,
) -> pd.DataFrame:
    """Return the mean average precision of each group and its p-value."""
    release = copairs_release()
    if release.silent_means_fail and not progress_bar:
        raise Declined("this version cannot do without a progress bar")
    if max_workers is not None and not (isinstance(max_workers, int) and max_workers > 0):
        raise Declined("the number of workers is no positive whole number")
    scores = _known(ap_scores, sameby)
    kinds, kind = np.unique(scores[_SIZES].to_numpy(), axis=0, return_inverse=True)
    nulls = get_null_dists(kinds, null_size, seed, cache_dir)
    columns = {"average_precision": "mean"}
    if release.normalizes:
        columns["normalized_average_precision"] = "mean"
    table_of: Any = scores.groupby  # with options that its stubs want written out
    groups = table_of(sameby, observed=True, as_index=not release.columns_of_sameby)
    table: pd.DataFrame = groups.agg(columns)
    keys = sameby if release.columns_of_sameby else []
    table.columns = [*keys, *(f"mean_{column}" for column in columns)]
    members = _members(groups, len(table))
    table.insert(len(keys) + 1, "indices", pd.Series([m.tolist() for m in members], table.index))
    table["p_value"] = _p_values(
        table["mean_average_precision"].tolist(), [kind.ravel()[m] for m in members], nulls
    )
    tell(*MEANS)
    return table


def mean_precision(
    ap_scores: pd.DataFrame,
    sameby: Any,
    null_size: int,
    threshold: float,
    seed: Any,
    progress_bar: bool = True,
    max_workers: int | None = None,
    cache_dir: str | Path | None = None,
) -> pd.DataFrame:
    """Return the same, with p-values corrected for the number of groups."""
    from statsmodels.stats.multitest import multipletests

    table = means_and_p_values(
        ap_scores, sameby, null_size, seed, progress_bar, max_workers, cache_dir
    )
    table["corrected_p_value"] = multipletests(table["p_value"], method="fdr_bh")[1]
    return _judged(table, threshold)


def hierarchical_mean_precision(
    ap_scores: pd.DataFrame,
    sameby: Any,
    null_size: int,
    threshold: float,
    seed: Any,
    hierarchical_by: Any,
    progress_bar: bool = True,
    max_workers: int | None = None,
    cache_dir: str | Path | None = None,
) -> pd.DataFrame:
    """Return the same, corrected within groups of groups that have a low p-value."""
    check_groups(hierarchical_by, sameby)
    table = means_and_p_values(
        ap_scores, sameby, null_size, seed, progress_bar, max_workers, cache_dir
    )
    return _judged(hierarchical_correction(table, hierarchical_by, sameby), threshold)


def _judged(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    table["below_p"] = table["p_value"] < threshold
    table["below_corrected_p"] = table["corrected_p_value"] < threshold
    return table


def _known(ap_scores: Any, sameby: Any) -> pd.DataFrame:
    """Return the rows that have a score, or decline."""
    if type(ap_scores) is not pd.DataFrame or not ap_scores.columns.is_unique:
        raise Declined("scores are no table, or a column is there twice")
    if type(sameby) is not list or not sameby or not all(isinstance(s, str) for s in sameby):
        raise Declined("groups are not given as a list of names")
    if len(set(sameby)) < len(sameby) or not set(sameby) <= {*ap_scores.columns} - _TAKEN:
        raise Declined("a column of groups is not there, or has a name of the results")
    scores = ["average_precision"]
    if copairs_release().normalizes:
        scores.append("normalized_average_precision")
    for names, kinds in ((scores, "f"), (_SIZES, "iu")):
        for name in names:
            dtype = ap_scores[name].dtype if name in ap_scores else None
            if not isinstance(dtype, np.dtype) or dtype.kind not in kinds:
                raise Declined(f"{name} is no column of such numbers")
    known = ap_scores["average_precision"].notna() & (ap_scores["n_pos_pairs"] > 0)
    if not known.any():
        raise Declined("there are no scores")
    if ap_scores.loc[known.to_numpy(), sameby].isna().any(axis=1).all():
        raise Declined("there are no groups")
    kept: pd.DataFrame = ap_scores[known.to_numpy()].reset_index(drop=True)
    return kept


def _members(groups: Any, count: int) -> list[Codes]:
    """Return the rows of each group, ascending. A row with a missing label is in none."""
    group = groups.ngroup().fillna(-1).to_numpy().astype(np.int64)
    order = np.argsort(group, kind="stable")[(group < 0).sum() :]
    ends = np.cumsum(np.bincount(group[order], minlength=count))[:-1]
    return np.split(order, ends)


def _p_values(means: list[float], kinds: list[NDArray[Any]], nulls: Nulls) -> list[float]:
    """Return the share of random rankings, and of one more, that are more precise.

    Groups of the same rankings, in the same order, have the same null.
    """
    sorted_nulls: dict[bytes, Nulls] = {}
    size = nulls.shape[1]
    p = []
    for mean, kind in zip(means, kinds, strict=True):
        key = kind.tobytes()
        if key not in sorted_nulls:
            sorted_nulls[key] = np.sort(nulls[kind].mean(axis=0))
        # copairs compares with the mean in float32.
        above = size - np.searchsorted(sorted_nulls[key], np.float32(mean), side="right")
        p.append((int(above) + 1) / (size + 1))
    return p
