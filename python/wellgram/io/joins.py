"""One row per well: repeats averaged, embeddings and metadata put side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.errors import InputError
from wellgram.io.keys import key_of
from wellgram.io.values import comparable
from wellgram.label_rules.missing_labels import is_missing

_KEY = "\0well"
"""A name that no column has"""


class Repeats:
    """Averages wells that have several rows, as their rows come along in chunks."""

    def __init__(self, rows_per_well: Codes) -> None:
        self._count = rows_per_well
        self._left = rows_per_well.copy()
        self._sums: dict[int, Floats] = {}
        """Of the wells some of whose rows are still to come"""

    def averaged(self, rows: Rows, wells: Codes) -> tuple[Rows, Codes]:
        """Return the wells whose last row is in this chunk, one row each."""
        several = self._count[wells] > 1
        if not several.any():
            return rows, wells
        present, place = np.unique(wells[several], return_inverse=True)
        sums = np.zeros((len(present), rows.shape[1]))
        for k in np.flatnonzero(self._left[present] < self._count[present]):
            sums[k] = self._sums.pop(int(present[k]))
        with np.errstate(invalid="ignore"):  # a NaN or an Inf is reported later, with its well
            get_backend().group_sums(rows[several], place, len(present), sums)
        self._left[present] -= np.bincount(place)
        whole = self._left[present] == 0
        for k in np.flatnonzero(~whole):
            self._sums[int(present[k])] = sums[k].copy()
        means = (sums[whole] / self._count[present[whole], None]).astype(rows.dtype)
        return (
            np.concatenate([rows[~several], means]),
            np.concatenate([wells[~several], present[whole]]),
        )


def check_named(well_id: "pd.Series[Any]", where: str) -> None:
    """Raise unless every row has a name of its well."""
    missing = is_missing(well_id)
    if missing.any():
        raise InputError(
            f"{int(missing.sum())} rows of {where} have no value in column {well_id.name!r} "
            f"(first: row {int(np.flatnonzero(missing)[0]) + 1}); name the well or remove the row"
        )


def one_row_each(
    described: pd.DataFrame, well: "pd.Series[Any]", columns: Sequence[str]
) -> tuple[pd.DataFrame, "pd.Series[Any]"]:
    """Return metadata with one row per well, and the wells; raise where two rows of one differ.

    `columns` are those that `well` is made of, for the message.
    """
    if well.is_unique:
        return described, well
    named = described.assign(**{_KEY: well})
    unique = named[~comparable(named).duplicated()]
    twice = unique[_KEY].duplicated()
    if twice.any():
        first = unique.loc[twice, _KEY].iloc[0]
        both = unique[unique[_KEY] == first]
        told = comparable(both)
        column = next(c for c in told.columns if len(told[c].unique()) > 1)
        values = " and ".join(repr(str(v)) for v in told[column].unique()[:2])
        raise InputError(
            f"{int(twice.sum())} wells are described in two ways: well {first!r} has {values} in "
            f"column {column!r}; keep one, or, if they are different wells, name wells by more "
            f"columns (well_id={[column, *columns]})"
        )
    kept = unique.index
    return described.loc[kept], well.loc[kept]


def join(
    ids: pd.Index,
    described: pd.DataFrame,
    by: Sequence[str],
    where: str,
    allow_unmatched: bool,
) -> tuple[NDArray[np.bool_], pd.DataFrame]:
    """Return which ids have metadata, by columns of it, and the metadata of those in order."""
    if described.empty:
        raise InputError(f"{where} has no rows")
    named = key_of(described, by)
    check_named(named, where)
    if pd.Index(named).equals(ids):
        return np.ones(len(ids), bool), described
    metadata, named = one_row_each(described, named, by)
    wells = pd.Index(named)
    place: Codes = wells.get_indexer(ids)
    matched = place >= 0
    bare = int((~matched).sum())
    if bare == len(ids):
        raise InputError(
            f"no embedding has metadata: {named.name!r} is {ids[0]!r} in the embeddings but "
            f"{wells[0]!r} in {where}; name the wells alike"
        )
    unused = len(metadata) - len(set(place[matched].tolist()))
    if (bare or unused) and not allow_unmatched:
        if bare:
            first = f"embedding {ids[int(np.flatnonzero(~matched)[0])]!r}"
        else:
            first = f"metadata {wells.difference(ids)[0]!r}"
        raise InputError(
            f"{bare:,} embeddings have no metadata and {unused:,} wells of the metadata have no "
            f"embedding (first: {first}, column {named.name!r}); mend the files, or keep the "
            f"{len(ids) - bare:,} wells found in both (allow_unmatched=True)"
        )
    return matched, metadata.iloc[place[matched]].reset_index(drop=True)
