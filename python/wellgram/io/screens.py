"""From files to wells: find the columns, read only those, join, check."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.backends import get_backend
from wellgram.backends.protocol import Rows
from wellgram.errors import InputError
from wellgram.input_kinds import check_frame, is_path
from wellgram.io.chunks import TableChunks, versions_of
from wellgram.io.dask import is_dask
from wellgram.io.dask import table_of as dask_table
from wellgram.io.described_wells import well_metadata
from wellgram.io.embedding_files import check_pattern, embedding_tables, metadata_table
from wellgram.io.features import shared_features, unlike, width_of
from wellgram.io.frames import arrow_table
from wellgram.io.joins import check_named
from wellgram.io.keys import Columns, as_columns
from wellgram.io.layouts import layout_named
from wellgram.io.places import size_of
from wellgram.io.plate_numbers import warn_of_repeated_plates, wider_columns
from wellgram.io.roles import Roles
from wellgram.io.screen_wells import RowColumns, names_of_wells, wells_of_rows
from wellgram.io.tables import ArrowTable, Table, as_text, matrix_type
from wellgram.label_rules.controls import Control, control_labels
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


Batches = Callable[[], Iterable[pa.RecordBatch]]
Labelled: TypeAlias = "ArrowStream | AnnData | pa.dataset.Dataset | Batches"
Source: TypeAlias = "str | Path | Labelled | Sequence[str | Path | Labelled]"


def read_wells(
    embeddings: Source,
    metadata: "Source | None" = None,
    *,
    layout: str | None = None,
    perturbation: str | None = None,
    batch: Columns | None = None,
    dose: Columns | None = None,
    control: Control | None = None,
    control_column: str | None = None,
    well_id: Columns | None = None,
    features: Columns | None = None,
    exclude_features: Columns = (),
    common_features: bool = False,
    columns: Columns = (),
    missing: Missing = "error",
    allow_unmatched: bool = False,
    allow_duplicates: bool = False,
    pattern: str | None = None,
    encoding: str | None = None,
) -> Wells:
    """Read a screen.

    Parameters
    ----------
    embeddings
        A file, a folder, or a list of such, here or at a URL that fsspec reaches (``s3://...``),
        with one row per well (or several, which are averaged). Of a folder, tables of subfolders
        are read where it has none itself, hidden names are not, and names such as ``plate=001``
        give columns. Of a parquet, csv or tsv (the last two also
        .gz) features are many columns or one column of lists. Of an HDF5 (.h5), Zarr or NPZ file
        they are ``embeddings`` (n, d), beside vectors of labels such as ``well_id`` (n,). Of an
        AnnData file (.h5ad, .zarr) they are ``X``, or what `features` names: a matrix of ``obsm``
        or a layer (``layers/NAME``), beside the columns of ``obs``. `wellgram.io.register_format`
        adds kinds of files. Or what is in memory: a table of pyarrow, polars or pandas, an AnnData
        object (``backed`` too), a pyarrow dataset, or a function that returns record batches; or a
        dataframe of Dask, or an array of Dask (n, d), whose `metadata` has the labels of its rows,
        one for one. Or a list of such tables.
    metadata
        What was done to each well, joined by `well_id`: files, folders or tables like the above,
        several of which are put one below the other; None where the embeddings' own file holds it.
    layout
        A name of `LAYOUTS`: which column plays which role unless named below.
        By default ``rxrx3-core`` for files, and ``columns`` for what is in memory.
    perturbation, batch, dose, well_id
        Columns. Several columns make one batch, dose or name of a well:
        ``well_id=["Metadata_Plate", "Metadata_Well"]``. ``batch="none"`` for no batches,
        ``dose="none"`` to aggregate over doses.
        Doses may have units: they become uM or ug/mL. Columns that only the embeddings have are
        taken from there, so one platemap serves several plates.
    control
        The label or labels of the control wells: text or numbers, as they are in the column.
    control_column
        The column that has these labels, if not that of the perturbation, such as
        ``Metadata_control_type``.
    features
        Names of the feature columns, or patterns such as ``emb_*``; or of the one matrix or column
        of lists. By default those of the layout; of ``cell-painting``, columns whose names say that
        they number or place objects are left out, with a warning that lists them.
    exclude_features
        Names, or patterns, of columns that are no features.
    common_features
        Whether to take the features that all files have, where some files have more.
    columns
        More metadata columns to keep.
    missing
        What to do about NaN and Inf: "error"; "drop-wells", also those that are all zero; or
        "drop-features" that have any.
    allow_unmatched
        Keep the wells found in both files where some are found in one only.
    allow_duplicates
        Whether wells that several files hold are averaged; by default they are refused.
    pattern
        Which files of a folder are read, such as ``*_normalized.csv.gz``; by default those that the
        layout names. Where the folder has none of its own, those of its subfolders are.
    encoding
        What text of csv and tsv files is in, such as ``cp1252``, in which spreadsheets on Windows
        save; by default UTF-8, or what a mark at the beginning of a file says.

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
    options = _Options(
        layout, perturbation, batch, dose, control, control_column, well_id, features,
        exclude_features, common_features, columns, missing, allow_unmatched, allow_duplicates,
        pattern, encoding,
    )  # fmt: skip
    stream = _open(embeddings, metadata, options, hold=True)
    rows, wells, names = _drop_missing(
        stream.unchecked(), stream.metadata, stream.feature_columns, missing
    )
    return Wells(rows, wells, stream.origin, feature_columns=names)


def open_wells(
    embeddings: Source,
    metadata: "Source | None" = None,
    *,
    layout: str | None = None,
    perturbation: str | None = None,
    batch: Columns | None = None,
    dose: Columns | None = None,
    control: Control | None = None,
    control_column: str | None = None,
    well_id: Columns | None = None,
    features: Columns | None = None,
    exclude_features: Columns = (),
    common_features: bool = False,
    columns: Columns = (),
    missing: Missing = "error",
    allow_unmatched: bool = False,
    allow_duplicates: bool = False,
    pattern: str | None = None,
    encoding: str | None = None,
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
    options = _Options(
        layout, perturbation, batch, dose, control, control_column, well_id, features,
        exclude_features, common_features, columns, missing, allow_unmatched, allow_duplicates,
        pattern, encoding,
    )  # fmt: skip
    stream = _open(embeddings, metadata, options, hold=False)
    return _without_missing(stream, missing)


def wells_from_frame(
    embeddings: Rows,
    metadata: pd.DataFrame,
    *,
    layout: str = "columns",
    perturbation: str | None = None,
    batch: Columns | None = None,
    dose: Columns | None = None,
    control: Control | None = None,
    control_column: str | None = None,
    columns: Columns = (),
    missing: Missing = "error",
) -> Wells:
    """Make wells of arrays in memory: embeddings (n, d) and their metadata, row for row.

    The parameters are those of `read_wells`.
    """
    check_frame(metadata, "the metadata")
    scheme = layout_named(layout)
    controls = None if control is None else control_labels(control)
    table = arrow_table(metadata)
    names = table.column_names
    alone = scheme.well_id if scheme.well_id in names else None
    roles = Roles.find(
        replace(scheme, well_id=None, joining=None), names, "the metadata",
        {"perturbation": perturbation, "batch": batch, "dose": dose, "well_id": None}, alone=alone,
        control_column=control_column, controls_named=controls is not None,
    )  # fmt: skip
    columns = scheme.kept(as_columns(columns), names)
    roles.check_kept(columns, names, "the metadata")
    wider = wider_columns([ArrowTable.of(table)], roles.batch)
    keep = list(dict.fromkeys([*roles.columns(), *columns, *wider]))
    described = as_text(table.select(keep), set(roles.columns())).to_pandas()
    well = names_of_wells(described, roles.well_id, roles)
    if well is None:
        names = [f"row {k + 1}" for k in range(len(described))]
        well = pd.Series(names, name="well_id", dtype="str")
    check_named(well, "the metadata")
    if not well.is_unique:
        twice = well[well.duplicated()].iloc[0]
        raise InputError(
            f"{int(well.duplicated().sum())} rows are of a well that is there before, by "
            f"{well.name!r} (first: {twice!r}); average the rows of a well, as read_wells does, "
            "or leave that column out if each row is a well"
        )
    wells, origin = well_metadata(described, well, roles, scheme, controls, columns)
    warn_of_repeated_plates(described, roles.batch, wider)
    rows, wells, _ = _drop_missing(embeddings, wells, (), missing)
    return Wells(rows, wells, origin)


@dataclass(frozen=True)
class _Options:
    """What `read_wells` and `open_wells` are asked, beside the tables."""

    layout: str | None
    perturbation: str | None
    batch: Columns | None
    dose: Columns | None
    control: Control | None
    control_column: str | None
    well_id: Columns | None
    features: Columns | None
    exclude_features: Columns
    common_features: bool
    columns: Columns
    missing: Missing
    allow_unmatched: bool
    allow_duplicates: bool
    pattern: str | None
    encoding: str | None

    def columns_of_roles(self) -> dict[str, Columns | None]:
        """Return the columns that were named, by role."""
        return {
            "perturbation": self.perturbation,
            "batch": self.batch,
            "dose": self.dose,
            "well_id": self.well_id,
        }


def _open(embeddings: Source, metadata: Any, options: _Options, *, hold: bool) -> WellStream:
    """Return the wells with whatever their embeddings hold; `hold` parses csv files only once."""
    scheme = layout_named(options.layout or _usual_layout(embeddings))
    if options.missing not in get_args(Missing):
        raise InputError(
            f"unknown missing={options.missing!r}; choose {', '.join(get_args(Missing))}"
        )
    controls = None if options.control is None else control_labels(options.control)
    files_read = None
    if is_dask(embeddings):
        check_pattern(options.pattern, [])
        beside = None
        if metadata is not None and not hasattr(embeddings, "columns"):
            labels, metadata = metadata_table((), metadata, scheme, options.encoding), None
            beside = labels.read(labels.names)
        tables: list[Table] = [dask_table(embeddings, beside)]
    else:
        tables, files_read = embedding_tables(
            embeddings, metadata, scheme, options.pattern, options.encoding
        )
    about = metadata_table(tables, metadata, scheme, options.encoding)
    names, where = about.names, about.label
    if metadata is not None:
        names = list(dict.fromkeys([*names, *tables[0].names]))
        where = f"{about.label} or {tables[0].label}"
    # Names of rows are those of wells where they come with one table, and nothing else is named.
    alone = about.row_names if len(tables) == 1 and metadata is None else None
    roles = Roles.find(
        scheme, names, where, options.columns_of_roles(), alone=alone,
        control_column=options.control_column, controls_named=controls is not None,
    )  # fmt: skip
    kept = scheme.kept(as_columns(options.columns), names)
    roles.check_kept(kept, names, where)
    beside_rows = about if metadata is not None else None
    wider = wider_columns(tables if beside_rows is None else [about], roles.batch)
    keep = list(dict.fromkeys([*roles.columns(), *kept, *wider]))
    columns = RowColumns.of(roles, keep, scheme, tables, beside_rows)
    features = shared_features(
        tables, scheme, roles, options.features, [*keep, *columns.of_rows],
        exclude=as_columns(options.exclude_features), common=options.common_features,
    )  # fmt: skip
    files = [table.place for table in tables if table.parsed_whole and table.place is not None]
    if hold or sum(map(size_of, files)) <= _HELD_BYTES:
        wanted = list(dict.fromkeys([*columns.of_rows, *features]))
        tables = [
            table.held(wanted, text=roles.columns()) if table.parsed_whole else table
            for table in tables
        ]
    codes, described, well = wells_of_rows(
        tables, beside_rows, columns, roles,
        allow_unmatched=options.allow_unmatched, allow_duplicates=options.allow_duplicates,
    )  # fmt: skip
    wells, origin = well_metadata(described, well, roles, scheme, controls, kept)
    warn_of_repeated_plates(described, roles.batch, wider)
    if files_read is not None:
        origin["files"] = files_read
    kinds = [table.schema.field(name).type for table in unlike(tables) for name in features]
    dtype = matrix_type(kinds)
    width = width_of(tables, features)
    chunks = TableChunks(tables, features, width, dtype, codes, versions=versions_of(tables))
    # What joining took goes back to the system: some 100 bytes a well, which Arrow would keep.
    del described, well
    pa.default_memory_pool().release_unused()
    return WellStream(wells, chunks.width, dtype, chunks, origin, feature_columns=tuple(features))


def _usual_layout(embeddings: Any) -> str:
    """Return the layout where none is named: what is in memory is like no public screen's files."""
    listed = isinstance(embeddings, Sequence) and len(embeddings) > 0
    first = embeddings[0] if listed and not isinstance(embeddings, str) else embeddings
    return "rxrx3-core" if is_path(first) else "columns"


def _drop_missing(
    rows: Rows, wells: pd.DataFrame, names: tuple[str, ...], missing: Missing
) -> tuple[Rows, pd.DataFrame, tuple[str, ...]]:
    """Return rows, wells and names of features without what `missing` drops."""
    if missing == "drop-features":
        whole = _some_whole(np.asarray(np.isfinite(rows).all(axis=0)))
        return (rows if whole.all() else rows[:, whole]), wells, _of_features(names, whole)
    if missing == "drop-wells":
        not_finite, zero = get_backend().row_faults(rows)
        good = _some_good(~(not_finite | zero))
        if not good.all():
            return rows[good], wells[good].reset_index(drop=True), names
    return rows, wells, names


def _of_features(names: tuple[str, ...], whole: NDArray[np.bool_]) -> tuple[str, ...]:
    """Return the columns of features that are kept; a column of vectors stays one."""
    if len(names) != len(whole):
        return names
    return tuple(name for name, kept in zip(names, whole.tolist(), strict=True) if kept)


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
        names = _of_features(stream.feature_columns, whole)
        return replace(stream, width=int(whole.sum()), source=kept, feature_columns=names)
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
