"""Strata of a table of profiles, and what pycytominer writes."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.backends.protocol import Codes


class Strata(NamedTuple):
    """Which stratum each profile belongs to."""

    code: Codes
    """The number of each profile's stratum, -1 for those that belong to none"""
    labels: pd.DataFrame
    """The labels of each stratum"""


def check_strata(table: pd.DataFrame, strata: Any) -> None:
    """Decline strata that are no columns of their own, or have categories."""
    if not isinstance(strata, list) or not strata or not set(strata) <= set(table.columns.tolist()):
        raise Declined("strata are no list of columns")
    if len(set(strata)) < len(strata) or any(
        isinstance(table[name].dtype, pd.CategoricalDtype) for name in strata
    ):
        raise Declined("a stratum is there twice, or categorical")


def profile_strata(table: pd.DataFrame, strata: list[str], *, keeps_missing: bool) -> Strata:
    """Return the strata of a table in the order of pandas.

    Where missing labels are not kept, a profile that has one belongs to no stratum.
    """
    try:
        grouped = table[strata].groupby(strata, dropna=not keeps_missing)
        numbers = np.asarray(grouped.ngroup().fillna(-1), np.int64)
        labels: pd.DataFrame = grouped.size().reset_index()[strata]
    except Exception as error:
        raise Declined(f"strata cannot be told apart: {error}") from None
    counts = np.bincount(numbers[numbers >= 0], minlength=len(labels))
    if not len(labels) or len(counts) > len(labels) or (counts == 0).any():
        raise Declined("there are no strata, or one without profiles")
    if keeps_missing and (numbers < 0).any():
        raise Declined("pandas gives a missing stratum no number")
    return Strata(numbers, labels)


def labelled(strata: Strata, names: list[str], values: Any, sample: pd.DataFrame) -> pd.DataFrame:
    """Return labels and values as the table of which pandas makes such a sample."""
    table = pd.concat([strata.labels, pd.DataFrame(values, columns=names)], axis="columns")
    if sample.columns.tolist() != table.columns.tolist():
        raise Declined("pandas arranges the strata in another way")
    table.columns = sample.columns
    table.attrs = sample.attrs
    return table


def written(table: pd.DataFrame, file: Any, kind: Any, compression: Any, float_format: Any) -> Any:
    """Return the table, or the name of the file that it was written to."""
    from pycytominer.cyto_utils import output

    if file is None:
        return table
    try:
        return output(
            df=table,
            output_filename=file,
            output_type=kind,
            compression_options=compression,
            float_format=float_format,
        )
    except Exception as error:
        raise Declined(f"the table cannot be written: {type(error).__name__}") from None
