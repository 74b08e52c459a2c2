"""Features of a table of profiles: which they are, and their values as a matrix."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.backends.protocol import Floats

_COMPARTMENTS = ("Cells", "Nuclei", "Cytoplasm")
_EXACT = 2**53
"""Whole numbers up to here are the same in float64"""
_LEAST = -(2**31)
"""The least of int32, which has no opposite"""


def profile_features(table: pd.DataFrame, features: Any, *, image_features: bool) -> list[str]:
    """Return the names of features, inferred from those of columns where that is asked for."""
    if not (isinstance(features, str) and features == "infer"):
        return feature_names(features, ())
    starts = (*_COMPARTMENTS, "Image") if image_features else _COMPARTMENTS
    names = []
    for name, kind in zip(table.columns.tolist(), table.dtypes.tolist(), strict=True):
        if not name.startswith(starts):
            continue
        if name.startswith("Image_") and not pd.api.types.is_numeric_dtype(kind):
            continue  # a path or a picture
        if kind == np.dtype(object):
            raise Declined("a feature is no plain number")
        names.append(name)
    return feature_names(names, ())


def feature_names(features: Any, strata: Any) -> list[str]:
    """Return the names of features, or decline what is no list of different names."""
    if not isinstance(features, list) or not all(isinstance(name, str) for name in features):
        raise Declined("features are no list of names")
    if not features or len(set(features)) < len(features) or set(features) & set(strata):
        raise Declined("there is no feature, or one is there twice, or is a stratum")
    return features


def with_columns(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return some columns of a table, or decline where it lacks one."""
    if not set(names) <= set(table.columns.tolist()):
        raise Declined("a feature is no column")
    return table[names]


def feature_columns(table: pd.DataFrame) -> Floats:
    """Return a table of features as a matrix with a row for each feature.

    Rows are contiguous, and views of the table where it has them so: they must not be written to.

    Raises
    ------
    Declined
        If a feature is no plain number.
    """
    for kind in table.dtypes.unique():
        if not isinstance(kind, np.dtype) or kind.kind not in "iuf" or kind.itemsize not in (4, 8):
            raise Declined("a feature is no plain number")
    values = table.to_numpy()
    whole = table.select_dtypes("integer")
    if whole.shape[1] and (whole.max().max() > _EXACT or whole.min().min() <= _LEAST):
        raise Declined("a whole number is too far from zero")
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    return np.ascontiguousarray(values.T)
