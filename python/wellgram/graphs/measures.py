"""What is near: the distances of a graph, and vectors whose cosines order partners as they do.

A pass over pairs knows cosines of rows of length 1. Each measure says of which vectors, so that the
nearest row has the greatest cosine; and what a distance is, in float64 and from differences, so
that equal rows are 0 apart and near ones keep all digits.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.moments import amid, beyond, exponents
from wellgram.backends.protocol import Floats, Rows
from wellgram.errors import InputError

Metric = Literal["cosine", "euclidean", "correlation"]
"""How far two rows are apart: 1 less their cosine, the length of their difference, or 1 less their
correlation"""

Chunks = Callable[[], Iterator[Rows]]
"""Reads all rows once, some at a time"""

_SAFE_BITS = 100
"""Values within 2^-100 and 2^100 have squares, and sums of squares, within the range of float64"""


class Measure(ABC):
    """A distance of rows of d features.

    Partners of a row are ordered by the cosines of `left` vectors with `right` ones.
    """

    symmetric: ClassVar[bool]
    """Whether left and right vectors are the same, so that one product serves two rows"""

    @abstractmethod
    def width(self, features: int) -> int:
        """Return how many features vectors have."""

    @abstractmethod
    def undirected(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which rows have no distance to any other."""

    @abstractmethod
    def left(self, rows: Floats) -> Floats:
        """Return the vectors (n, width) of rows that look for partners."""

    @abstractmethod
    def right(self, rows: Floats) -> Floats:
        """Return the vectors (n, width) of rows that are looked among."""

    @abstractmethod
    def distances(self, rows: Floats, others: Floats) -> Floats:
        """Return the distances (n, m) of each row (n, d) to others of its own (n or 1, m, d).

        Others are written over: to keep copies of them would take longer than to compare them.
        """

    @abstractmethod
    def sharper(self, chunks: Chunks) -> "Measure":
        """Return a measure of the same order whose cosines tell near rows better apart."""

    def learn(self, chunks: Chunks) -> None:  # noqa: B027 - most have nothing to learn
        """Take notice of all rows before any is asked about."""


@dataclass
class _Angular(Measure):
    """Half the squared distance of rows of length 1, which is 1 less their cosine."""

    symmetric = True
    extreme: bool = False
    """Whether squares of values may leave the range of float64"""

    def learn(self, chunks: Chunks) -> None:
        """Find out whether there are extreme values."""
        self.extreme = any(_extreme(rows).any() for rows in chunks())

    def width(self, features: int) -> int:
        """Return as many as there are."""
        return features

    def right(self, rows: Floats) -> Floats:
        """Return the same as for those that look for partners."""
        return self.left(rows)

    def distances(self, rows: Floats, others: Floats) -> Floats:
        """Return half the squares of the lengths of differences."""
        others = self._unit(others)
        others -= self._unit(rows)[:, None]
        return _squares(others) / 2

    def sharper(self, chunks: Chunks) -> Measure:
        """Return the Euclidean distance of rows of length 1, which may all lie in a narrow cone."""
        apart = Euclidean()
        apart.learn(lambda: map(self.unit, chunks()))
        return _OfUnitRows(self, apart)

    def unit(self, rows: Rows) -> Floats:
        """Return the rows scaled to length 1."""
        return self._unit(rows.astype(np.float64))

    def _unit(self, rows: Floats) -> Floats:
        """Return rows (..., d) scaled to length 1, in their place where their values allow it."""
        flat = self._directed(rows.reshape(-1, rows.shape[-1]))
        flat /= np.sqrt(_squares(flat))[:, None]
        return flat.reshape(rows.shape)

    def _directed(self, rows: Floats) -> Floats:
        """Return rows in the directions that are compared, in their place if can be."""
        return _near_one(rows) if self.extreme else rows


