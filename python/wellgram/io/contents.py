"""What an open store holds, as a table: plain arrays, or an AnnData object's groups."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.io import anndata
from wellgram.io.arrays import PROBLEMS, ArrayTable
from wellgram.io.places import Place
from wellgram.io.reading import reading
from wellgram.io.stores import EMBEDDINGS, MISSING, NOTE, STORES, Arrays
from wellgram.io.tables import some


def open_store(place: Place, name: str) -> ArrayTable:
    """Read the labels of a store and find its matrices; raise if it is not one, or is damaged."""
    store = STORES[place.suffix]
    again = _Matrices(place)
    with reading(repr(str(place)), *PROBLEMS), store.open(place) as group:
        found = _matrices(group)
        if anndata.is_encoded(group):
            return anndata.table(*anndata.parts(group), found, again, name)
        if not any(hasattr(group[key], "shape") for key in group):
            raise InputError(
                f"{name} holds no arrays, only {some(list(group)) or 'nothing'}; it should have "
                f"{EMBEDDINGS!r}, a row per well, and 'well_id'"
            )
        embedding = EMBEDDINGS if EMBEDDINGS in found else None
        labels = _labels(group, _rows(group, found, name), name)
        note = str(_values(group[NOTE], NOTE, name)[0]) if NOTE in group else None
        return ArrayTable.of(
            labels, found, again, name, embedding=embedding, note=note, streams=store.streams
        )


@dataclass(frozen=True)
class _Matrices:
    """Opens the matrices of a store anew; can be sent to another process."""

    place: Place

    @contextmanager
    def __call__(self) -> Iterator[Arrays]:
        with STORES[self.place.suffix].open(self.place) as group:
            yield _matrices(group)


def _matrices(group: Arrays) -> Arrays:
    """Return the matrices of numbers, by name."""
    if anndata.is_encoded(group):
        return anndata.matrices_in(group)
    nodes = {name: group[name] for name in group if hasattr(group[name], "shape")}
    return {
        name: node
        for name, node in nodes.items()
        if len(node.shape) == 2 and node.dtype.kind in "biuf"
    }


def _rows(group: Arrays, matrices: Arrays, name: str) -> int:
    """Return the number of rows, which all matrices share."""
    rows = {key: int(matrix.shape[0]) for key, matrix in matrices.items()}
    if not rows:
        vectors = [group[key] for key in group if len(getattr(group[key], "shape", ())) == 1]
        return max((int(vector.shape[0]) for vector in vectors), default=0)
    if len(set(rows.values())) > 1:
        differing = ", ".join(f"{key!r} has {count:,}" for key, count in rows.items())
        raise InputError(f"the matrices of {name} differ in rows: {differing}; keep those of wells")
    count = next(iter(rows.values()))
    if "well_id" in group and group["well_id"].shape != (count,):
        raise InputError(
            f"{name} has {count:,} rows in {next(iter(rows))!r}, but 'well_id' is of shape "
            f"{tuple(group['well_id'].shape)}; it should name each row"
        )
    return count


def _labels(group: Arrays, rows: int, name: str) -> pa.Table:
    """Return the vectors with a value for each row as columns."""
    columns = {}
    for key in group:
        own = key == NOTE or key.startswith(f"{MISSING}/")
        if not own and getattr(group[key], "shape", None) == (rows,):
            values = _values(group[key], key, name)
            mask = f"{MISSING}/{key}"
            missing = np.asarray(group[mask][:], bool) if mask in group else None
            columns[key] = pa.array(values, mask=missing)
    return pa.table(columns)


def _values(node: Any, key: str, name: str) -> NDArray[Any]:
    """Return the values of a vector: numbers, or text as Python strings."""
    values = np.asarray(node[:])
    if values.dtype.kind not in "OSUT":
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    text = [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    other = next((value for value in text if not isinstance(value, str | None)), None)
    if other is not None:
        raise InputError(
            f"array {key!r} of {name} holds a {type(other).__name__}, which is neither text nor a "
            "number; remove it, or write it as text"
        )
    found = np.empty(len(text), object)
    found[:] = text
    return found
