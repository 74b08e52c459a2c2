"""Aggregation of pycytominer: means and medians of the rows of each stratum."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.feature_columns import feature_names
from wellgram.accel.pycytominer.profile_tables import (
    finite_rows,
    group_keys,
    grouped_by,
    written,
)
from wellgram.backends import get_backend


def of_profiles(
    population_df: Any,
    strata: Any,
    features: Any,
    image_features: Any,
    operation: Any,
    compute_object_count: Any,
    subset_data_df: Any,
    **options: Any,
) -> None:
    """Decline counts of objects and subsets, and strata that are no columns."""
    if compute_object_count or subset_data_df is not None:
        raise Declined("objects are to be counted, or a subset to be taken")
    grouped_by(population_df, strata)


def aggregate(
    population_df: pd.DataFrame,
    strata: Any,
    features: Any = "infer",
    image_features: bool = False,
    operation: str = "median",
    output_file: Any = None,
    output_type: Any = "csv",
    compute_object_count: bool = False,
    object_feature: str = "Metadata_ObjectNumber",
    subset_data_df: Any = None,
    compression_options: Any = None,
    float_format: Any = None,
) -> Any:
    """Return the mean or median of the features of each stratum."""
    from pycytominer.cyto_utils import check_aggregate_operation, infer_cp_features

    operation = check_aggregate_operation(operation)
    if isinstance(features, str) and features == "infer":
        features = infer_cp_features(population_df, image_features=image_features)
    names = feature_names(features, strata)
    table = strata_means(population_df, strata, names, operation)
    table = table.drop(columns=[c for c in ("ImageNumber", "ObjectNumber") if c in table])
    return written(table, output_file, output_type, compression_options, float_format)


def strata_means(
    table: pd.DataFrame, strata: list[str], names: list[str], operation: str
) -> pd.DataFrame:
    """Return the mean or median of the features of each stratum, beside its labels."""
    grouped = grouped_by(table, strata)
    rows = finite_rows(table, names, narrow=True)
    code, keys = grouped.ngroup().to_numpy(np.int64), group_keys(grouped, strata)
    run = get_backend()
    if operation == "median":
        found = run.group_medians(rows, code, len(keys))
    else:
        sums, counts = run.group_sums(rows, code, len(keys))
        found = sums / counts[:, None]
    return pd.concat([keys, pd.DataFrame(found, columns=names)], axis="columns")