class Cosine(_Angular):
    """1 less the cosine."""

    def undirected(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which rows are all zero."""
        return np.asarray(~rows.any(axis=1))

    def left(self, rows: Floats) -> Floats:
        """Return the rows, near 1."""
        return _near_one(rows)


class Correlation(_Angular):
    """1 less Pearson's correlation, which is the cosine of rows less their means."""

    def undirected(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which rows have one value only."""
        return np.asarray(rows.min(axis=1) == rows.max(axis=1))

    def left(self, rows: Floats) -> Floats:
        """Return the rows less their means."""
        near = _near_one(rows)
        return np.asarray(near - near.mean(axis=1, keepdims=True))

    def _directed(self, rows: Floats) -> Floats:
        rows = super()._directed(rows)
        rows -= rows.mean(axis=1, keepdims=True)
        return rows


@dataclass
class Euclidean(Measure):
    """The length of the difference.

    With x about a centre, ``x.y - |y|^2 / 2`` is the greater the nearer y is to x. It is the
    product of (x, s, 0) and (y, -|y|^2 / (2 s), f), where f makes all of the latter equally long.
    """

    centre: Floats = field(default_factory=lambda: np.zeros(0))
    exponent: int = 0
    """Rows are divided by this power of two, so that their squares are numbers"""
    balance: float = 1.0
    """s: between the length of most rows and the greatest, so that little is lost to rounding"""
    reach: float = 0.0
    """The greatest length of (y, -|y|^2 / (2 s))"""

    symmetric = False

    def width(self, features: int) -> int:
        """Return two more than there are."""
        return features + 2

    def undirected(self, rows: Rows) -> NDArray[np.bool_]:
        """Return none: every row has distances."""
        return np.zeros(len(rows), bool)

    def learn(self, chunks: Chunks) -> None:
        """Find the centre, and how far from it rows are."""
        largest = np.array([max((float(np.abs(rows).max()) for rows in chunks()), default=0.0)])
        self.exponent = int(exponents(largest)[0]) if beyond(largest, _SAFE_BITS).any() else 0
        self.centre = self._scaled(amid(next(chunks())))
        sizes = [np.sqrt(_squares(self._centred(rows.astype(np.float64)))) for rows in chunks()]
        size = np.concatenate(sizes)
        farthest = float(size.max())
        near = max(float(np.median(size)), farthest / 1000)
        self.balance = float(np.sqrt(near * farthest / 2)) or 1.0
        self.reach = float(np.hypot(farthest, farthest**2 / (2 * self.balance)))

    def left(self, rows: Floats) -> Floats:
        """Return the rows about the centre, then what meets the square, then 0."""
        vectors = np.zeros((len(rows), rows.shape[1] + 2))
        vectors[:, :-2] = self._centred(rows)
        vectors[:, -2] = self.balance
        return vectors

    def right(self, rows: Floats) -> Floats:
        """Return the rows about the centre, then their squares, then what makes them as long."""
        vectors = np.empty((len(rows), rows.shape[1] + 2))
        vectors[:, :-2] = self._centred(rows)
        square = _squares(vectors[:, :-2])
        vectors[:, -2] = -square / (2 * self.balance)
        rest = self.reach**2 - square - np.square(vectors[:, -2])
        vectors[:, -1] = np.sqrt(np.maximum(rest, 0))
        return vectors

    def distances(self, rows: Floats, others: Floats) -> Floats:
        """Return the lengths of differences."""
        others -= rows[:, None]
        apart = np.sqrt(_squares(self._scaled(others)))
        return np.asarray(np.ldexp(apart, self.exponent)) if self.exponent else apart

    def sharper(self, chunks: Chunks) -> Measure:
        """Return the same: there is none."""
        return self

    def _centred(self, rows: Floats) -> Floats:
        return self._scaled(rows) - self.centre

    def _scaled(self, rows: Floats) -> Floats:
        return np.asarray(np.ldexp(rows, -self.exponent)) if self.exponent else rows


@dataclass
class _OfUnitRows(Measure):
    """The Euclidean distance of rows of length 1, which orders them as their angle does."""

    angular: _Angular
    apart: Euclidean

    symmetric = False

    def width(self, features: int) -> int:
        """Return as many as the Euclidean distance has."""
        return self.apart.width(features)

    def undirected(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which rows have no angle."""
        return self.angular.undirected(rows)

    def left(self, rows: Floats) -> Floats:
        """Return what the Euclidean distance has for rows of length 1."""
        return self.apart.left(self.angular.unit(rows))

    def right(self, rows: Floats) -> Floats:
        """Return what the Euclidean distance has for rows of length 1."""
        return self.apart.right(self.angular.unit(rows))

    def distances(self, rows: Floats, others: Floats) -> Floats:
        """Return half the squares of the lengths of differences."""
        return self.angular.distances(rows, others)

    def sharper(self, chunks: Chunks) -> Measure:
        """Return the same: there is none."""
        return self


def measure_of(metric: str) -> Measure:
    """Return the measure that a name stands for.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    measures: dict[str, type[Measure]] = {
        "cosine": Cosine,
        "euclidean": Euclidean,
        "correlation": Correlation,
    }
    if metric not in measures:
        known = ", ".join(map(repr, get_args(Metric)))
        raise InputError(f"unknown metric {metric!r}; choose one of {known} (metric=)")
    return measures[metric]()


def _squares(apart: Floats) -> Floats:
    """Return the sums of squares along the last axis, in the order of features."""
    return np.asarray(np.einsum("...k,...k->...", apart, apart))


def _extreme(rows: Rows) -> NDArray[np.bool_]:
    """Return which rows have a greatest value whose square may be no number."""
    return beyond(np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0)), _SAFE_BITS)


def _near_one(rows: Floats) -> Floats:
    """Return rows, those with extreme values divided by a power of two."""
    extreme = _extreme(rows)
    if not extreme.any():
        return rows
    exponent = exponents(np.abs(rows).max(axis=1))
    return np.asarray(np.ldexp(rows, -np.where(extreme, exponent, 0)[:, None]))
