"""One row per well: repeats averaged, embeddings and metadata put side by side."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.errors import InputError


def number_wells(well_id: "pd.Series[Any]") -> tuple[Codes, pd.Index]:
    """Return which well each row is of (n,), and the wells in order of appearance."""
    _check_named(well_id, "the embeddings")
    codes, ids = pd.factorize(well_id)
    return codes.astype(np.int64), pd.Index(ids)


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


def _check_named(well_id: pd.Series, where: str) -> None:
    missing = well_id.isna().to_numpy()
    if missing.any():
        raise InputError(
            f"{int(missing.sum())} rows of {where} have no value in column {well_id.name!r} "
            f"(first: row {int(np.flatnonzero(missing)[0]) + 1}); name the well or remove the row"
        )


def one_row_each(metadata: pd.DataFrame, well_id: str) -> pd.DataFrame:
    """Return metadata with one row per well; raise where a well is described in two ways."""
    if metadata[well_id].is_unique:
        return metadata
    unique = metadata.drop_duplicates()
    twice = unique[well_id].duplicated()
    if twice.any():
        well = unique.loc[twice, well_id].iloc[0]
        both = unique[unique[well_id] == well]
        column = next(c for c in both.columns if len(both[c].unique()) > 1)
        values = " and ".join(repr(str(v)) for v in both[column].unique()[:2])
        raise InputError(
            f"{int(twice.sum())} wells are described in two ways: well {well!r} has {values} in "
            f"column {column!r}; keep one"
        )
    return unique


def join(
    ids: pd.Index, table: pd.DataFrame, where: str, by: str, allow_unmatched: bool
) -> tuple[NDArray[np.bool_], pd.DataFrame]:
    """Return which ids have metadata, by a column of it, and the metadata of those in order."""
    if table.empty:
        raise InputError(f"{where} has no rows")
    _check_named(table[by], where)
    if pd.Index(table[by]).equals(ids):
        return np.ones(len(ids), bool), table
    metadata = one_row_each(table, by)
    named = pd.Index(metadata[by])
    place: Codes = named.get_indexer(ids)
    matched = place >= 0
    bare = int((~matched).sum())
    if bare == len(ids):
        raise InputError(
            f"no embedding has metadata: {by!r} is {ids[0]!r} in the embeddings but "
            f"{named[0]!r} in {where}; name the wells alike"
        )
    unused = len(metadata) - (len(ids) - bare)
    if (bare or unused) and not allow_unmatched:
        if bare:
            first = f"embedding {ids[int(np.flatnonzero(~matched)[0])]!r}"
        else:
            first = f"metadata {named.difference(ids)[0]!r}"
        raise InputError(
            f"{bare:,} embeddings have no metadata and {unused:,} wells of the metadata have no "
            f"embedding (first: {first}, column {by!r}); mend the files, or keep the "
            f"{len(ids) - bare:,} wells found in both (--allow-unmatched)"
        )
    return matched, metadata.iloc[place[matched]].reset_index(drop=True)
