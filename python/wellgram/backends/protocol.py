"""The primitives: the whole contract between the library and a backend.

Arrays are NumPy, n rows by d features, float32 or float64 (float16 is widened). Kernels compute in
the type of their input and add many rows up in float64. A *code* array gives each row its group:
integers in [0, groups), or -1 for a row of no group.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers import Consumer, Extent, State

Rows = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Progress = Callable[[float], None]


Spread = Literal["smaller", "rows", "variances"]
"""What is kept of a group's spread: see `Moments`"""


@dataclass(frozen=True)
class Moments:
    """Count, mean (d,) and spread of some rows.

    The spread is the centred rows (n, d), their scatter matrix (d, d), the sum of
    (x - mean)'(x - mean), or only its diagonal (d,).
    """

    count: int
    mean: Floats
    spread: Floats = field(repr=False)
    is_rows: bool

    @property
    def rows(self) -> Floats | None:
        """The centred rows (n, d), or None where they were not kept."""
        return self.spread if self.is_rows else None

    def scatter(self) -> Floats:
        """Return the scatter matrix (d, d)."""
        if self.spread.ndim == 1:
            raise ValueError("only variances were kept")
        scatter: Floats = self.spread.T @ self.spread if self.is_rows else self.spread
        return scatter

    def mapped(self, mean: Floats, linear: Callable[[Floats], Floats]) -> "Moments":
        """Return the moments of the rows by a map, given its mean and what it does to rows."""
        spread = linear(self.spread) if self.is_rows else linear(linear(self.scatter()).T)
        return Moments(self.count, mean, spread, self.is_rows)

    def squares(self) -> Floats:
        """Return the sum of squared deviations (d,): the scatter's diagonal."""
        if self.is_rows:
            return np.asarray(np.square(self.spread).sum(axis=0))
        squares: Floats = self.spread if self.spread.ndim == 1 else np.diag(self.spread).copy()
        return squares


@dataclass(frozen=True)
class GroupMoments:
    """Count, mean and spread of the rows of each group.

    Of the spread is kept "smaller", whichever takes less memory: for fewer rows than features the
    rows, else the scatter matrix; thus g groups never cost g d^2 memory. Or "rows" in any case, or
    only "variances". An empty group has a mean of NaN.
    """

    counts: Codes
    means: Floats
    spreads: list[Floats] = field(repr=False)
    kept: Spread = "smaller"

    def __getitem__(self, g: int) -> Moments:
        spread = self.spreads[g]
        few = self.kept == "smaller" and self.counts[g] < self.means.shape[1]
        return Moments(int(self.counts[g]), self.means[g], spread, few or self.kept == "rows")

    def pooled(self) -> Moments:
        """Return the moments of all groups taken together."""
        filled = np.flatnonzero(self.counts).tolist()
        count = int(self.counts.sum())
        mean = self.counts[filled] @ self.means[filled] / max(count, 1)
        between = np.sqrt(self.counts[filled])[:, None] * (self.means[filled] - mean)
        if self.kept == "variances":
            within = sum((self.spreads[g] for g in filled), np.zeros(len(mean)))
            return Moments(count, mean, within + np.square(between).sum(axis=0), False)
        scatter = between.T @ between
        groups = [self[g] for g in filled]
        few = [group.spread for group in groups if group.is_rows]
        if few:
            stacked = np.concatenate(few)
            scatter += stacked.T @ stacked
        for group in groups:
            if not group.is_rows:
                scatter += group.spread
        return Moments(count, mean, scatter, False)


@dataclass(frozen=True)
class AffineMaps:
    """One affine map per batch, d features to k.

    For a row x of batch b, with z = (x - shift) basis - offset[b]::

        y = z * scale[b] + ((z factors[b]) * gains[b]) factors[b]'

    that is, a shared linear map, then a diagonal and a low-rank correction of the batch's own.
    """

    shift: Floats
    """(d,)"""
    basis: Floats | None
    """(d, k), or None for the identity"""
    offset: Floats
    """(b, k)"""
    scale: Floats
    """(b, k)"""
    factors: tuple[Floats, ...]
    """Per batch (k, r_b); r_b may be 0"""
    gains: tuple[Floats, ...]
    """Per batch (r_b,)"""

    @property
    def features(self) -> int:
        """The number of features k that come out."""
        return int(self.offset.shape[1])


