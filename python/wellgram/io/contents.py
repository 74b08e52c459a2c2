"""What an open store holds, as a table: plain arrays, or an AnnData object's groups."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.io import anndata
from wellgram.io.anndata_sums import check_sums
from wellgram.io.array_table import PROBLEMS, ArrayTable
from wellgram.io.map_tables import map_arrays
from wellgram.io.places import Place, absolute
from wellgram.io.read_errors import reading
from wellgram.io.stores import EMBEDDINGS, MISSING, NOTE, Arrays, OpenArrays, WriteArrays
from wellgram.io.table_format import Format
from wellgram.io.tables import some
from wellgram.wells import PerturbationMap

_VECTORS = "biufmMOSUT"
"""The kinds of dtype that labels may have: numbers, times and text"""


def array_format(
    name: str,
    suffixes: tuple[str, ...],
    opener: OpenArrays,
    writer: WriteArrays,
    folder_files: tuple[str, ...] = (),
) -> Format:
    """Return the format of files of named arrays, given how arrays are opened and written."""

    def write_map(map_: PerturbationMap, path: Path) -> None:
        writer(path, map_arrays(map_))

    return Format(name, suffixes, partial(open_arrays, opener), write_map, folder_files)


def open_arrays(opener: OpenArrays, place: Place, name: str) -> ArrayTable:
    """Read the labels of a store and find its matrices; raise if it is not one, or is damaged."""
    again = _Matrices(opener, place)
    with reading(repr(str(place)), *PROBLEMS), opener(place) as group:
        if anndata.is_encoded(group):
            found = anndata.matrices_in(group)
            obs, note = anndata.parts(group, name)
            table = anndata.table(obs, note, found, again, name)
            check_sums(group["obs"], table.labels, note, name)
            return table
        arrays = _arrays(group)
        if not arrays:
            raise InputError(
                f"{name} holds no arrays, only {some(list(group)) or 'nothing'}; it should have "
                f"{EMBEDDINGS!r}, a row per well, and 'well_id'"
            )
        found = _matrices(arrays)
        # An array of others that is called so has another shape.
        noted = NOTE in arrays and arrays[NOTE].shape == (1,)
        note = str(_values(arrays.pop(NOTE), NOTE, name)[0]) if noted else None
        masks = _masks(group, name) if note and MISSING in group else {}
        labels = _labels(arrays, masks, _rows(arrays, found, name), name, note is not None)
        return ArrayTable.of(
            labels,
            found,
            again,
            name,
            embedding=EMBEDDINGS if EMBEDDINGS in found else None,
            note=note,
            streams=all(getattr(matrix, "streams", True) for matrix in found.values()),
        )


@dataclass(frozen=True)
class _Matrices:
    """Opens the matrices of a store anew; can be sent to another process."""

    opener: OpenArrays
    place: Place

    def __getstate__(self) -> dict[str, Any]:
        """Go to other processes, whose working folder may be another."""
        return {**self.__dict__, "place": absolute(self.place)}

    @contextmanager
    def __call__(self) -> Iterator[Arrays]:
        with self.opener(self.place) as group:
            encoded = anndata.is_encoded(group)
            yield anndata.matrices_in(group) if encoded else _matrices(_arrays(group))


def _arrays(group: Arrays) -> dict[str, Any]:
    """Return the arrays that are in a group, not in groups within it."""
    nodes = {name: group[name] for name in group}  # each asked for once: it may be far away
    return {name: node for name, node in nodes.items() if hasattr(node, "shape")}


def _masks(group: Arrays, name: str) -> dict[str, Any]:
    """Return which values of each label are missing."""
    inside = group[MISSING]
    if hasattr(inside, "shape"):
        raise InputError(
            f"{name} is damaged: {MISSING!r} is an array where wellgram wrote a group; write the "
            "file again"
        )
    return _arrays(inside)


def _matrices(arrays: Arrays) -> Arrays:
    """Return the matrices of numbers that have a row for each embedding, if those are named so."""
    found = {
        name: array
        for name, array in arrays.items()
        if len(array.shape) == 2 and array.dtype.kind in "biuf"
    }
    if EMBEDDINGS not in found:
        return found
    rows = found[EMBEDDINGS].shape[0]
    return {name: array for name, array in found.items() if array.shape[0] == rows}


def _rows(arrays: Arrays, matrices: Arrays, name: str) -> int:
    """Return the number of rows, which all matrices share."""
    rows = {key: int(matrix.shape[0]) for key, matrix in matrices.items()}
    if not rows:
        return max((int(array.shape[0]) for array in arrays.values() if array.shape), default=0)
    if len(set(rows.values())) > 1:
        differing = ", ".join(f"{key!r} has {count:,}" for key, count in rows.items())
        raise InputError(
            f"the matrices of {name} differ in rows: {differing}; name the one of wells "
            f"{EMBEDDINGS!r}"
        )
    first, count = next(iter(rows.items()))
    if "well_id" in arrays and arrays["well_id"].shape != (count,):
        raise InputError(
            f"{name} has {count:,} rows in {first!r}, but 'well_id' is of shape "
            f"{tuple(arrays['well_id'].shape)}; it should name each row"
        )
    return count


def _labels(arrays: Arrays, masks: Arrays, rows: int, name: str, masked: bool) -> pa.Table:
    """Return the vectors with a value for each row as columns.

    Text that is empty is missing, as in a csv, unless masks say what is (`masked`).
    """
    columns = {}
    for key, array in arrays.items():
        if array.shape == (rows,) and array.dtype.kind in _VECTORS:
            values = _values(array, key, name)
            missing = _mask(masks[key], key, rows, name) if key in masks else None
            if values.dtype == object and not masked:
                missing = values == ""
            columns[key] = pa.array(values, mask=missing)
    return pa.table(columns)


def _mask(node: Any, key: str, rows: int, name: str) -> NDArray[np.bool_]:
    """Return which values are missing, once the array is known to be no longer than they are."""
    if node.shape != (rows,):
        raise InputError(
            f"{name} is damaged: what is missing of {key!r} is of shape {tuple(node.shape)}, where "
            f"there are {rows:,} rows; write the file again"
        )
    return np.asarray(node[:], bool)


def _values(node: Any, key: str, name: str) -> NDArray[Any]:
    """Return the values of a vector: numbers, or text as Python strings."""
    # Of HDF5, what varies in length and is no text; to read it where it is damaged may be a crash.
    varying = (node.dtype.metadata or {}).get("vlen", str)
    if varying not in (str, bytes):
        raise _neither(key, name, "list")
    values = np.asarray(node[:])
    if values.dtype.kind not in "OSUT":
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    text = [_decoded(value, key, name) for value in values.tolist()]
    other = next((value for value in text if not isinstance(value, str | None)), None)
    if other is not None:
        raise _neither(key, name, type(other).__name__)
    found = np.empty(len(text), object)
    found[:] = text
    return found


def _decoded(value: Any, key: str, name: str) -> Any:
    """Return text of bytes as a string, and anything else as it is."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InputError(
            f"array {key!r} of {name} holds {value!r}, which is not text of UTF-8; write it as text"
        ) from None


def _neither(key: str, name: str, kind: str) -> InputError:
    """Return the error of an array that holds neither text nor numbers."""
    return InputError(
        f"array {key!r} of {name} holds a {kind}, which is neither text nor a number; remove it, "
        "or write it as text"
    )
