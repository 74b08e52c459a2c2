"""Aggregation of pycytominer: medians of the rows of each stratum."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.columns_of_features import (
    feature_columns,
    feature_names,
    profile_features,
    with_columns,
)
from wellgram.accel.pycytominer.feature_threads import for_each
from wellgram.accel.pycytominer.given_profiles import checked_table
from wellgram.accel.pycytominer.profile_tables import (
    Strata,
    check_strata,
    labelled,
    profile_strata,
    written,
)
from wellgram.backends import get_backend
from wellgram.backends.protocol import Floats

_BLOCK = 524_288
"""Values that are worked on at a time, so that they stay in the cache"""
_FEWEST = 32
"""Features that are worked on at a time, as rows of fewer are slow to gather"""

_FEWEST_VALUES = 2_000_000
"""Of fewer values pandas takes the medians as fast"""


def of_profiles(
    population_df: Any, compute_object_count: Any, subset_data_df: Any, **options: Any
) -> None:
    """Decline what is no plain table, counts of objects, and subsets."""
    if compute_object_count or subset_data_df is not None:
        raise Declined("objects are to be counted, or a subset to be taken")
    checked_table(population_df)


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
    """Return the medians of the features of each stratum."""
    names = profile_features(population_df, features, image_features=image_features)
    table = strata_medians(population_df, strata, names, operation)
    return written(table, output_file, output_type, compression_options, float_format)


def strata_medians(table: pd.DataFrame, strata: Any, names: list[str], operation: Any) -> Any:
    """Return the medians of the features of each stratum, beside its labels."""
    if not isinstance(operation, str) or operation.lower() != "median":
        raise Declined("only medians are faster here: pandas takes means in one pass")
    check_amount(len(table) * len(names), _FEWEST_VALUES)
    check_strata(table, strata)
    feature_names(names, strata)
    groups = profile_strata(table, strata, keeps_missing=True)
    columns = feature_columns(with_columns(table, names))
    with np.errstate(over="ignore", invalid="ignore"):
        complete = ~np.isnan(columns.sum(axis=1))
    values = np.empty((len(names), len(groups.labels)))
    values[complete] = _medians(columns if complete.all() else columns[complete], groups)
    if not complete.all():
        others = [name for name, here in zip(names, complete, strict=True) if not here]
        values[~complete] = _by_pandas(table, strata, others)[others].to_numpy().T
    sample = _by_pandas(table.iloc[:1], strata, names).reset_index()
    result = labelled(groups, names, values.T, sample)
    # As the original has it: numbers of images and objects have no median.
    unwanted = [name for name in result.columns.tolist() if name in ("ImageNumber", "ObjectNumber")]
    return result.drop(columns=unwanted) if unwanted else result


def _medians(columns: Floats, groups: Strata) -> Floats:
    """Return the medians of features, a row for each."""
    medians = np.empty((len(columns), len(groups.labels)))
    many = max(_FEWEST, _BLOCK // columns.shape[1])

    def summarize(begin: int) -> None:
        rows = np.ascontiguousarray(columns[begin : begin + many].T, np.float64)
        medians[begin : begin + many] = (
            get_backend().group_medians(rows, groups.code, medians.shape[1]).T
        )

    for_each(summarize, range(0, len(columns), many))
    return medians


def _by_pandas(table: pd.DataFrame, strata: list[str], names: list[str]) -> pd.DataFrame:
    """Return what the original does: pandas' medians, with strata for an index."""
    numbers = pd.DataFrame(table[names]).astype(float)
    joined = pd.concat([table[strata], numbers], axis="columns")
    medians: pd.DataFrame = joined.groupby(strata, dropna=False).median()
    return medians