class PairScan(Protocol):
    """A pass over all pairs, made block by block."""

    def add(
        self, x: Rows, y: Rows, row: int, column: int, progress: Progress | None = None
    ) -> None:
        """Hand over the pairs of rows x, which are those from `row` on, with y, from `column` on.

        In a pass of a map against itself, the pairs i < j among them. Rows have length 1.
        """

    def states(self) -> list[State]:
        """End the pass; return the merged state of each consumer."""


class Backend(Protocol):
    """What every backend provides. A backend is a module with these names."""

    @property
    def name(self) -> str:
        """The name it is chosen by."""

    def why_not(self) -> str | None:
        """Return why it cannot run here, or None where it can."""

    def describe(self) -> str:
        """Return one line on how it runs here: instruction set, threads."""

    def rows_of_columns(self, columns: Sequence[NDArray[Any]]) -> Rows:
        """Return rows (n, d) of columns (n,), which may lie anywhere.

        float32 if all columns are float32 or float16, else float64.
        """

    def row_faults(self, x: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which rows hold a NaN or an Inf, and which are all zero: (n,) each."""

    def group_sums(
        self, x: Rows, codes: Codes, groups: int, out: Floats | None = None
    ) -> tuple[Floats, Codes]:
        """Return the sums (g, d) and the counts (g,) of the rows of each group.

        Sums are added to `out` where that is given, and it is returned; counts are of x alone.
        """

    def group_moments(
        self, x: Rows, codes: Codes, groups: int, spread: Spread = "smaller"
    ) -> GroupMoments:
        """Return count, mean and spread of each group, accumulated in float64."""

    def group_medians(self, x: Rows, codes: Codes, groups: int) -> Floats:
        """Return the medians (g, d) of each feature; NaN for an empty group or where one is NaN."""

    def apply_affine(
        self, x: Rows, codes: Codes, maps: AffineMaps, out: Rows | None = None
    ) -> Rows:
        """Return y (n, k) in the type of x: each row by its batch's map; NaN for code -1.

        Written to `out` where that is given, which may be x itself if k is d.
        """

    def unit_rows(self, x: Rows) -> tuple[Rows, Codes]:
        """Return the rows scaled to length 1 and the indices of the zero rows, which stay zero.

        A row that holds a NaN or an Inf becomes all NaN.
        """

    def pair_cosines(
        self, x: Rows, i: Codes, j: Codes, y: Rows | None = None, *, bfloat16: bool = False
    ) -> Rows:
        """Return the cosines (m,) of rows i of x and j of y (or of x), which have length 1.

        With `bfloat16`, of float32 rows rounded to that type. On one backend and instruction set
        these are, to the bit, the values that a pass over all pairs meets.
        """

    def pair_scan(
        self, consumers: Sequence[Consumer], extent: Extent, dtype: Any, *, bfloat16: bool = False
    ) -> PairScan:
        """Begin a pass over the pairs of an extent, among rows of a dtype.

        With `bfloat16`, float32 rows are rounded to that type before they are multiplied.
        """

    def scan_pairs(
        self,
        x: Rows,
        consumers: Sequence[Consumer],
        y: Rows | None = None,
        progress: Progress | None = None,
        *,
        bfloat16: bool = False,
    ) -> list[Any]:
        """Hand the cosine of every pair to the consumers; return what each one finishes with.

        A whole `pair_scan` of rows that are at hand: pairs i < j of rows of x, or every row of x
        with every row of y; rows have length 1. The matrix is never stored. `progress` is called
        now and then with the share done.
        """
