"""The primitives: the whole contract between the library and a backend.

Arrays are NumPy, n rows by d features, float32 or float64 (float16 is widened). Kernels compute in
the type of their input and add many rows up in float64. A *code* array gives each row its group:
integers in [0, groups), or -1 for a row of no group.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers import Consumer, Extent, State

Rows = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class GroupMoments:
    """Count, mean and spread of the rows of each group.

    The spread of a group is whichever is smaller: for fewer rows than features its centred rows
    (n_g, d), else its scatter matrix (d, d), the sum of (x - mean)'(x - mean). Thus g groups never
    cost g d^2 memory. An empty group has a mean of NaN.
    """

    counts: Codes
    means: Floats
    spreads: list[Floats] = field(repr=False)

    def rows(self, g: int) -> Floats | None:
        """Return the centred rows (n_g, d) of group g, or None where its scatter was kept."""
        spread = self.spreads[g]
        return spread if len(spread) < spread.shape[1] else None

    def scatter(self, g: int) -> Floats:
        """Return the scatter matrix (d, d) of group g."""
        rows = self.rows(g)
        return self.spreads[g] if rows is None else rows.T @ rows

    def squares(self, g: int) -> Floats:
        """Return the sum of squared deviations (d,) of group g: the scatter's diagonal."""
        rows = self.rows(g)
        return np.diag(self.spreads[g]).copy() if rows is None else np.square(rows).sum(axis=0)

    def pooled(self) -> tuple[int, Floats, Floats]:
        """Return count, mean (d,) and scatter (d, d) of all groups taken together."""
        filled = np.flatnonzero(self.counts).tolist()
        count = int(self.counts.sum())
        mean = self.counts[filled] @ self.means[filled] / max(count, 1)
        between = np.sqrt(self.counts[filled])[:, None] * (self.means[filled] - mean)
        scatter = between.T @ between
        few = [rows for g in filled if (rows := self.rows(g)) is not None]
        if few:
            stacked = np.concatenate(few)
            scatter += stacked.T @ stacked
        for g in filled:
            if self.rows(g) is None:
                scatter += self.spreads[g]
        return count, mean, scatter


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

    def group_sums(self, x: Rows, codes: Codes, groups: int) -> tuple[Floats, Codes]:
        """Return the sums (g, d) and the counts (g,) of the rows of each group."""

    def group_moments(self, x: Rows, codes: Codes, groups: int) -> GroupMoments:
        """Return count, mean and spread of each group, accumulated in float64."""

    def group_medians(self, x: Rows, codes: Codes, groups: int) -> Floats:
        """Return the medians (g, d) of each feature; NaN for an empty group or where one is NaN."""

    def apply_affine(self, x: Rows, codes: Codes, maps: AffineMaps) -> Rows:
        """Return y (n, k) in the type of x: each row by its batch's map; NaN for code -1."""

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
