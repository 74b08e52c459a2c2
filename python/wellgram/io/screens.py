"""From files to wells: find the columns, read only those, join, check."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError
from wellgram.io.chunks import TableChunks
from wellgram.io.dask import is_dask
from wellgram.io.dask import table_of as dask_table
from wellgram.io.features import shared_features, unlike, width_of
from wellgram.io.formats import (
    is_folder_of_tables,
    is_path,
    is_table,
    is_there,
    open_table,
    table_of,
    table_suffixes,
)
from wellgram.io.gather import of_each
from wellgram.io.joins import join, number_wells, one_row_each
from wellgram.io.layouts import Layout, layout_named
from wellgram.io.places import Place, Remote, locate, size_of
from wellgram.io.read_ahead import side_by_side
from wellgram.io.roles import Roles, with_roles
from wellgram.io.tables import Table, matrix_type, need_column, some, together
from wellgram.stream import WellStream
from wellgram.wells import Wells

if TYPE_CHECKING:
    from anndata import AnnData

_HELD_BYTES = 1 << 26
"""Of csv files on disk: as many are parsed once and held, more are parsed again for each pass"""

Missing = Literal["error", "drop-wells", "drop-features"]


class ArrowStream(Protocol):
    """A table of pyarrow, polars, pandas or another library that hands over Arrow data."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


Paths = str | Path | Sequence[str | Path]
Batches = Callable[[], Iterable[pa.RecordBatch]]
Labelled: TypeAlias = "ArrowStream | AnnData | pa.dataset.Dataset | Batches"
Source: TypeAlias = "Paths | Labelled"


def read_wells(
    embeddings: Source,
    metadata: "str | Path | Labelled | None" = None,
    *,
    layout: str = "rxrx3-core",
    perturbation: str | None = None,
    batch: str | None = None,
    dose: str | None = None,
    control: str | Sequence[str] | None = None,
    well_id: str | None = None,
    features: str | Sequence[str] | None = None,
    columns: Sequence[str] = (),
    missing: Missing = "error",
    allow_unmatched: bool = False,
) -> Wells:
    """Read a screen.

    Parameters
    ----------
    embeddings
        A file, several, or a folder, here or at a URL that fsspec reaches (``s3://...``), with one
        row per well (or several, which are averaged). Of a parquet, csv or tsv (the last two also
        .gz) features are many columns or one column of lists. Of an HDF5 (.h5), Zarr or NPZ file
        they are ``embeddings`` (n, d), beside vectors of labels such as ``well_id`` (n,). Of an
        AnnData file (.h5ad, .zarr) they are ``X``, or what `features` names: a matrix of ``obsm``
        or a layer (``layers/NAME``), beside the columns of ``obs``. `wellgram.io.register_format`
        adds kinds of files. Or what is in memory: a table of pyarrow, polars or pandas, an AnnData
        object (``backed`` too), a pyarrow dataset, or a function that returns record batches; or a
        dataframe of Dask, or an array of Dask (n, d), whose `metadata` has the labels of its rows,
        one for one.
    metadata
        What was done to each well, joined by `well_id`: a file or a table like the above; None
        where the embeddings' own file holds it.
    layout
        A name of `LAYOUTS`: which column plays which role unless named below.
    perturbation, batch, dose, well_id
        Columns. ``batch="none"`` for no batches, ``dose="none"`` to aggregate over doses.
    control
        The label or labels of the control wells.
    features
        Names of the feature columns, or patterns such as ``emb_*``; or of the one matrix or column
        of lists.
    columns
        More metadata columns to keep.
    missing
        What to do about NaN and Inf: "error"; "drop-wells", also those that are all zero; or
        "drop-features" that have any.
    allow_unmatched
        Keep the wells found in both files where some are found in one only.

    Returns
    -------
    Wells
        float32 or float64 as in the files.

    Raises
    ------
    InputError
        If a file, column or value is not as it must be; nothing is read before the columns are
        known to be there.
    """
    stream = _open(
        embeddings, metadata, layout, perturbation, batch, dose, control, well_id, features,
        columns, missing, allow_unmatched, hold=True,
    )  # fmt: skip
    rows, wells = _drop_missing(stream.unchecked(), stream.metadata, missing)
    return Wells(rows, wells, stream.origin)


