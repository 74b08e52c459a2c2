"""What two maps have in common."""

import numpy as np
import pandas as pd

from wellgram.errors import InputError, NotApplicable
from wellgram.wells import KEYS, LabelledMap


def shared_rows(first: LabelledMap, second: LabelledMap) -> pd.DataFrame:
    """Return what names the rows that two maps share, and their numbers, in the order of the first.

    Columns: type, perturbation and dose, as far as both maps have them; ``row_first`` and
    ``row_second``.

    Raises
    ------
    InputError
        If they share fewer than two, or one has a perturbation twice.
    """
    keys = [key for key in KEYS if key in first.labels and key in second.labels]
    one, other = _named(first, keys, "first"), _named(second, keys, "second")
    shared = one.merge(other, on=keys, suffixes=("_first", "_second"))
    if len(shared) < 2:
        raise NotApplicable(
            f"the maps share {len(shared)} perturbations; two at least are needed: check that "
            "their labels are written alike"
        )
    return shared


def _named(map_: LabelledMap, keys: list[str], which: str) -> pd.DataFrame:
    frame = map_.labels[keys].assign(row=np.arange(len(map_.labels)))
    twice = frame.duplicated(keys)
    if twice.any():
        label = frame.loc[twice, "perturbation"].iloc[0]
        raise InputError(f"the {which} map has {label!r} twice; keep one row")
    return frame
