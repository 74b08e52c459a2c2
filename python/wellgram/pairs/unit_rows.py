"""Rows of length 1, from wherever a map lies: what every pass over pairs is made of."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Any, Literal, Protocol, cast, get_args, runtime_checkable

import numpy as np
import pandas as pd

from wellgram.backends import get_backend, named_backend, resident, using_backend
from wellgram.backends.checks import as_rows, unmasked
from wellgram.backends.moments import beyond, exponents
from wellgram.backends.protocol import Backend, Codes, Rows
from wellgram.errors import InputError
from wellgram.input_kinds import check_matrix
from wellgram.pairs.tiling import whole_tiles
from wellgram.wells import LabelledMap

PairDtype = Literal["float32", "float64", "bfloat16"]
"""The type that rows are rounded to before they are multiplied; bfloat16 products are added up in
float32."""

_RANGE_BITS = 100
"""Rows whose largest value is within 2^-100 and 2^100 keep their digits in float32"""

_CHUNK_BYTES = 1 << 29
"""Of the rows that are read at a time, which are whole tiles high"""


@runtime_checkable
class RowSource(Protocol):
    """A matrix (n, d) that can be read by ranges of rows: a memory map, a file, an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows by features."""

    @property
    def dtype(self) -> Any:
        """One of float16, float32 and float64."""

    def __getitem__(self, rows: slice) -> Any:
        """Return these rows as an array."""


Map = LabelledMap | RowSource


def unit_embeddings(x: Rows, *, first: int = 0) -> Rows:
    """Return the rows of x (n, d) scaled to length 1, in the type of x.

    Raises
    ------
    InputError
        If a row is zero, which has no direction, or holds a NaN or an Inf; `first` is the number
        of the first row in the message.
    """
    unit, zero = get_backend().unit_rows(x)
    if len(zero):
        raise InputError(
            f"{len(zero)} rows are all zero (first: row {first + zero[0]}); leave them out"
        )
    if isinstance(unit, np.ndarray):
        bad = np.flatnonzero(np.isnan(unit[:, :1].ravel()))
    else:  # it lies on a device
        bad = np.flatnonzero(get_backend().row_faults(unit)[0])
    if len(bad):
        raise InputError(f"{len(bad)} rows hold a NaN or an Inf (first: row {first + bad[0]})")
    return unit


def _in_range(rows: Rows) -> Rows:
    """Return float64 rows, those divided by a power of two that float32 could not hold."""
    sizes = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0))
    extreme = np.isfinite(sizes) & beyond(sizes, _RANGE_BITS)
    if not extreme.any():
        return rows
    exponent = np.where(extreme, exponents(sizes), 0)
    return np.asarray(np.ldexp(rows, -exponent[:, None]))


class UnitRows:
    """The rows of a map scaled to length 1, a chunk at a time.

    A map that fits into one chunk is scaled once and kept; of a larger one, which may lie on disk,
    the last two chunks are. Rows that have no direction are refused at once. The
    backend that is named when it is made is kept: chunks are read and multiplied later, too.

    Parameters
    ----------
    x
        The map, or a matrix.
    dtype
        As for `wellgram.pairs.scan_pairs`.
    chosen
        Only these rows, in this order, and without labels; None: all.

    Raises
    ------
    InputError
        If it is no matrix of floats with a column at least, or a row is zero or not finite.
    """

    def __init__(self, x: Map, dtype: PairDtype | None = None, chosen: Codes | None = None):
        check_matrix(x)
        self.labels: pd.DataFrame | None = getattr(x, "labels", None)
        # A map on disk has embeddings too, but is read by ranges of rows, and never whole.
        source: Any = x if isinstance(x, RowSource) else getattr(x, "embeddings", x)
        there = resident(source)
        self._resident = there is not None
        if there is not None:
            source = there
        elif not isinstance(source, RowSource) or not source.shape:
            source = as_rows(source)
        source = unmasked(source, "x")
        if chosen is not None:
            if self._resident:
                raise InputError("rows on a card are not chosen one by one; give those rows alone")
            source, self.labels = _Chosen.of(source, chosen), None
        self._source: RowSource = source
        if dtype is not None and dtype not in get_args(PairDtype):
            known = ", ".join(map(repr, get_args(PairDtype)))
            raise InputError(f"unknown dtype {dtype!r}; choose one of {known}")
        # Raises if it is no matrix of floats.
        empty = self._source if self._resident else as_rows(self._source[0:0])
        self.n, self.d = self._source.shape[0], empty.shape[1]
        if self.d == 0:
            raise InputError("rows without features have no cosines")
        self.dtype_name: PairDtype | None = dtype
        self.bfloat16 = dtype == "bfloat16"
        self.dtype = np.dtype(
            empty.dtype if dtype is None else "float32" if self.bfloat16 else dtype
        )
        if self._resident and self.dtype != empty.dtype:
            raise InputError(
                f"rows on a card stay {empty.dtype} there; convert them before for dtype={dtype!r}"
            )
        self._named = named_backend()
        rows = whole_tiles(_CHUNK_BYTES // (self.d * self.dtype.itemsize))
        self.chunk_rows = max(rows, self.n) if self._resident else rows
        self._chunk = lru_cache(maxsize=2)(self._read)
        for k in range(len(self.chunks)):
            self._chunk(k)

    def __getstate__(self) -> dict[str, Any]:
        """Go elsewhere as the rows themselves, or as what they are read from, without labels."""
        return {**self.__dict__, "labels": None, "_chunk": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._chunk = lru_cache(maxsize=2)(self._read)

    @property
    def nbytes(self) -> int:
        """The bytes that the rows take where they go: as given, and one chunk of length 1."""
        given = int(getattr(self._source, "nbytes", 0))
        return given + int(min(self.n, self.chunk_rows) * self.d * self.dtype.itemsize)

    @property
    def moves(self) -> bool:
        """Whether other processes can have the rows: not those that lie on a card."""
        return not self._resident

    @property
    def run(self) -> Backend:
        """The backend it is multiplied on."""
        return get_backend(self._named)

    @property
    def chunks(self) -> range:
        """The numbers of its chunks."""
        return range(-(-self.n // self.chunk_rows))

    def _read(self, k: int) -> Rows:
        first = k * self.chunk_rows
        with using_backend(self._named):
            if self._resident:
                return unit_embeddings(cast(Rows, self._source))
            chunk = self._source[first : min(self.n, first + self.chunk_rows)]
            rows = as_rows(unmasked(chunk, "x", first))
            if self.dtype.itemsize < rows.itemsize:
                rows = _in_range(rows)
            return unit_embeddings(rows.astype(self.dtype, copy=False), first=first)

    def some(self, index: Codes) -> "UnitRows":
        """Return chosen rows."""
        with using_backend(self._named):
            return UnitRows(self._source, self.dtype_name, index)

    def spans(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Cut the rows from start to stop into spans that each lie in one chunk."""
        while start < stop:
            end = min(stop, (start // self.chunk_rows + 1) * self.chunk_rows)
            yield start, end
            start = end

    def span(self, start: int, stop: int) -> Rows:
        """Return the rows of a span."""
        first = start // self.chunk_rows * self.chunk_rows
        return self._chunk(start // self.chunk_rows)[start - first : stop - first]

    def cosines(self, i: Codes, j: Codes, other: "UnitRows | None" = None) -> Rows:
        """Return the cosines (m,) of rows i with rows j of the other map, or of this one."""
        right = self if other is None else other
        i, j = check_indices(i, self.n, "i"), check_indices(j, right.n, "j")
        if len(i) != len(j):
            raise InputError(f"there are {len(i)} indices i but {len(j)} indices j")
        if other is None:  # as a pass meets a pair; not every product has the same bits in reverse
            i, j = np.minimum(i, j), np.maximum(i, j)
        if len(self.chunks) == len(right.chunks) == 1:
            return self.run.pair_cosines(
                self._chunk(0), i, j, right._chunk(0), bfloat16=self.bfloat16
            )
        out = np.empty(len(i), self.dtype)
        home, goal = i // self.chunk_rows, j // right.chunk_rows
        for a, b in product(self.chunks, right.chunks):
            pairs = np.flatnonzero((home == a) & (goal == b))
            if not len(pairs):
                continue
            out[pairs] = self.run.pair_cosines(
                self._chunk(a),
                i[pairs] - a * self.chunk_rows,
                j[pairs] - b * right.chunk_rows,
                right._chunk(b),
                bfloat16=self.bfloat16,
            )
        return out


class _Chosen:
    """Rows of a source in an order of one's own."""

    def __init__(self, source: RowSource, index: Codes):
        self._source, self._index = source, index
        self.shape = (len(index), *source.shape[1:])
        self.dtype = source.dtype

    @classmethod
    def of(cls, source: RowSource, index: Codes) -> "_Chosen":
        """Return chosen rows of a source that may be chosen rows of another."""
        if isinstance(source, cls):
            return cls(source._source, source._index[index])
        return cls(source, index)

    def __getstate__(self) -> dict[str, Any]:
        """Go elsewhere without the rows in memory that are not chosen."""
        if isinstance(self._source, np.ndarray):
            own = {"_source": self._source[self._index], "_index": np.arange(len(self._index))}
            return {**self.__dict__, **own}
        return self.__dict__

    def __getitem__(self, rows: slice) -> Any:
        index = self._index[rows]
        if isinstance(self._source, np.ndarray):
            return self._source[index]
        if not len(index):
            return self._source[0:0]
        low = int(index.min())
        return np.asarray(self._source[low : int(index.max()) + 1])[index - low]


def unit_pair(
    x: Map, other: Map | None, dtype: PairDtype | None
) -> tuple[UnitRows, UnitRows | None]:
    """Return a map and the one it is compared with, if any, in one type.

    Raises
    ------
    InputError
        If they differ in features, or in type where no dtype is given.
    """
    rows = UnitRows(x, dtype)
    if other is None:
        return rows, None
    others = UnitRows(other, dtype)
    if rows.d != others.d:
        raise InputError(f"x has {rows.d} features and other {others.d}; they must be the same")
    if rows.dtype != others.dtype:
        raise InputError(f"x is {rows.dtype} and other {others.dtype}; choose a dtype")
    return rows, others


def check_indices(index: Any, n: int, name: str) -> Codes:
    """Return indices of rows as int64, or raise naming the first that is out of range."""
    given = np.asarray(unmasked(index, name))
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InputError(f"{name} must be a vector of integers, not {given.dtype} {given.shape}")
    wrong = np.flatnonzero((given < 0) | (given >= n)) if given.size else given
    if len(wrong):
        raise InputError(f"{name}[{wrong[0]}] is {given[wrong[0]]}, but there are {n} rows")
    return given.astype(np.int64)
