"""Names of rows in result tables: the keys of a map, or row numbers alone."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.pairs.unit_rows import UnitRows
from wellgram.wells import KEYS


def label_columns(rows: UnitRows, index: NDArray[np.int64], prefix: str = "") -> pd.DataFrame:
    """Return the row numbers and, of a map, its keys, as columns; `prefix` goes before the names.

    The name of the perturbation comes first, since people look for that.
    """
    columns = {}
    if rows.labels is not None:
        keys = [key for key in ("perturbation", *KEYS) if key in rows.labels]
        columns = {
            f"{prefix}{key}": _chosen(rows.labels[key], index) for key in dict.fromkeys(keys)
        }
    return pd.DataFrame(columns | {f"{prefix}row": index})


def _chosen(labels: "pd.Series[Any]", index: NDArray[np.int64]) -> NDArray[Any]:
    """Return the labels of rows; of a few rows without making objects of all labels."""
    if len(index) < len(labels):
        return labels.iloc[index].to_numpy()
    return labels.to_numpy()[index]
