"""Which arguments the stand-ins of efaar_benchmarking have been verified for."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.value_range import check_scaled, check_squares
from wellgram.backends import get_backend
from wellgram.backends.protocol import Floats

PLAIN = frozenset({"string", "integer"})
"""Labels as screens have them"""
KINDS = PLAIN | {"floating", "boolean", "categorical", "datetime64", "datetime"}
"""Labels that compare and sort alike wherever they stand"""
_COLLECTIONS = (
    *(list, tuple, set, frozenset),
    *(np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray),
)
_LEAST_VARIANCE = {np.dtype(np.float32): 1e-30, np.dtype(np.float64): 1e-280}
"""Below it a variance, or what is divided by its root, may leave the type"""
_MOST_DEVIATIONS = 1e6
"""How many standard deviations from zero a mean may be, for differences to keep ten digits"""


def check_rows(rows: Any, metadata: Any, columns: tuple[Any, ...]) -> None:
    """Decline unless rows are finite floats, and metadata has each of the columns once."""
    if type(rows) is not np.ndarray or rows.ndim != 2 or rows.size == 0:
        raise Declined("embeddings are no matrix of NumPy")
    if rows.dtype not in (np.float32, np.float64):
        raise Declined(f"embeddings are {rows.dtype}")
    named = [column for column in columns if column is not None]
    if named:
        if not isinstance(metadata, pd.DataFrame) or len(metadata) != len(rows):
            raise Declined("metadata is no table of as many rows")
        for column in named:
            if not isinstance(column, str) or list(metadata.columns).count(column) != 1:
                raise Declined(f"metadata has no column {column!r}, or several")
    bad, _ = get_backend().row_faults(rows)
    if bad.any():
        raise Declined("a row holds a NaN or an Inf")
    check_squares(rows)


def check_labels(metadata: Any, column: Any, kinds: frozenset[str] = KINDS) -> None:
    """Decline unless every row has a label, and all labels are of one of these kinds."""
    if column is None:
        return
    labels = metadata[column]
    if labels.isna().any():
        raise Declined("a row has no label")
    if pd.api.types.infer_dtype(labels, skipna=False) not in kinds:
        raise Declined(f"labels of {column!r} are of several types, or of an unusual one")


def check_key(key: Any) -> None:
    """Decline unless a perturbation is named by a text or a number."""
    if not isinstance(key, str | int | float):
        raise Declined(f"{key!r} is no label")


def check_names(names: Any, metadata: Any, column: Any) -> None:
    """Decline unless names are a collection of labels of the type that a column of plain ones has.

    An iterator can be read only once, so it is left to the original unread.
    """
    if not isinstance(names, _COLLECTIONS):
        raise Declined("perturbations are in no collection of a usual type")
    texts = pd.api.types.infer_dtype(metadata[column], skipna=False) == "string"
    for name in names:
        if isinstance(name, bool) or not isinstance(name, str if texts else int | np.integer):
            raise Declined("a perturbation is not named by the type of its label")


def check_directions(rows: NDArray[np.floating]) -> None:
    """Decline unless scikit-learn scales every row of those that `check_rows` took to length 1."""
    if not check_scaled(rows).all():
        raise Declined("a row is all zero, and has no direction")


def check_spread(variances: Floats, means: Floats, rows: NDArray[np.floating]) -> None:
    """Decline unless variances that are not zero are far from where rounding decides."""
    spread = variances > 0
    if (variances[spread] < _LEAST_VARIANCE[rows.dtype]).any():
        raise Declined("a feature hardly varies beside its type")
    if (np.abs(means[spread]) > _MOST_DEVIATIONS * np.sqrt(variances[spread])).any():
        raise Declined("a feature is far from zero for how little it varies")
