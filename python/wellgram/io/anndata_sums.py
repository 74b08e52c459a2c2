"""The SHA-256 of each label in a file of AnnData that was written here, verified when it is read.

They are an attribute of ``obs``, which `anndata` does not keep: where it writes the file anew, or
``obs`` in place, the attribute is gone, and the labels may be others. As long as it is there, they
are as they were written.
"""

import hashlib
import json
from typing import Any

import pyarrow as pa

from wellgram.errors import InputError
from wellgram.io.labels import check_column_sums, column_sums
from wellgram.io.stores import NOTE

_ATTRIBUTE = "wellgram_sums"
_NOTE_SUM = f"uns/{NOTE}"


def write_sums(obs: Any, columns: pa.Table, note: str) -> None:
    """Keep the sums of labels, as columns of numbers, booleans and text, and of the note."""
    sums = {**column_sums(columns), _NOTE_SUM: _sum_of(note)}
    obs.attrs[_ATTRIBUTE] = json.dumps(sums)


def check_sums(obs: Any, labels: pa.Table, note: str | None, where: str) -> None:
    """Raise unless labels and the note are as they were written, where their sums were kept."""
    kept = obs.attrs.get(_ATTRIBUTE)
    if kept is None:
        return
    written = json.loads(kept)
    if written.pop(_NOTE_SUM) != _sum_of(note or ""):
        raise InputError(
            f"{_NOTE_SUM!r} of {where} is damaged: its checksum differs; write the file again"
        )
    names = [name for name in labels.column_names if name in written]
    simple = pa.table({name: _simple(labels.column(name)) for name in names})
    check_column_sums(simple, written, where)


def _sum_of(note: str) -> str:
    return hashlib.sha256(note.encode()).hexdigest()


def _simple(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without categories, and its text in the type that sums are of."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()) if pa.types.is_large_string(column.type) else column
