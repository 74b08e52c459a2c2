"""The matrix of cosines itself, or a part of it, for when a person does want the numbers."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wellgram.backends import takes_backend
from wellgram.backends.consumers import Matrix
from wellgram.backends.free_memory import check_room
from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.errors import InputError
from wellgram.files import replacing
from wellgram.pairs.scanning import scan
from wellgram.pairs.unit_rows import Map, PairDtype, UnitRows, check_indices, unit_pair

_Index = slice | ArrayLike | None
_CHUNK_BYTES = 1 << 28


class MatrixSink(Protocol):
    """What takes chunks of rows of a matrix: a Zarr array, an HDF5 dataset, a memory map."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows by columns."""

    def __setitem__(self, rows: slice, chunk: Any) -> None:
        """Write a chunk of whole rows."""


@takes_backend
def cosine_matrix(
    x: Map,
    *,
    other: Map | None = None,
    rows: _Index = None,
    columns: _Index = None,
    out: "str | Path | MatrixSink | None" = None,
    dtype: PairDtype | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
) -> NDArray[np.floating[Any]]:
    """Return the cosines of every row with every other, or of some rows with some.

    Parameters
    ----------
    x, other, dtype, backend, progress
        As for `wellgram.pairs.scan_pairs`; columns are rows of other, or of x.
    rows, columns
        Slices or arrays of row numbers; by default all.
    out
        Where to write instead of memory, a chunk of rows at a time: the name of a ``.npy`` file, or
        an open array of shape (n, m), such as Zarr's or h5py's.

    Returns
    -------
    ndarray
        (n, m), float32, or float64 for float64 rows; a memory map where `out` names a file, and
        `out` itself where it is an array. The diagonal of a map against itself is there too.

    Raises
    ------
    InputError
        If an index or the shape of `out` does not fit, or as `wellgram.pairs.scan_pairs` has it.
    """
    left, others = unit_pair(x, other, dtype)
    right = others or left
    i, j = _indices(rows, left.n, "rows"), _indices(columns, right.n, "columns")
    shape = (len(i), len(j))
    if out is None:
        return _whole(left, others, i, j, progress)
    if not isinstance(out, str | Path):
        if out.shape != shape:
            raise InputError(f"out is {out.shape}, but the matrix {shape}")
        _write(left, right, i, j, out, progress)
        return out  # type: ignore[return-value]
    if Path(out).suffix != ".npy":
        raise InputError(f"cannot write {str(out)!r}: name a file .npy, or give an open array")
    with replacing(out) as temporary:
        mapped = np.lib.format.open_memmap(temporary, "w+", left.dtype, shape)
        _write(left, right, i, j, mapped, progress)
        mapped.flush()
    return np.lib.format.open_memmap(out, "r")


def _indices(index: _Index, n: int, name: str) -> Codes:
    if index is None or isinstance(index, slice):
        return np.arange(n)[index or slice(None)]
    return check_indices(index, n, name)


def _whole(
    left: UnitRows, others: UnitRows | None, i: Codes, j: Codes, progress: Progress | None
) -> Rows:
    what = f"the matrix of {len(i):,} x {len(j):,} cosines"
    size = len(i) * len(j) * left.dtype.itemsize
    check_room(size, what, "write it to a file (out='cosines.npy'), or take some rows (rows=)")
    out = np.empty((len(i), len(j)), left.dtype)
    everything = len(i) == left.n == len(j) and (i == j).all() and (i == np.arange(left.n)).all()
    if others is None and everything:
        scan(left, None, [Matrix(out)], progress=progress)
        np.fill_diagonal(out, left.cosines(i, i))
        np.clip(out, -1, 1, out=out)  # rounding carries those of equal rows past 1
    else:
        _write(left, others or left, i, j, out, progress)
    return out


def _write(
    left: UnitRows, right: UnitRows, i: Codes, j: Codes, out: Any, progress: Progress | None
) -> None:
    columns = right.some(j)
    height = max(1, _CHUNK_BYTES // max(1, len(j) * left.dtype.itemsize))
    for first in range(0, len(i), height):
        chosen = i[first : first + height]
        chunk = np.empty((len(chosen), len(j)), left.dtype)
        scan(left.some(chosen), columns, [Matrix(chunk)])
        out[first : first + len(chosen)] = np.clip(chunk, -1, 1, out=chunk)
        if progress:
            progress(min(1.0, (first + height) / len(i)))