def open_wells(
    embeddings: Source,
    metadata: "str | Path | Labelled | None" = None,
    *,
    layout: str = "rxrx3-core",
    perturbation: str | None = None,
    batch: str | None = None,
    dose: str | None = None,
    control: str | Sequence[str] | None = None,
    well_id: str | None = None,
    features: str | Sequence[str] | None = None,
    columns: Sequence[str] = (),
    missing: Missing = "error",
    allow_unmatched: bool = False,
) -> WellStream:
    """Open a screen whose embeddings need not fit into memory.

    Labels are read, checked and joined at once; embeddings are read in chunks, only the columns
    needed, each time an alignment is fitted or a map is made. Parquet files and datasets are read
    a row group or batch at a time, HDF5 and Zarr by chunks; a csv or NPZ file at once, so of those
    each must fit. The parameters are those of `read_wells`; to find what ``missing=`` is to drop
    takes a pass of its own.

    Returns
    -------
    WellStream
        float32 or float64 as in the files.

    Raises
    ------
    InputError
        If a file, column or value is not as it must be; a value found later, in the middle of the
        stream, is named with its well, file and row group.
    """
    stream = _open(
        embeddings, metadata, layout, perturbation, batch, dose, control, well_id, features,
        columns, missing, allow_unmatched, hold=False,
    )  # fmt: skip
    return _without_missing(stream, missing)


def wells_from_frame(
    embeddings: Rows,
    metadata: pd.DataFrame,
    *,
    layout: str = "rxrx3-core",
    perturbation: str | None = None,
    batch: str | None = None,
    dose: str | None = None,
    control: str | Sequence[str] | None = None,
    columns: Sequence[str] = (),
    missing: Missing = "error",
) -> Wells:
    """Make wells of arrays in memory: embeddings (n, d) and their metadata, row for row.

    The parameters are those of `read_wells`.
    """
    scheme = layout_named(layout)
    given = {"perturbation": perturbation, "batch": batch, "dose": dose}
    names = list(map(str, metadata.columns))
    roles = Roles.find(scheme, names, "the metadata", given, scheme.well_id)
    roles = roles.with_controls(control)
    columns = scheme.kept(columns, names)
    roles.check_kept(columns, names, "the metadata")
    table = metadata.reset_index(drop=True)
    if roles.well_id is None:
        table = table.assign(well_id=_row_names(len(table)))
    wells, origin = _with_origin(table, roles, scheme, control, columns)
    rows, wells = _drop_missing(embeddings, wells, missing)
    return Wells(rows, wells, origin)


def _row_names(count: int, file: str = "") -> list[str]:
    return [f"{file}row {i + 1}" for i in range(count)]


