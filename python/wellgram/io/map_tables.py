"""A map as a table of Arrow or as named arrays, and its labels and provenance back from either."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.input_kinds import check_map
from wellgram.io.array_table import ArrayTable
from wellgram.io.frames import checked
from wellgram.io.labels import (
    Note,
    arrow_labels,
    as_arrays,
    as_typed,
    column_sums,
    note_of,
    restored,
    simple,
    types_of,
    types_text,
)
from wellgram.io.read_errors import first_line
from wellgram.io.stores import EMBEDDINGS, NOTE
from wellgram.io.tables import Table
from wellgram.wells import PerturbationMap

EMBEDDING = "embedding"
"""The column of vectors"""
_PROVENANCE = b"wellgram"
_TYPES = b"wellgram_types"
"""Of the labels, since parquet forgets categories that are not text"""


def map_table(map_: PerturbationMap, /) -> pa.Table:
    """Return a map as a table of Arrow, for files that hold such tables.

    Parameters
    ----------
    map_
        A map of p perturbations and d features.

    Returns
    -------
    pyarrow.Table
        p rows: the labels, and ``embedding``, lists of d values, float32 or float64 as in the map.
        The metadata of the schema holds the provenance and the types of the labels. `read_map`
        gives them back from a file that keeps this metadata.

    Raises
    ------
    InputError
        If a label is called ``embedding``, or its values have no type in common.
    """
    check_map(map_)
    embeddings = map_.embeddings
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.ravel()), embeddings.shape[1])
    labels = arrow_labels(map_.labels)
    if EMBEDDING in labels.column_names:
        raise InputError(
            f"a label is called {EMBEDDING!r}, as the column of vectors is; rename the label"
        )
    provenance = json.dumps(dict(map_.provenance)).encode()
    facts = {_PROVENANCE: provenance, _TYPES: types_text(labels)}
    table = labels.append_column(EMBEDDING, vectors)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **facts})


def map_arrays(map_: PerturbationMap) -> dict[str, NDArray[Any]]:
    """Return a map as named arrays: numbers, booleans and text.

    Raises
    ------
    InputError
        If such arrays cannot hold the labels.
    """
    columns, types = simple(map_.labels)
    sums = column_sums(columns)
    note = np.array([Note("map", map_.provenance, types, sums).text()], object)
    return {EMBEDDINGS: map_.embeddings, NOTE: note, **as_arrays(columns)}


_PROBLEMS = (
    ValueError, LookupError, TypeError, AttributeError, NotImplementedError, OSError,
    pa.ArrowException,
)  # fmt: skip
"""What a damaged note raises, that of pandas within it among them"""


def labels_and_provenance(table: Table, labels: pa.Table) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the labels of a map in the types they had, and its provenance.

    Raises
    ------
    InputError
        If what wellgram wrote beside arrays is damaged, or is of wells.
    """
    try:
        return _labels_and_provenance(table, checked(labels, table.label))
    except InputError:
        raise
    except _PROBLEMS as problem:
        raise InputError(
            f"what was written into {table.label} beside the map is damaged: "
            f"{first_line(problem)}; write the map again"
        ) from problem


def _labels_and_provenance(table: Table, labels: pa.Table) -> tuple[pd.DataFrame, dict[str, Any]]:
    if isinstance(table, ArrayTable):
        note = note_of(table.note, "map", table.label)
        if note is None:
            return restored(labels, None), {}
        note.check(labels, table.label)
        return restored(labels, note.types), dict(note.facts)
    facts = table.schema.metadata or {}
    types = types_of(facts[_TYPES].decode()) if _TYPES in facts else labels.slice(0, 0)
    provenance = dict(json.loads(facts.get(_PROVENANCE, b"{}")))
    return as_typed(labels, types), provenance
