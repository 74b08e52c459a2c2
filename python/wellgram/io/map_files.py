"""Maps on disk: one row per perturbation, in any format of `formats.py` that holds maps.

Labels and provenance come back from each as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Rows
from wellgram.errors import ColumnMissing, InputError
from wellgram.input_kinds import check_map, is_path
from wellgram.io.array_table import ArrayTable
from wellgram.io.formats import (
    format_of,
    map_suffixes,
    open_table,
    table_of,
)
from wellgram.io.map_tables import EMBEDDING, labels_and_provenance
from wellgram.io.places import Place, absolute, locate, placing
from wellgram.io.stores import EMBEDDINGS
from wellgram.io.table_format import Format
from wellgram.io.tables import RowReader, Table, feature_matrix, matrix_type
from wellgram.io.text_encodings import without_encoding
from wellgram.label_rules.named_rows import NamedRows
from wellgram.wells import PerturbationMap, check_names

if TYPE_CHECKING:
    from anndata import AnnData


def write_map(map_: PerturbationMap, /, path: str | Path) -> None:
    """Write a map, in the format that the suffix names: labels, embeddings and provenance.

    A ``.parquet`` has the labels, ``embedding``, and the provenance in the schema; an ``.h5ad`` is
    what `to_anndata` makes; an ``.h5``, ``.zarr`` or ``.npz`` has ``embeddings``, a vector for each
    label, ``missing/LABEL`` where values of one are missing, and ``wellgram``, the provenance.
    `wellgram.io.register_format` adds formats. The path may be a URL that fsspec reaches. The file
    appears whole or not at all; of a Zarr store at a URL, its files come one by one.

    Raises
    ------
    InputError
        If the format is unknown or cannot hold the labels, or there is no such folder.
    """
    check_map(map_)
    place = locate(path)
    entry = format_of(place)
    if entry is None or entry.write_map is None:
        raise InputError(f"a map is written as {map_suffixes()}, not as {place.name!r}")
    if entry.is_folder:
        _check_replaceable(place, entry)
    with placing(place) as temporary:
        entry.write_map(map_, temporary)


@without_encoding()
def read_map(path: "str | Path | AnnData") -> PerturbationMap:
    """Read a map that `write_map` wrote, or that `to_anndata` made.

    A file or AnnData object that others made is a map if it has a label ``perturbation``.

    Raises
    ------
    InputError
        If the file is missing or damaged, or is no map.
    """
    table, vectors = _open(path)
    if isinstance(table, ArrayTable):
        labels, provenance = labels_and_provenance(table, table.labels)
        return PerturbationMap(table.rows(0, len(labels)), labels, provenance)
    whole = table.read(table.names)
    labels, provenance = labels_and_provenance(table, whole.drop_columns([vectors]))
    return PerturbationMap(feature_matrix(whole, [vectors], table.label), labels, provenance)


@dataclass(frozen=True, repr=False)
class MapFile(NamedRows):
    """A map that stays on disk: labels at hand, embeddings read by ranges of rows.

    It goes wherever a map goes. What passes over pairs reads it by ranges; what needs all rows at
    once reads them.
    """

    path: Place
    labels: pd.DataFrame
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    _read: RowReader
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"MapFile({self.shape[0]:,} perturbations x {self.shape[1]} features, {self.path})"

    def __getstate__(self) -> dict[str, Any]:
        """Go to other processes, whose working folder may be another."""
        return {**self.__dict__, "path": absolute(self.path)}

    @property
    def embeddings(self) -> Rows:
        """The embeddings (p, d), all of which are read: for what takes no ranges of rows."""
        return self[:]

    def __getitem__(self, rows: slice | str | int) -> Rows:
        """Return the embeddings of some rows; of one, by its name or number, its embedding (d,)."""
        if not isinstance(rows, slice):
            row = self.row(rows)
            embedding: Rows = self[row : row + 1][0]
            return embedding
        start, stop, step = rows.indices(self.shape[0])
        return self._read(start, max(start, stop)).astype(self.dtype, copy=False)[::step]


@without_encoding()
def open_map(path: str | Path) -> MapFile:
    """Open a map that `write_map` wrote without reading its embeddings.

    Of a file that cannot be read in parts, such as a compressed NPZ, they are held in memory.

    Raises
    ------
    InputError
        If the file is missing or damaged, or is no map.
    """
    table, vectors = _open(path)
    if isinstance(table, ArrayTable):
        columns = table.labels
        # A label may be called as the matrix is, which comes after all labels.
        kind = table.schema.field(table.schema.get_all_field_indices(vectors)[-1]).type
        length = kind.list_size
    else:
        columns = table.read(name for name in table.names if name != vectors)
        kind = table.schema.field(vectors).type
        length = table.vector_length(vectors)
    labels, provenance = labels_and_provenance(table, columns)
    check_names(labels)
    shape = (len(labels), length)
    read = table.row_reader(vectors)
    return MapFile(locate(path), labels, shape, matrix_type([kind]), read, provenance)


def _open(path: "str | Path | AnnData") -> tuple[Table, str]:
    """Return the table that a map is, and the name of its column of vectors."""
    table = open_table(path) if is_path(path) else table_of(path)
    label = repr(str(path)) if is_path(path) else table.label
    if isinstance(table, ArrayTable):
        if table.embedding is None:
            raise InputError(
                f"{label} is no map: it has no matrix {EMBEDDINGS!r} (of an AnnData: 'X')"
            )
        return table, table.embedding
    if EMBEDDING not in table.names:
        raise ColumnMissing(f"{label} is no map: it has no column {EMBEDDING!r}")
    return table, EMBEDDING


def _check_replaceable(place: Place, entry: Format) -> None:
    """Raise if a folder of that name is not of the format: its files would be lost."""
    if place.is_dir():
        inside = {found.name for pattern in ("*", ".*") for found in place.glob(pattern)}
        if inside and not inside & set(entry.folder_files):
            raise InputError(
                f"the folder {str(place)!r} holds other files than those of {entry.name}; choose "
                "another name, or remove it"
            )
