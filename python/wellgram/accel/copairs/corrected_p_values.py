"""p-values corrected group by group: `apply_hierarchical_fdr_correction` of copairs."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.copairs.progress_log import tell
from wellgram.accel.declined import Declined

_MADE = {"stage1_p_value", "stage1_corrected_p_value", "stage1_significant", "corrected_p_value"}


def hierarchical_correction(
    map_scores: pd.DataFrame, hierarchical_by: Any, sameby: Any
) -> pd.DataFrame:
    """Return p-values corrected within the groups whose least p-value is low among groups'."""
    from statsmodels.stats.multitest import fdrcorrection, multipletests

    check_groups(hierarchical_by, sameby)
    _check_means(map_scores, hierarchical_by)
    groups = map_scores.groupby(hierarchical_by, observed=True)
    stage = groups.agg({"p_value": "min"})
    stage.columns = ["stage1_p_value"]
    passed, corrected, _, _ = multipletests(stage["stage1_p_value"], method="fdr_bh")
    stage["stage1_corrected_p_value"] = corrected
    stage["stage1_significant"] = passed
    group = groups.ngroup().fillna(-1).to_numpy().astype(np.int64)
    order = np.argsort(group, kind="stable")[(group < 0).sum() :]
    members = np.split(order, np.cumsum(np.bincount(group[order], minlength=len(stage)))[:-1])
    p = map_scores["p_value"].to_numpy()
    column = np.ones(len(p))
    for number in np.flatnonzero(passed).tolist():
        rows = members[number]
        column[rows] = p[rows] if len(rows) == 1 else fdrcorrection(p[rows])[1]
    table: pd.DataFrame = map_scores.merge(stage.reset_index(), on=hierarchical_by, how="left")
    table["corrected_p_value"] = column
    tell("Applying hierarchical FDR correction...")
    return table


def check_groups(hierarchical_by: Any, sameby: Any) -> None:
    """Decline unless groups of groups are given by some of the columns of the groups."""
    for names in (hierarchical_by, sameby):
        if type(names) is not list or not names or not all(isinstance(name, str) for name in names):
            raise Declined("groups are not given as lists of names")
    if not set(hierarchical_by) < set(sameby) or len(set(hierarchical_by)) < len(hierarchical_by):
        raise Declined("groups of groups are not given by some of the columns")


def _check_means(map_scores: Any, hierarchical_by: list[str]) -> None:
    if type(map_scores) is not pd.DataFrame or not map_scores.columns.is_unique:
        raise Declined("means are no table, or a column is there twice")
    if not {"p_value", *hierarchical_by} <= set(map_scores) or _MADE & set(map_scores):
        raise Declined("a column is not there, or has a name of the results")
    p = map_scores["p_value"]
    if p.dtype != np.float64 or not len(p) or p.isna().any():
        raise Declined("p-values are missing, or no floats")
    if map_scores[hierarchical_by].isna().any(axis=None):
        raise Declined("a label is missing")
