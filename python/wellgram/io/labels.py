"""Labels for files that know numbers, booleans and text only, and back as they were.

A table of labels becomes columns of those three kinds, and a note that says what they were: an
Arrow stream of no rows, which holds types, categories and what pandas adds, beside the provenance.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.io.read_errors import first_line
from wellgram.io.stores import EMBEDDINGS, MISSING, NOTE

_UNSAFE = re.compile(r"[^\w .,()%+=@-]")
_TAKEN = {EMBEDDINGS, NOTE, MISSING, "_index"}
"""Names that mean something else in one of the formats"""


@dataclass(frozen=True)
class Note:
    """What is written beside labels and embeddings: what they are, and how they came to be."""

    kind: str
    """"map" or "wells\""""
    facts: Mapping[str, Any]
    """The provenance of a map, the origin of wells"""
    types: pa.Table
    """The labels as they were, without rows"""
    sums: Mapping[str, str] = field(default_factory=dict)
    """Of each stored column its SHA-256; of files that others may go on writing to, none"""

    def text(self) -> str:
        """Return the note as text."""
        types = types_text(self.types)
        facts = {"kind": self.kind, "facts": dict(self.facts), "types": types}
        return json.dumps({**facts, "sums": dict(self.sums)})

    @classmethod
    def of(cls, text: str, where: str) -> "Note":
        """Return the note that a text is; raise, naming where it stands, if it is none."""
        try:
            found = json.loads(text)
            kind, facts, sums = found["kind"], dict(found["facts"]), dict(found.get("sums", {}))
            return cls(kind, facts, types_of(found["types"]), sums)
        except (ValueError, KeyError, TypeError, OSError, pa.ArrowException) as problem:
            raise InputError(
                f"what wellgram wrote into {where} ({NOTE!r}) is damaged: {first_line(problem)}; "
                "write the file again"
            ) from problem

    def check(self, columns: pa.Table, where: str) -> None:
        """Raise unless all columns that were summed up are there as they were."""
        check_column_sums(columns, self.sums, where)


def note_of(text: str | None, kind: str, where: str) -> Note | None:
    """Return the note, if there is one; raise if it is of something else."""
    if text is None:
        return None
    note = Note.of(text, where)
    if note.kind != kind:
        raise InputError(f"{where} is no {kind}: it holds {note.kind}")
    return note


def column_sums(columns: pa.Table) -> dict[str, str]:
    """Return the SHA-256 of each column of numbers, booleans or text."""
    # A column whose texts are all missing has lost its type where it is read.
    texts = {
        name: column.cast(pa.string()) if pa.types.is_null(column.type) else column
        for name, column in zip(columns.column_names, columns.columns, strict=True)
    }
    sums = {}
    for name, values in as_arrays(pa.table(texts)).items():
        kind = "text" if values.dtype == object else values.dtype.newbyteorder("=").str
        content = "\0".join(values).encode() if values.dtype == object else values.tobytes()
        sums[name] = hashlib.sha256(f"{kind} {len(values)} ".encode() + content).hexdigest()
    return sums


def check_column_sums(columns: pa.Table, sums: Mapping[str, str], where: str) -> None:
    """Raise unless all columns that were summed up are there as they were."""
    names = [name for name in columns.column_names if name in sums]
    there = column_sums(columns.select(names))
    for name, written in sums.items():
        if there.get(name) != written:
            raise InputError(
                f"label column {name!r} of {where} is damaged: its checksum differs; write the "
                "file again"
            )


