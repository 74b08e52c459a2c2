"""Maps on disk: parquet, one row per perturbation, the embedding as one fixed-size list column."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from wellgram.errors import InputError
from wellgram.files import replacing
from wellgram.io.tables import TableFile, feature_matrix
from wellgram.wells import PerturbationMap

_EMBEDDING = "embedding"
_PROVENANCE = b"wellgram"


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
        pa.parquet.write_table(table, temporary)


def read_map(path: str | Path) -> PerturbationMap:
    """Read a map that `write_map` wrote.

    Raises
    ------
    InputError
        If the file is missing or damaged, or is no map.
    """
    file = TableFile.open(path)
    if _EMBEDDING not in file.names:
        raise InputError(f"{str(path)!r} is no map: it has no column {_EMBEDDING!r}")
    table = file.read(file.names)
    embeddings = feature_matrix(table.select([_EMBEDDING]), [_EMBEDDING], file.path)
    labels: pd.DataFrame = table.drop_columns([_EMBEDDING]).to_pandas()
    provenance = json.loads((file.schema.metadata or {}).get(_PROVENANCE, b"{}"))
    return PerturbationMap(embeddings, labels, provenance)