def _open(
    embeddings: Source,
    metadata: "str | Path | Labelled | None",
    layout: str,
    perturbation: str | None,
    batch: str | None,
    dose: str | None,
    control: str | Sequence[str] | None,
    well_id: str | None,
    features: str | Sequence[str] | None,
    columns: Sequence[str],
    missing: Missing,
    allow_unmatched: bool,
    *,
    hold: bool,
) -> WellStream:
    """Return the wells with whatever their embeddings hold; `hold` parses csv files only once."""
    scheme = layout_named(layout)
    if missing not in get_args(Missing):
        raise InputError(f"unknown missing={missing!r}; choose {', '.join(get_args(Missing))}")
    if is_dask(embeddings):
        beside = None
        if metadata is not None and not hasattr(embeddings, "columns"):
            labels, metadata = _metadata_table((), metadata, scheme), None
            beside = labels.read(labels.names)
        tables: list[Table] = [dask_table(embeddings, beside)]
    else:
        tables = _tables(embeddings, scheme)
    about = _metadata_table(tables, metadata, scheme)
    given = {"perturbation": perturbation, "batch": batch, "dose": dose}
    # Names of rows are those of wells where they come with one table, and nothing else is named.
    alone = about.row_names if len(tables) == 1 and metadata is None else None
    joining = scheme.joining if well_id is None else None
    roles = Roles.find(
        scheme, about.names, about.label, given, well_id or scheme.well_id or alone, joining
    ).with_controls(control)
    columns = scheme.kept(columns, about.names)
    roles.check_kept(columns, about.names, about.label)
    keep = list(dict.fromkeys([*roles.columns(), *columns]))
    shared = shared_features(tables, scheme, roles, features, keep)
    own = keep if metadata is None else [_joining(roles)]
    for table in tables:
        for column in own:
            need_column(column, table.names, table.label, "in every file of embeddings")
    files = [table.place for table in tables if table.parsed_whole and table.place is not None]
    if hold or sum(map(size_of, files)) <= _HELD_BYTES:
        wanted = list(dict.fromkeys([*own, *shared]))
        tables = [
            table.held(wanted, text=roles.columns()) if table.parsed_whole else table
            for table in tables
        ]
    by = roles.well_id if metadata is None else _joining(roles)
    codes, described = _labels(tables, own, roles, by)
    if metadata is not None:
        ids = pd.Index(described[by])
        table = about.read(keep, text=roles.columns()).to_pandas()
        matched, described = join(ids, table, about.label, _joining(roles), allow_unmatched)
        codes = np.where(matched, np.cumsum(matched) - 1, -1)[codes]
        if by != roles.well_id:
            codes, described = _wells_of(codes, described, _joining(roles), roles)
    wells, origin = _with_origin(described, roles, scheme, control, columns)
    kinds = [table.schema.field(name).type for table in unlike(tables) for name in shared]
    dtype = matrix_type(kinds)
    chunks = TableChunks(tables, shared, width_of(tables, shared), dtype, codes)
    return WellStream(wells, chunks.width, dtype, chunks, origin)


def _labels(
    tables: Sequence[Table], columns: Sequence[str], roles: Roles, by: str | None
) -> tuple[Codes, pd.DataFrame]:
    """Return which well each row of the tables is of, by a column, and the columns of the wells."""
    parts: list[pa.Table] = []
    names: list[list[str]] = []
    text = roles.columns()
    reads = of_each(lambda table: [part.table for part in table.parts(columns, text=text)], tables)
    for table, read in zip(tables, reads, strict=True):
        parts += [part for part in read if part.num_rows]
        if by is None:
            of = f"{table.label} " if len(tables) > 1 else ""
            names.append(_row_names(sum(part.num_rows for part in read), of))
    if not parts:
        raise InputError(f"{tables[0].label} has no rows")
    metadata: pd.DataFrame = together(parts).to_pandas()
    if by is None:
        metadata = metadata.assign(well_id=list(chain.from_iterable(names)))
        return np.arange(len(metadata)), metadata
    codes, ids = number_wells(metadata[by])
    if len(ids) < len(metadata):
        metadata = one_row_each(metadata, by).reset_index(drop=True)
    return codes, metadata


def _wells_of(
    codes: Codes, described: pd.DataFrame, by: str, roles: Roles
) -> tuple[Codes, pd.DataFrame]:
    """Return which well each row is of, and one row of metadata each, where wells have several."""
    of_row, ids = number_wells(described[_named(roles)])
    metadata = described.drop(columns=by)
    if len(ids) < len(metadata):
        metadata = one_row_each(metadata, _named(roles)).reset_index(drop=True)
    return np.where(codes >= 0, of_row[codes], -1), metadata


def _joining(roles: Roles) -> str:
    return roles.joining or _named(roles)


def _named(roles: Roles) -> str:
    if roles.well_id is None:
        raise InputError("name the column that joins embeddings and metadata (well_id=)")
    return roles.well_id


