"""Tables of profiles as matrices, and what pycytominer writes."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.backends import get_backend
from wellgram.backends.protocol import Floats


def grouped_by(table: Any, strata: Any) -> Any:
    """Return the strata of a table, which are columns of their own."""
    if not isinstance(table, pd.DataFrame) or not table.columns.is_unique or not len(table):
        raise Declined("profiles are no table, or a column is there twice")
    if not isinstance(strata, list) or not strata or not set(strata) <= set(table.columns):
        raise Declined("strata are no list of columns")
    if len(set(strata)) < len(strata) or any(
        isinstance(table[name].dtype, pd.CategoricalDtype) for name in strata
    ):
        raise Declined("a stratum is there twice, or categorical")
    return table[strata].groupby(strata, dropna=False)


def group_keys(grouped: Any, strata: list[str]) -> pd.DataFrame:
    """Return the labels of each group, in the order of the groups."""
    keys: pd.DataFrame = grouped.size().reset_index()[strata]
    return keys


def finite_rows(table: pd.DataFrame, names: list[str], *, narrow: bool = False) -> Floats:
    """Return features as finite float64 rows, or decline; narrow numbers too where asked for."""
    if not names or not set(names) <= set(table.columns) or not len(table):
        raise Declined("there are no features, or no rows")
    if not all(_is_number(kind, narrow) for kind in table[names].dtypes):
        raise Declined("a feature is no plain number")
    rows = np.array(table[names].to_numpy(np.float64), order="C")  # of our own, to be overwritten
    bad, _ = get_backend().row_faults(rows)
    if bad.any():
        raise Declined("a value is missing or infinite")
    return rows


def _is_number(kind: Any, narrow: bool) -> bool:
    # What pandas computes of float32 it keeps in float32.
    return isinstance(kind, np.dtype) and kind.kind in "iuf" and (narrow or kind.itemsize == 8)


def written(table: pd.DataFrame, file: Any, kind: Any, compression: Any, float_format: Any) -> Any:
    """Return the table, or the name of the file that it was written to."""
    from pycytominer.cyto_utils import output

    if file is None:
        return table
    return output(
        df=table,
        output_filename=file,
        output_type=kind,
        compression_options=compression,
        float_format=float_format,
    )
