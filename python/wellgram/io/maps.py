"""Maps on disk: parquet, one row per perturbation, the embedding as one fixed-size list column."""

import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from wellgram.backends.protocol import Rows
from wellgram.errors import InputError
from wellgram.files import replacing
from wellgram.io.tables import TableFile, feature_matrix
from wellgram.wells import PerturbationMap

_EMBEDDING = "embedding"
_PROVENANCE = b"wellgram"
_GROUP_BYTES = 1 << 26


def write_map(map_: PerturbationMap, path: str | Path) -> None:
    """Write a map as parquet: its labels, ``embedding``, and the provenance in the schema.

    The file appears whole or not at all.
    """
    values = pa.array(map_.embeddings.ravel())
    vectors = pa.FixedSizeListArray.from_arrays(values, map_.embeddings.shape[1])
    table = pa.Table.from_pandas(map_.labels, preserve_index=False)
    table = table.append_column(_EMBEDDING, vectors)
    provenance = json.dumps(dict(map_.provenance)).encode()
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _PROVENANCE: provenance}
    )
    with replacing(path) as temporary:
        width = map_.embeddings.shape[1] * map_.embeddings.itemsize
        rows = max(1, _GROUP_BYTES // max(1, width))
        pa.parquet.write_table(table, temporary, row_group_size=rows)


def read_map(path: str | Path) -> PerturbationMap:
    """Read a map that `write_map` wrote.

    Raises
    ------
    InputError
        If the file is missing or damaged, or is no map.
    """
    file = _open(path)
    table = file.read(file.names)
    embeddings = feature_matrix(table, [_EMBEDDING], file.label)
    labels: pd.DataFrame = table.drop_columns([_EMBEDDING]).to_pandas()
    provenance = json.loads((file.schema.metadata or {}).get(_PROVENANCE, b"{}"))
    return PerturbationMap(embeddings, labels, provenance)


@dataclass(frozen=True, repr=False)
class MapFile:
    """A map that stays on disk: labels at hand, embeddings read by ranges of rows.

    What `wellgram.pairs` takes in place of a map that does not fit into memory.
    """

    path: Path
    labels: pd.DataFrame
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    _groups: tuple[int, ...] = field(default=())
    """The first row of each row group, and the number of rows"""

    def __repr__(self) -> str:
        return f"MapFile({self.shape[0]:,} perturbations x {self.shape[1]} features, {self.path})"

    def __getitem__(self, rows: slice) -> Rows:
        """Return the embeddings of some rows."""
        start, stop, step = rows.indices(self.shape[0])
        parts = [np.empty((0, self.shape[1]), self.dtype)]
        with pa.parquet.ParquetFile(self.path) as file:
            for group, (first, last) in enumerate(pairwise(self._groups)):
                low, high = max(start, first), min(stop, last)
                if low < high:
                    table = file.read_row_group(group, columns=[_EMBEDDING])
                    block = feature_matrix(table, [_EMBEDDING], self.path.name)
                    parts.append(block[low - first : high - first])
        return np.concatenate(parts)[::step]


def open_map(path: str | Path) -> MapFile:
    """Open a map that `write_map` wrote without reading its embeddings.

    Raises
    ------
    InputError
        If the file is missing or damaged, or is no map.
    """
    file = _open(path)
    if not pa.types.is_fixed_size_list(file.schema.field(_EMBEDDING).type):
        raise InputError(
            f"{str(path)!r} is no map: {_EMBEDDING!r} does not hold vectors of one length"
        )
    labels: pd.DataFrame = file.read(n for n in file.names if n != _EMBEDDING).to_pandas()
    with pa.parquet.ParquetFile(file.path) as opened:
        facts = opened.metadata
        sizes = [facts.row_group(group).num_rows for group in range(facts.num_row_groups)]
    groups = tuple(np.cumsum([0, *sizes]).tolist())
    kind = file.schema.field(_EMBEDDING).type
    shape = (groups[-1], kind.list_size)
    return MapFile(file.path, labels, shape, np.dtype(kind.value_type.to_pandas_dtype()), groups)


def _open(path: str | Path) -> TableFile:
    file = TableFile.open(path)
    if _EMBEDDING not in file.names:
        raise InputError(f"{str(path)!r} is no map: it has no column {_EMBEDDING!r}")
    return file
