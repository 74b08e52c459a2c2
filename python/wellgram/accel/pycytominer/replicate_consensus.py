"""Consensus of pycytominer: the replicates of each stratum as one profile."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.aggregated import strata_means
from wellgram.accel.pycytominer.feature_columns import feature_names
from wellgram.accel.pycytominer.profile_tables import (
    finite_rows,
    group_keys,
    grouped_by,
    written,
)
from wellgram.backends import get_backend
from wellgram.backends.protocol import Floats

_EDGE = 1e-12
"""Of weights: theirs and ours differ by less, as both are sums of a few float64"""


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
    """Return the mean, the median, or the weighted mean of the replicates of each stratum."""
    from pycytominer.cyto_utils import (
        check_consensus_operation,
        infer_cp_features,
        load_profiles,
    )

    operation = check_consensus_operation(operation)
    profiles = load_profiles(profiles)
    grouped_by(profiles, replicate_columns)
    if isinstance(features, str) and features == "infer":
        features = infer_cp_features(profiles)
    names = feature_names(features, replicate_columns)
    if operation == "modz":
        table = _modz(profiles, replicate_columns, names, modz_args or {})
    else:
        table = strata_means(profiles, replicate_columns, names, operation)
        table = table.drop(columns=[c for c in ("ImageNumber", "ObjectNumber") if c in table])
    return written(table, output_file, output_type, compression_options, float_format)


def _modz(
    profiles: pd.DataFrame, strata: list[str], names: list[str], options: dict[str, Any]
) -> pd.DataFrame:
    """Return means weighted by how well each replicate correlates with the others."""
    from pycytominer.cyto_utils.modz import modz_base

    method = str(options.get("method", "spearman")).lower()
    least, digits = float(options.get("min_weight", 0.01)), int(options.get("precision", 4))
    if method not in ("spearman", "pearson"):
        raise Declined(f"correlation {method!r} is not supported")
    grouped = grouped_by(profiles, strata)
    rows = finite_rows(profiles, names)
    code, keys = grouped.ngroup().to_numpy(np.int64), group_keys(grouped, strata)
    ranks = _ranked(rows) if method == "spearman" else rows
    if len(names) < 2 or (np.ptp(ranks, axis=1) == 0).any():
        raise Declined("a profile is the same in all features, and correlates with none")
    unit, _ = get_backend().unit_rows(ranks - ranks.mean(axis=1, keepdims=True))
    order = np.argsort(code, kind="stable")
    found = np.empty((len(keys), len(names)))
    for g, own in enumerate(np.split(order, np.cumsum(np.bincount(code))[:-1])):
        if len(own) == 1:
            found[g] = rows[own[0]]
            continue
        correlation = (unit[own] @ unit[own].T).clip(min=0)
        np.fill_diagonal(correlation, 0)
        weights = np.maximum(correlation.sum(axis=1) / (len(own) - 1), least)
        total = weights.sum()
        weights = np.full(len(own), 1 / len(own)) if total == 0 else weights / total
        edges = np.abs(weights * 10.0**digits % 1 - 0.5)
        if (edges < _EDGE * 10.0**digits).any():  # rounding could turn either way: as theirs does
            some = profiles.iloc[own][names]
            found[g] = modz_base(some, method=method, min_weight=least, precision=digits)
        else:
            found[g] = weights.round(digits) @ rows[own]
    return pd.concat([keys, pd.DataFrame(found, columns=names)], axis="columns")


def _ranked(rows: Floats) -> Floats:
    """Return the rank of each value in its row; equal values share the mean of theirs."""
    order = rows.argsort(axis=1)
    in_order = np.take_along_axis(rows, order, axis=1)
    if (in_order[:, 1:] == in_order[:, :-1]).any():
        from scipy.stats import rankdata

        return np.asarray(rankdata(rows, axis=1))
    np.put_along_axis(in_order, order, np.arange(rows.shape[1])[None, :], axis=1)
    return in_order
