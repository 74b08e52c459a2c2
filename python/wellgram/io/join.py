"""One row per well: repeats averaged, embeddings and metadata put side by side."""

import numpy as np
import pandas as pd

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError
from wellgram.io.roles import Roles


def average_repeats(rows: Rows, well_id: pd.Series) -> tuple[Rows, pd.Index]:
    """Return one row per well, the mean of its rows, in order of appearance."""
    _check_named(well_id, "the embeddings")
    codes, ids = pd.factorize(well_id)
    if len(ids) == len(rows):
        return rows, pd.Index(ids)
    with np.errstate(invalid="ignore"):  # a NaN or an Inf is reported later, with its well
        sums, counts = get_backend().group_sums(rows, codes.astype(np.int64), len(ids))
    return (sums / counts[:, None]).astype(rows.dtype), pd.Index(ids)


def _check_named(well_id: pd.Series, where: str) -> None:
    missing = well_id.isna().to_numpy()
    if missing.any():
        raise InputError(
            f"{int(missing.sum())} rows of {where} have no value in column {well_id.name!r} "
            f"(first: row {int(np.flatnonzero(missing)[0]) + 1}); name the well or remove the row"
        )


def one_row_each(metadata: pd.DataFrame, well_id: str) -> pd.DataFrame:
    """Return metadata indexed by well; raise where a well is described in two ways."""
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
    return unique.set_index(well_id)


def join(
    rows: Rows,
    ids: pd.Index,
    table: pd.DataFrame,
    where: str,
    roles: Roles,
    allow_unmatched: bool,
) -> tuple[Rows, pd.DataFrame]:
    """Return the rows that have metadata, and the metadata in their order."""
    if table.empty:
        raise InputError(f"{where} has no rows")
    _check_named(table[roles.well_id], where)
    metadata = one_row_each(table, str(roles.well_id))
    place: Codes = metadata.index.get_indexer(ids)
    bare = int((place < 0).sum())
    if bare == len(ids):
        raise InputError(
            f"no embedding has metadata: {roles.well_id!r} is {ids[0]!r} in the embeddings but "
            f"{metadata.index[0]!r} in {where}; name the wells alike"
        )
    unused = len(metadata) - (len(ids) - bare)
    if (bare or unused) and not allow_unmatched:
        if bare:
            first = f"embedding {ids[int(np.flatnonzero(place < 0)[0])]!r}"
        else:
            first = f"metadata {metadata.index.difference(ids)[0]!r}"
        raise InputError(
            f"{bare:,} embeddings have no metadata and {unused:,} wells of the metadata have no "
            f"embedding (first: {first}, column {roles.well_id!r}); mend the files, or keep the "
            f"{len(ids) - bare:,} wells found in both (--allow-unmatched)"
        )
    if bare:
        rows = rows[place >= 0]
    return rows, metadata.iloc[place[place >= 0]].reset_index(names=str(roles.well_id))