def types_text(types: pa.Table) -> str:
    """Return the types of a table's columns as text."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, types.schema) as stream:
        for batch in _no_rows(types):
            stream.write_batch(batch)
    return base64.b64encode(sink.getvalue()).decode()


def types_of(text: str) -> pa.Table:
    """Return the table without rows that has these types."""
    return pa.ipc.open_stream(base64.b64decode(text)).read_all()


def arrow_labels(labels: pd.DataFrame) -> pa.Table:
    """Return labels as a table of Arrow.

    Raises
    ------
    InputError
        If values of a column have no type in common.
    """
    try:
        return pa.Table.from_pandas(labels, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as problem:
        raise InputError(
            f"the labels cannot be written: {first_line(problem)}; make the values of each column "
            "one type"
        ) from problem


def simple(labels: pd.DataFrame) -> tuple[pa.Table, pa.Table]:
    """Return labels as columns of numbers, booleans and text, and what they were, without rows.

    Raises
    ------
    InputError
        If a column's values have no text that they can be read back from.
    """
    table = arrow_labels(labels)
    columns = {}
    types = pa.Table.from_batches(_no_rows(table), table.schema)
    for name, stored in zip(table.column_names, _stored(table.column_names), strict=True):
        column = table.column(name)
        try:
            columns[stored] = _simple(column)
            lossless = _is_plain(column.type) or _alike(_as(columns[stored], types[name]), column)
        except (pa.ArrowException, TypeError, ValueError):
            lossless = False
        if not lossless:
            raise InputError(
                f"labels of type {column.type} (column {name!r}) can be kept in a .parquet only; "
                "write one, or leave the column out"
            )
    return pa.table(columns), types


def restored(found: pa.Table, types: pa.Table | None) -> pd.DataFrame:
    """Return labels as they were before `simple`; columns that are new since then as they are."""
    if types is None:
        return as_typed(found, found.slice(0, 0))
    own = dict(zip(_stored(types.column_names), types.column_names, strict=True))
    there = {own.get(name, name): found.column(name) for name in found.column_names}
    order = [name for name in types.column_names if name in there]
    order += [name for name in there if name not in order]
    return as_typed(pa.table({name: there[name] for name in order}), types)


def as_typed(found: pa.Table, types: pa.Table) -> pd.DataFrame:
    """Return a table whose columns have the types they had, if they still fit."""
    columns = {
        name: _restored(found.column(name), types.column(name))
        if name in types.column_names
        else found.column(name)
        for name in found.column_names
    }
    metadata = types.schema.metadata
    labels: pd.DataFrame = pa.table(columns).replace_schema_metadata(metadata).to_pandas()
    # A table that pandas wrote may be keyed by an index, which is a column like others here.
    return labels.reset_index(drop=all(name is None for name in labels.index.names))


def as_arrays(table: pa.Table) -> dict[str, NDArray[Any]]:
    """Return simple columns as arrays; where values are missing, a mask beside them."""
    arrays = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_string(column.type):
            check_no_nul(column, name)
            values = np.array(["", *column.fill_null("").to_pylist()], object)[1:]
        else:
            values = column.fill_null(pa.scalar(0).cast(column.type)).to_numpy()
        arrays[name] = values
        if column.null_count:
            arrays[f"{MISSING}/{name}"] = column.is_null().to_numpy()
    return arrays


def check_no_nul(column: pa.ChunkedArray, name: str) -> None:
    """Raise if texts hold a NUL character, at which those of HDF5 and NumPy end."""
    if any("\0" in value for value in column.to_pylist() if value is not None):
        raise InputError(
            f"label column {name!r} holds a NUL character, at which arrays of text end; "
            "write a .parquet"
        )


def _stored(names: list[str]) -> list[str]:
    """Return the names that columns have in files: no path, none that is taken, none twice.

    Names that differ in case alone are the same to some file systems.
    """
    stored: list[str] = []
    taken = set(_TAKEN)
    for name in names:
        free = _UNSAFE.sub("_", name).lstrip("._ ") or "column"
        while free.casefold() in taken:
            free += "_"
        stored.append(free)
        taken.add(free.casefold())
    return stored


def _no_rows(table: pa.Table) -> list[pa.RecordBatch]:
    """Return a batch of no rows, with the categories that a table of no batches would lose."""
    columns = [
        pa.DictionaryArray.from_arrays(
            pa.array([], column.type.index_type), _categories(column), ordered=column.type.ordered
        )
        if pa.types.is_dictionary(column.type)
        else pa.array([], column.type)
        for column in table.columns
    ]
    return [pa.RecordBatch.from_arrays(columns, schema=table.schema)]


def _categories(column: pa.ChunkedArray) -> pa.Array:
    chunks = column.chunks
    return chunks[0].dictionary if chunks else pa.array([], column.type.value_type)


def _simple(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _simple(column.cast(kind.value_type))
    if pa.types.is_nested(kind):
        text = [None if value is None else json.dumps(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(text, pa.string())])
    return column if _is_plain(kind) else column.cast(pa.string())


def _is_plain(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
    )


def _alike(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Return whether two columns hold the same, a NaN being like a NaN."""
    return one.type == other.type and repr(one.to_pylist()) == repr(other.to_pylist())


def _restored(column: pa.ChunkedArray, before: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in the type it had; as it is if it no longer fits, having been changed."""
    try:
        return _as(column, before)
    except (pa.ArrowException, ValueError):
        return column


def _as(column: pa.ChunkedArray, before: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = before.type
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.type == kind:
        return column
    if pa.types.is_null(kind):
        if column.null_count < len(column):
            raise ValueError("there are values now")
        return pa.chunked_array([pa.nulls(len(column))])
    if pa.types.is_dictionary(kind):
        categories = _categories(before)
        values = column.cast(kind.value_type)
        codes = pc.index_in(values, value_set=categories).cast(kind.index_type)
        if codes.null_count > values.null_count:
            raise ValueError("there is a value that was no category")
        codes = codes.combine_chunks()  # one chunk, that the categories outlive no rows
        whole = pa.DictionaryArray.from_arrays(codes, categories, ordered=kind.ordered)
        return pa.chunked_array([whole])
    if pa.types.is_nested(kind):
        values = [None if text is None else json.loads(text) for text in column.to_pylist()]
        return pa.chunked_array([pa.array(values, kind)])
    return column.cast(kind)
