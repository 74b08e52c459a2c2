"""Maps on disk: one row per perturbation, as parquet, AnnData, HDF5, Zarr or NPZ.

In a parquet the embedding is one fixed-size list column; in the others it is a matrix beside the
labels. Labels and provenance come back from each as they were.
"""

import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from wellgram.backends.protocol import Rows
from wellgram.errors import ColumnMissing, InputError
from wellgram.io.anndata_objects import to_anndata
from wellgram.io.array_table import ArrayTable
from wellgram.io.formats import is_path, open_table, table_of
from wellgram.io.labels import (
    Note,
    as_arrays,
    as_typed,
    note_of,
    restored,
    simple,
    types_of,
    types_text,
)
from wellgram.io.places import Place, Remote, locate, placing
from wellgram.io.stores import EMBEDDINGS, NOTE, STORES
from wellgram.io.tables import Table, TableFile, feature_matrix, matrix_type, source_of
from wellgram.wells import PerturbationMap

if TYPE_CHECKING:
    from anndata import AnnData

_EMBEDDING = "embedding"
_PROVENANCE = b"wellgram"
_TYPES = b"wellgram_types"
"""Of the labels, since parquet forgets categories that are not text"""
_GROUP_BYTES = 1 << 26


def write_map(map_: PerturbationMap, /, path: str | Path) -> None:
    """Write a map, in the format that the suffix names: labels, embeddings and provenance.

    A ``.parquet`` has the labels, ``embedding``, and the provenance in the schema; an ``.h5ad`` is
    what `to_anndata` makes; an ``.h5``, ``.zarr`` or ``.npz`` has ``embeddings``, a vector for each
    label, ``missing/LABEL`` where values of one are missing, and ``wellgram``, the provenance. The
    path may be a URL that fsspec reaches. The file appears whole or not at all; of a Zarr store at
    a URL, its files come one by one.

    Raises
    ------
    InputError
        If the format is unknown or cannot hold the labels, or there is no such folder.
    """
    place = locate(path)
    if place.suffix not in (".parquet", *STORES):
        known = ", ".join([".parquet", *STORES])
        raise InputError(f"a map is written as {known}, not as {place.name!r}")
    if place.suffix in STORES and STORES[place.suffix].folder:
        _check_replaceable(place)
    with placing(place) as temporary:
        if place.suffix == ".parquet":
            _write_parquet(map_, temporary)
        elif place.suffix == ".h5ad":
            to_anndata(map_).write_h5ad(temporary)
        else:
            columns, types = simple(map_.labels)
            note = np.array([Note("map", map_.provenance, types).text()], object)
            arrays = {EMBEDDINGS: map_.embeddings, NOTE: note, **as_arrays(columns)}
            STORES[place.suffix].write(temporary, arrays)


def read_map(path: "str | Path | AnnData") -> PerturbationMap:
    """Read a map that `write_map` wrote, or that `to_anndata` made.

    A file or AnnData object that others made is a map if it has a label ``perturbation``.

    Raises
    ------
    InputError
        If the file is missing or damaged, or is no map.
    """
    table = _open(path)
    if isinstance(table, ArrayTable):
        labels, provenance = _described(table)
        return PerturbationMap(table.rows(0, len(labels)), labels, provenance)
    whole = table.read(table.names)
    embeddings = feature_matrix(whole, [_EMBEDDING], table.label)
    provenance = json.loads((table.schema.metadata or {}).get(_PROVENANCE, b"{}"))
    return PerturbationMap(embeddings, _typed(table, whole), provenance)


@dataclass(frozen=True, repr=False)
class MapFile:
    """A map that stays on disk: labels at hand, embeddings read by ranges of rows.

    It goes wherever a map goes. What passes over pairs reads it by ranges; what needs all rows at
    once reads them.
    """

    path: Place
    labels: pd.DataFrame
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    _table: Table
    _groups: tuple[int, ...] = field(default=())
    """Of a parquet: the first row of each row group, and the number of rows"""

    def __repr__(self) -> str:
        return f"MapFile({self.shape[0]:,} perturbations x {self.shape[1]} features, {self.path})"

    def __getstate__(self) -> dict[str, Any]:
        """Go to other processes, whose working folder may be another."""
        path = self.path if isinstance(self.path, Remote) else self.path.absolute()
        return {**self.__dict__, "path": path}

    @property
    def embeddings(self) -> Rows:
        """The embeddings (p, d), all of which are read: for what takes no ranges of rows."""
        return self[:]

    def __getitem__(self, rows: slice) -> Rows:
        """Return the embeddings of some rows."""
        start, stop, step = rows.indices(self.shape[0])
        if isinstance(self._table, ArrayTable):
            found = self._table.rows(start, max(start, stop))
            return found.astype(self.dtype, copy=False)[::step]
        parts = [np.empty((0, self.shape[1]), self.dtype)]
        with source_of(self.path) as source, pa.parquet.ParquetFile(source) as file:
            for group, (first, last) in enumerate(pairwise(self._groups)):
                low, high = max(start, first), min(stop, last)
                if low < high:
                    table = file.read_row_group(group, columns=[_EMBEDDING])
                    chunk = feature_matrix(table, [_EMBEDDING], self.path.name)
                    parts.append(chunk[low - first : high - first])
        return np.concatenate(parts)[::step]


