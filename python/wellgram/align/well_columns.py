"""Columns of wells that a correction needs beside batches and controls."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from wellgram.align.sample import Sample
from wellgram.errors import ColumnMissing, InputError
from wellgram.label_rules.missing_labels import is_missing


def well_column(
    sample: Sample, names: Sequence[str], what: str, who: str, *, may_lack: bool = False
) -> "pd.Series[Any]":
    """Return a column of the wells: the first that is there of some names.

    Parameters
    ----------
    sample
        The wells.
    names
        What the column may be called.
    what, who
        What it has, and which correction needs it, for messages.
    may_lack
        Whether some wells may have no value.

    Raises
    ------
    InputError
        If rows without metadata were given, or a well has no value.
    ColumnMissing
        If there is no such column.
    """
    metadata = sample.metadata
    if metadata is None:
        raise InputError(
            f"{who} needs the {what} of each well, which rows alone do not have; give Wells whose "
            f"metadata has a column {names[0]!r}"
        )
    name = next((name for name in names if name in metadata), None)
    if name is None:
        called = " or ".join(map(repr, names))
        raise ColumnMissing(
            f"{who} needs the {what} of each well, but the wells have no column {called}; keep it "
            "when they are read (columns=), or add it to their metadata; there are: "
            f"{', '.join(map(str, metadata.columns))}"
        )
    values = metadata[name]
    missing = np.asarray(is_missing(values), bool)
    if missing.any() and not may_lack:
        raise InputError(
            f"{int(missing.sum())} wells have no {what} in column {name!r} (first: "
            f"{metadata['well_id'].iloc[int(missing.argmax())]!r}), which {who} needs; fill it in, "
            "or leave those wells out"
        )
    return values
