"""Consensus of pycytominer: the replicates of each stratum as one profile."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.aggregated import strata_medians
from wellgram.accel.pycytominer.columns_of_features import (
    feature_columns,
    feature_names,
    profile_features,
    with_columns,
)
from wellgram.accel.pycytominer.given_profiles import loaded_table
from wellgram.accel.pycytominer.profile_tables import (
    check_strata,
    labelled,
    profile_strata,
    written,
)
from wellgram.accel.pycytominer.pycytominer_releases import installed_release
from wellgram.backends import get_backend
from wellgram.feature_rules.ranks_of_rows import row_ranks

_EDGE = 1e-12
"""Of weights: theirs and ours differ by less, as both are sums of a few float64"""
_LARGEST = 1e10
"""Values beyond, whose weighted means may be small, are left to the original"""


def consensus(
    profiles: Any,
    replicate_columns: Any,
    operation: str = "median",
    features: Any = "infer",
    output_file: Any = None,
    output_type: Any = "csv",
    compression_options: Any = None,
    float_format: Any = None,
    modz_args: Any = None,
) -> Any:
    """Return the median or the weighted mean of the replicates of each stratum."""
    profiles = loaded_table(profiles)
    names = profile_features(profiles, features, image_features=False)
    if operation == "modz":
        table = _modz(profiles, replicate_columns, names, modz_args or {})
    else:
        table = strata_medians(profiles, replicate_columns, names, operation)
    return written(table, output_file, output_type, compression_options, float_format)


def _modz(profiles: pd.DataFrame, strata: Any, names: list[str], options: Any) -> pd.DataFrame:
    """Return means weighted by how well each replicate correlates with the others."""
    from pycytominer.cyto_utils.modz import modz_base

    if not isinstance(options, dict):
        raise Declined("options of modz are no dictionary")
    method = str(options.get("method", "spearman")).lower()
    least, digits = float(options.get("min_weight", 0.01)), int(options.get("precision", 4))
    if method not in ("spearman", "pearson"):
        raise Declined(f"correlation {method!r} is not supported")
    check_strata(profiles, strata)
    feature_names(names, strata)
    if not profiles.index.is_unique or profiles.index.names != [None]:
        raise Declined("the index repeats or has a name, which correlations of replicates cannot")
    groups = profile_strata(profiles, strata, keeps_missing=installed_release().modz_keeps_missing)
    table = with_columns(profiles, names)
    rows = np.ascontiguousarray(feature_columns(table).T, np.float64)
    if not max(rows.max(), -rows.min()) < _LARGEST or len(names) < 2:
        raise Declined("a value is missing or very large, or there is only one feature")
    counts = np.bincount(groups.code[groups.code >= 0])
    if counts.max() == 1 or (method == "pearson" and counts.min() == 1):
        raise Declined("a stratum has no replicates")
    ranks = row_ranks(rows) if method == "spearman" else rows
    if (np.ptp(ranks, axis=1) == 0).any():
        raise Declined("a profile is the same in all features, and correlates with none")
    unit, _ = get_backend().unit_rows(ranks - ranks.mean(axis=1, keepdims=True))
    order = np.argsort(groups.code, kind="stable")[np.count_nonzero(groups.code < 0) :]
    values = np.empty((len(counts), len(names)))
    for g, members in enumerate(np.split(order, np.cumsum(counts)[:-1])):
        if len(members) == 1:
            values[g] = rows[members[0]]
            continue
        correlation = (unit[members] @ unit[members].T).clip(min=0)
        np.fill_diagonal(correlation, 0)
        weights = np.maximum(correlation.sum(axis=1) / (len(members) - 1), least)
        total = weights.sum()
        weights /= total or 1
        edges = np.abs(weights * 10.0**digits % 1 - 0.5)
        # Rounding could turn either way there, and releases do not agree on weights of zero.
        if total == 0 or (edges < _EDGE * 10.0**digits).any():
            some = table.iloc[members]
            values[g] = modz_base(some, method=method, min_weight=least, precision=digits)
        else:
            values[g] = weights.round(digits) @ rows[members]
    sample = profiles.iloc[order[:1]][[*strata, *names]].groupby(strata, dropna=False)
    shape = sample.apply(lambda some: some.loc[:, names].transpose().sum(axis="columns"))
    return labelled(groups, names, values, shape.reset_index())