def open_map(path: str | Path) -> MapFile:
    """Open a map that `write_map` wrote without reading its embeddings.

    Those of an NPZ that is compressed are held in memory.

    Raises
    ------
    InputError
        If the file is missing or damaged, or is no map.
    """
    table = _open(path)
    kind = table.schema.field(table.embedding or _EMBEDDING).type
    if not pa.types.is_fixed_size_list(kind):
        raise InputError(
            f"{str(path)!r} is no map: {_EMBEDDING!r} does not hold vectors of one length"
        )
    dtype = matrix_type([kind])
    place = locate(path)
    if isinstance(table, ArrayTable):
        labels, _ = _described(table)
        shape = (len(labels), kind.list_size)
        return MapFile(place, labels, shape, dtype, table.held())
    labels = _typed(table, table.read(n for n in table.names if n != _EMBEDDING))
    with source_of(place) as source, pa.parquet.ParquetFile(source) as opened:
        facts = opened.metadata
        sizes = [facts.row_group(group).num_rows for group in range(facts.num_row_groups)]
    groups = tuple(np.cumsum([0, *sizes]).tolist())
    return MapFile(place, labels, (groups[-1], kind.list_size), dtype, table, groups)


def _open(path: "str | Path | AnnData") -> Table:
    """Return the table of labels and vectors that a map is."""
    table = open_table(path) if is_path(path) else table_of(path)
    label = repr(str(path)) if is_path(path) else table.label
    if isinstance(table, ArrayTable) and table.embedding is None:
        raise InputError(f"{label} is no map: it has no matrix {EMBEDDINGS!r} (of an AnnData: 'X')")
    if isinstance(table, TableFile) and _EMBEDDING not in table.names:
        raise ColumnMissing(f"{label} is no map: it has no column {_EMBEDDING!r}")
    return table


def _typed(table: Table, found: pa.Table) -> pd.DataFrame:
    """Return the labels that columns of a parquet are."""
    metadata = table.schema.metadata or {}
    labels = found.select([name for name in found.column_names if name != _EMBEDDING])
    types = types_of(metadata[_TYPES].decode()) if _TYPES in metadata else found.slice(0, 0)
    return as_typed(labels, types)


def _described(table: ArrayTable) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the labels and the provenance of a map."""
    note = note_of(table.note, "map", table.label)
    if note is not None:
        return restored(table.labels, note.types), dict(note.facts)
    return restored(table.labels, None), {}


def _write_parquet(map_: PerturbationMap, path: Path) -> None:
    values = pa.array(map_.embeddings.ravel())
    vectors = pa.FixedSizeListArray.from_arrays(values, map_.embeddings.shape[1])
    labels = pa.Table.from_pandas(map_.labels, preserve_index=False)
    table = labels.append_column(_EMBEDDING, vectors)
    provenance = json.dumps(dict(map_.provenance)).encode()
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _PROVENANCE: provenance, _TYPES: types_text(labels)}
    )
    width = map_.embeddings.shape[1] * map_.embeddings.itemsize
    rows = max(1, _GROUP_BYTES // max(1, width))
    pa.parquet.write_table(table, path, row_group_size=rows)


def _check_replaceable(place: Place) -> None:
    """Raise if a folder of that name is not a Zarr store, whose files would be lost."""
    ours = {"zarr.json", ".zgroup", ".zarray", ".zattrs"}
    if place.is_dir():
        inside = {found.name for found in place.glob("*")} | {f.name for f in place.glob(".z*")}
        if inside and not inside & ours:
            raise InputError(
                f"the folder {str(place)!r} holds other files than a Zarr store's; choose another "
                "name, or remove it"
            )
