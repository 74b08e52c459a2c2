"""Names of rows in result tables: the keys of a map, or row numbers alone."""

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
            f"{prefix}{key}": rows.labels[key].to_numpy()[index] for key in dict.fromkeys(keys)
        }
    return pd.DataFrame(columns | {f"{prefix}row": index})
