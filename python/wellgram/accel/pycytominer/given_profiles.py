"""Profiles as they are given: a table or its file, and a query of samples."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined


def checked_table(profiles: Any) -> pd.DataFrame:
    """Return profiles that are a table with different names for columns, or decline."""
    if type(profiles) is not pd.DataFrame or not profiles.columns.is_unique:
        raise Declined("profiles are no plain table, or a column is there twice")
    if not len(profiles) or not all(isinstance(name, str) for name in profiles.columns.tolist()):
        raise Declined("there are no profiles, or a column's name is no text")
    return profiles


def loaded_table(profiles: Any) -> pd.DataFrame:
    """Return profiles that are such a table, or a file of one."""
    from pycytominer.cyto_utils.load import load_profiles

    try:
        loaded = load_profiles(profiles)
    except Exception as error:
        raise Declined(f"the profiles cannot be read: {type(error).__name__}") from None
    return checked_table(loaded)


def chosen_samples(table: pd.DataFrame, samples: Any) -> NDArray[np.bool_] | None:
    """Tell the profiles that a query chooses; None where all are chosen.

    Raises
    ------
    Declined
        If it is no query that tells of each profile whether it is chosen, or chooses none.
    """
    if not isinstance(samples, str) or "@" in samples:
        raise Declined("samples are no query of the table alone")
    if samples == "all":
        return None
    named = [name for name in table.columns.tolist() if name in samples]
    try:
        chosen = table[named].eval(samples)
    except Exception as error:
        raise Declined(f"the query cannot be made: {error}") from None
    if not isinstance(chosen, pd.Series) or chosen.dtype != bool or not chosen.any():
        raise Declined("the query chooses no profiles, or tells not of each")
    return chosen.to_numpy()
