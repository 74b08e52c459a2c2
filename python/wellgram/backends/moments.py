"""Moments of rows: count, mean and spread; how they are pooled and put together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

Spread = Literal["smaller", "rows", "variances"]
"""What is kept of a group's spread: see `Moments`"""


_POOLED = 32
"""How many groups' rows are multiplied at once: many, but never all of them copied"""


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
    unit: Floats | float = 1.0
    """What the features were divided by before: see `GroupMoments`"""

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

    def plus(self, other: "Moments", kept: Spread) -> "Moments":
        """Return the moments of these rows and others taken together (Chan et al. 1979).

        The two differ in their means by delta; to the spreads about each one's own is added
        ``n m / (n + m) delta' delta``. `kept` is as in `GroupMoments`.
        """
        count = self.count + other.count
        delta = other.mean - self.mean
        mean = self.mean + delta * (other.count / count)
        if kept == "rows" or (kept == "smaller" and count < len(mean)):
            moved = [part.spread + (part.mean - mean) for part in (self, other)]
            return Moments(count, mean, np.concatenate(moved), True)
        weight = self.count * other.count / count
        if kept == "variances":
            return Moments(
                count, mean, self.spread + other.spread + weight * np.square(delta), False
            )
        scatter = self.scatter() + other.scatter()
        scatter += np.outer(weight * delta, delta)
        return Moments(count, mean, scatter, False)

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

    The moments are those of rows divided by `unit`, a power of two for each feature or for all:
    features whose squares would leave the range of float64 have one other than 1.
    """

    counts: Codes
    means: Floats
    spreads: list[Floats] = field(repr=False)
    kept: Spread = "smaller"
    unit: Floats | float = 1.0

    def __getitem__(self, g: int) -> Moments:
        spread = self.spreads[g]
        few = self.kept == "smaller" and self.counts[g] < self.means.shape[1]
        is_rows = few or self.kept == "rows"
        return Moments(int(self.counts[g]), self.means[g], spread, is_rows, self.unit)

    @property
    def is_scaled(self) -> bool:
        """Whether a feature has a unit other than 1."""
        return bool(np.any(self.unit != 1))

    def sizes(self) -> Floats:
        """Return how large the mean or the root of the squares of each feature is at most: (d,)."""
        filled = np.flatnonzero(self.counts).tolist()
        parts = [np.abs(self.means[filled])] + [np.sqrt([self[g].squares()]) for g in filled]
        return np.asarray(np.concatenate(parts).max(axis=0, initial=0))

    def in_one_unit(self) -> "GroupMoments":
        """Return the same moments in one unit for all features, the largest there is."""
        if not self.is_scaled:
            return self
        unit = float(np.max(self.unit))
        ratio = np.asarray(self.unit / unit) * np.ones(self.means.shape[1])
        spreads = []
        for g in range(len(self.counts)):
            spread = self.spreads[g] * ratio
            is_matrix = spread.ndim == 2 and not self[g].is_rows
            spreads.append(spread * ratio[:, None] if is_matrix else spread)
        return GroupMoments(self.counts, self.means * ratio, spreads, self.kept, unit)

    def spent(self) -> Iterator[Moments]:
        """Yield the moments of each group, letting go of their spreads: they are used up."""
        for g in range(len(self.counts)):
            group = self[g]
            self.spreads[g] = np.empty(0)
            yield group
            del group

    def pooled(self) -> Moments:
        """Return the moments of all groups taken together."""
        filled = np.flatnonzero(self.counts).tolist()
        count = int(self.counts.sum())
        mean = self.counts[filled] @ self.means[filled] / max(count, 1)
        between = np.sqrt(self.counts[filled])[:, None] * (self.means[filled] - mean)
        if self.kept == "variances":
            within = sum((self.spreads[g] for g in filled), np.zeros(len(mean)))
            squares = within + np.square(between).sum(axis=0)
            return Moments(count, mean, squares, False, self.unit)
        scatter = between.T @ between
        groups = [self[g] for g in filled]
        few = [group.spread for group in groups if group.is_rows]
        for first in range(0, len(few), _POOLED):
            stacked = np.concatenate(few[first : first + _POOLED])
            scatter += stacked.T @ stacked
        for group in groups:
            if not group.is_rows:
                scatter += group.spread
        return Moments(count, mean, scatter, False, self.unit)


def gathered(found: dict[int, Moments], groups: int, d: int, kept: Spread) -> GroupMoments:
    """Return the moments of so many groups, given those of the groups that are not empty."""
    counts = np.zeros(groups, np.int64)
    means = np.full((groups, d), np.nan)
    shape = {"variances": (d,)}.get(kept, (0, d))
    spreads = [np.zeros(shape)] * groups
    for g, group in found.items():
        counts[g], means[g], spreads[g] = group.count, group.mean, group.spread
    return GroupMoments(counts, means, spreads, kept)


def beyond(sizes: Floats, bits: int) -> NDArray[np.bool_]:
    """Return which sizes, those that are 0 aside, are not within 2^-bits and 2^bits."""
    return np.asarray((sizes != 0) & ~((sizes > 2.0**-bits) & (sizes < 2.0**bits)))


def exponents(largest: Floats) -> NDArray[np.integer[Any]]:
    """Return the powers of two by which to divide values, so that the largest is near 1."""
    return np.asarray(np.clip(np.frexp(largest)[1], -1022, 1022))


def lengths(rows: Floats) -> Floats:
    """Return the lengths (n,) of rows (n, d), of values of any size."""
    exponent = exponents(np.abs(rows).max(axis=1, initial=0))
    scaled = np.ldexp(rows, -exponent[:, None])  # a power of two rounds nothing
    return np.asarray(np.ldexp(np.linalg.norm(scaled, axis=1), exponent))


def amid(x: NDArray[Any]) -> Floats:
    """Return a point amid rows (d,), about which little cancels: the median of some of them.

    Unlike a mean, it stays amid the others where a few rows are far away.
    """
    some = x[:: max(1, len(x) // 100)]
    if not len(some):
        return np.zeros(x.shape[1])
    middle = len(some) // 2
    return np.asarray(np.partition(some, middle, axis=0)[middle], np.float64)
