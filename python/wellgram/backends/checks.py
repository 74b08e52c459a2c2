"""What every backend asks of its arguments, checked in one place and in the same words."""

import numpy as np
from numpy.typing import ArrayLike

from wellgram.backends.protocol import AffineMaps, Codes, Rows
from wellgram.errors import InputError


def as_rows(x: ArrayLike, name: str = "x") -> Rows:
    """Return x as an aligned float32 or float64 matrix with contiguous rows, copied if need be."""
    rows = np.asarray(x)
    if rows.ndim != 2:
        raise InputError(f"{name} must be a matrix (rows, features), not of shape {rows.shape}")
    native = rows.dtype.newbyteorder("=")
    if native == np.float16:
        native = np.dtype(np.float32)
    if native not in (np.float32, np.float64):
        raise InputError(
            f"{name} has dtype {rows.dtype}; give float32, float64 or float16 "
            f"(for example {name}.astype('float32'))"
        )
    contiguous = rows.shape[1] <= 1 or rows.strides[1] == rows.itemsize
    whole = rows.strides[0] % rows.itemsize == 0
    if rows.dtype != native or not (contiguous and whole and rows.flags.aligned):
        rows = np.array(rows, dtype=native, order="C")
    return rows


def as_codes(codes: ArrayLike, rows: int, groups: int, name: str = "codes") -> Codes:
    """Return codes as contiguous int64, one per row, each in [-1, groups)."""
    given = np.asarray(codes)
    if given.dtype.kind not in "iu":
        raise InputError(f"{name} must be integers, not {given.dtype}")
    if given.shape != (rows,):
        raise InputError(f"{name} has shape {given.shape}; expected one per row: ({rows},)")
    out = np.ascontiguousarray(given, dtype=np.int64)
    if rows and (out.min() < -1 or out.max() >= groups):
        wrong = int(np.flatnonzero((out < -1) | (out >= groups))[0])
        raise InputError(f"{name}[{wrong}] is {out[wrong]}; expected -1 to {groups - 1}")
    return out


def as_indices(index: ArrayLike, rows: int, name: str) -> Codes:
    """Return row indices as contiguous int64, each in [0, rows)."""
    given = np.asarray(index)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InputError(f"{name} must be a vector of integers, not {given.dtype} {given.shape}")
    out = np.ascontiguousarray(given, dtype=np.int64)
    if out.size and (out.min() < 0 or out.max() >= rows):
        wrong = int(np.flatnonzero((out < 0) | (out >= rows))[0])
        raise InputError(f"{name}[{wrong}] is {out[wrong]}; expected 0 to {rows - 1}")
    return out


def same_features(x: Rows, y: Rows) -> None:
    """Raise unless x and y can be compared."""
    if x.shape[1] != y.shape[1]:
        raise InputError(f"x has {x.shape[1]} features and y {y.shape[1]}; they must be the same")


def check_maps(x: Rows, maps: AffineMaps) -> None:
    """Raise unless the maps take rows of x's width and their parts fit together."""
    d, (batches, k) = x.shape[1], maps.offset.shape
    wanted = (d, k) if maps.basis is not None else (d, d)
    got = maps.basis.shape if maps.basis is not None else (d, k)
    if maps.shift.shape != (d,) or got != wanted:
        raise InputError(f"the maps take {maps.shift.shape[0]} features, but x has {d}")
    if (
        maps.scale.shape != (batches, k)
        or len(maps.factors) != batches
        or len(maps.gains) != batches
        or any(f.shape != (k, len(g)) for f, g in zip(maps.factors, maps.gains, strict=True))
    ):
        raise InputError("the parts of the affine maps do not fit together")