def _with_origin(
    table: pd.DataFrame,
    roles: Roles,
    layout: Layout,
    control: str | Sequence[str] | None,
    columns: Sequence[str],
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the metadata under the names of wells, and where its columns came from."""
    if control is None:
        controls = list(layout.control)
    else:
        controls = [control] if isinstance(control, str) else list(control)
    wells = with_roles(table, roles, layout, controls, columns)
    named = " or ".join(map(repr, controls))
    told, column = wells["perturbation"], roles.perturbation
    if roles.control is not None:
        told, column = table[roles.control], roles.control
    found = set(told.unique())
    absent = [label for label in controls if label not in found]
    # Labels that somebody named must all be there; of a layout's kinds of controls, one.
    if absent and (roles.control is None or len(absent) == len(controls)):
        labels = some(told.unique().tolist(), 3)
        raise InputError(
            f"no well is a control {absent[0]!r}: none has that label in column "
            f"{column!r}; name the controls (control=); labels are like {labels}"
        )
    origin = {
        "batch": roles.batch or "none",
        "control": f"column {column!r} == {named}" if named else "none named",
    }
    if roles.dose is not None:
        origin["dose"] = roles.dose
    return wells, origin


def _expand(embeddings: Paths, layout: Layout) -> list[Place]:
    given = [embeddings] if isinstance(embeddings, str | Path) else list(embeddings)
    places: list[Place] = []
    for place in map(locate, given):
        if is_folder_of_tables(place):
            inside = [p for p in place.glob(layout.files) if is_table(p) and is_there(p)]
            if not inside and not is_table(place):
                raise InputError(
                    f"folder {str(place)!r} holds no table named like {layout.files!r} "
                    f"({table_suffixes()})"
                )
            places += sorted(inside, key=str) or [place]
        else:
            places.append(place)
    if not places:
        raise InputError("no embeddings were given")
    twice = [name for name, count in Counter(map(str, places)).items() if count > 1]
    if twice:
        raise InputError(f"{twice[0]!r} was given twice; its wells would count twice")
    return places


def _tables(source: Any, layout: Layout) -> list[Table]:
    if is_path(source) or isinstance(source, Sequence):
        places = _expand(source, layout)
        alike = len({place.name for place in places}) < len(places)
        far = any(isinstance(place, Remote) for place in places)
        label = str if alike else attrgetter("name")
        return list(side_by_side(lambda place: open_table(place, label(place)), places, far=far))
    return [table_of(source)]


def _metadata_table(tables: Sequence[Table], metadata: Any, layout: Layout) -> Table:
    if metadata is not None:
        return open_table(metadata) if is_path(metadata) else table_of(metadata)
    if layout.separate and not set(layout.perturbation) & set(tables[0].names):
        raise InputError(
            f"layout {layout.name!r} keeps metadata in a file of its own; name it (metadata=)"
        )
    return tables[0]


def _drop_missing(rows: Rows, wells: pd.DataFrame, missing: Missing) -> tuple[Rows, pd.DataFrame]:
    if missing == "drop-features":
        whole = _some_whole(np.asarray(np.isfinite(rows).all(axis=0)))
        return (rows if whole.all() else rows[:, whole]), wells
    if missing == "drop-wells":
        not_finite, zero = get_backend().row_faults(rows)
        good = _some_good(~(not_finite | zero))
        return (rows, wells) if good.all() else (rows[good], wells[good].reset_index(drop=True))
    return rows, wells


def _without_missing(stream: WellStream, missing: Missing) -> WellStream:
    """Return the stream without what `missing` drops, which a pass over it finds."""
    chunks = stream.source
    assert isinstance(chunks, TableChunks)
    if missing == "drop-features":
        whole = np.ones(stream.width, bool)
        for chunk in chunks():
            whole &= np.isfinite(chunk.rows).all(axis=0)
        if _some_whole(whole).all():
            return stream
        kept = replace(chunks, kept=whole)
        return replace(stream, width=int(whole.sum()), source=kept)
    if missing == "drop-wells":
        good = np.ones(len(stream), bool)
        for chunk in chunks():
            not_finite, zero = get_backend().row_faults(chunk.rows)
            good[chunk.wells] = ~(not_finite | zero)
        if _some_good(good).all():
            return stream
        metadata = stream.metadata[good].reset_index(drop=True)
        return replace(stream, metadata=metadata, source=chunks.without(~good))
    return stream


def _some_whole(whole: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not whole.any():
        raise InputError("every feature holds a NaN or an Inf; drop wells instead")
    return whole


def _some_good(good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not good.any():
        raise InputError("every well holds a NaN or an Inf, or is all zero")
    return good
