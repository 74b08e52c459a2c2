"""Wells and maps as AnnData objects, and back as they were."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from wellgram.errors import InputError
from wellgram.io import anndata
from wellgram.io.labels import Note, restored, simple
from wellgram.io.read_errors import needed
from wellgram.io.stores import NOTE
from wellgram.stream import WellStream
from wellgram.wells import PerturbationMap, Wells

if TYPE_CHECKING:
    from anndata import AnnData


def to_anndata(data: Wells | WellStream | PerturbationMap) -> "AnnData":
    """Make an AnnData object of wells or of a map.

    Parameters
    ----------
    data
        Wells, which are read if they are a stream, or a map.

    Returns
    -------
    AnnData
        ``X`` (n, d): the embeddings, not copied, float32 or float64. ``obs``: the labels; text that
        repeats is categorical, and what AnnData knows no type for is text. ``uns["wellgram"]``:
        what `from_anndata` needs to give everything back, the provenance of a map too.

    Raises
    ------
    InputError
        If anndata is not installed, or labels have a type that cannot be kept.
    """
    package = needed("anndata", "anndata", "an AnnData object")
    if isinstance(data, WellStream):
        data = data.read()
    if isinstance(data, Wells):
        kind, labels, facts, names = "wells", data.metadata, data.origin, "well_id"
    else:
        kind, labels, facts, names = "map", data.labels, data.provenance, "perturbation"
    columns, types = simple(labels)
    obs = pd.DataFrame({name: _series(columns.column(name)) for name in columns.column_names})
    index = labels[names].astype(str)
    if not index.is_unique:
        index = pd.Series(range(len(labels))).astype(str)
    obs = obs.set_axis(pd.Index(index.to_numpy(object)))
    return package.AnnData(data.embeddings, obs=obs, uns={NOTE: Note(kind, facts, types).text()})


def from_anndata(source: "AnnData") -> Wells | PerturbationMap:
    """Return the wells or the map that `to_anndata` made the object of.

    Rows that were left out since then are left out, and columns that were added to ``obs`` are
    kept. Of an object that others made, `read_wells` makes wells and `read_map` a map.

    Raises
    ------
    InputError
        If the object is not of `to_anndata`.
    """
    if not anndata.is_anndata(source):
        raise InputError(f"an AnnData object is needed, not a {type(source).__name__}")
    table = anndata.table_of(source)
    if table.note is None:
        raise InputError(
            f"the AnnData object has no uns[{NOTE!r}], so it was not made by to_anndata; read it "
            "with read_wells, which takes its columns by name, or read_map"
        )
    note = Note.of(table.note, table.label)
    labels = restored(table.labels, note.types)
    rows = table.rows(0, len(labels))
    if note.kind == "wells":
        return Wells(rows, labels, note.facts)
    return PerturbationMap(rows, labels, note.facts)


def _series(column: pa.ChunkedArray) -> Any:
    """Return a simple column in a type that AnnData writes, missing values included."""
    if pa.types.is_string(column.type):
        repeats = column.null_count or len(pc.unique(column)) < len(column)
        return pd.Categorical(column.to_pandas()) if repeats else column.to_pandas()
    if not column.null_count or pa.types.is_floating(column.type):
        return column.to_numpy()
    if pa.types.is_boolean(column.type):
        return pd.array(column.to_pylist(), "boolean")
    mask = column.is_null().to_numpy()
    values = column.fill_null(pa.scalar(0).cast(column.type)).to_numpy()
    return pd.arrays.IntegerArray(np.array(values), mask)
