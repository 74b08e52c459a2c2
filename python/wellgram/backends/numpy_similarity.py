"""Ranks of similarities with the bits that NumPy gives them, for those who must rank as it does.

NumPy adds products up in an order of its own; rounded otherwise, equal similarities would not stay
equal.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.backends.thread_count import threads

_ROWS_AT_ONCE = 1024
"""Pairs whose rows are copied at a time: few enough to stay in the cache"""


def is_compiled() -> bool:
    """Whether there is a compiled core, which counts."""
    try:
        import wellgram._cpu  # noqa: F401
    except ImportError:  # an install without a compiler
        return False
    return True


@dataclass(frozen=True)
class NumpySimilarity:
    """Rows (n, d) that are compared as NumPy would compare copies of them, pair by pair."""

    kind: int
    """Its number in the compiled core"""
    of: Callable[[Rows, Rows], Rows]
    """What NumPy makes of rows (m, d) and as many others, ready as these are"""
    rows: Rows
    squares: Rows | None = None
    """The squared lengths (n,), where similarity is over the root of their product"""

    def pairs(self, i: Codes, j: Codes) -> Rows:
        """Return the similarities (m,) of rows i and j."""
        result = np.empty(len(i), self.rows.dtype)
        for begin in range(0, len(i), _ROWS_AT_ONCE):
            some = slice(begin, begin + _ROWS_AT_ONCE)
            values = self.of(self.rows[i[some]], self.rows[j[some]])
            if self.squares is not None:
                values = values / np.sqrt(self.squares[i[some]] * self.squares[j[some]])
            result[some] = values
        return result

    def counts_above(
        self,
        i: Codes,
        j: Codes,
        starts: Codes,
        values: Floats,
        own: NDArray[np.int32],
        other: NDArray[np.int32],
        *,
        absolute: bool,
    ) -> Codes:
        """Return how many of rows j are more similar than each value to its row of i: (v,).

        See `Backend.rank_counts`. Only the compiled core has it: see `is_compiled`.
        """
        from wellgram._cpu import numpy_rank_counts

        counts = np.empty(len(values), np.int64)
        squares = np.ones(len(self.rows), self.rows.dtype) if self.squares is None else self.squares
        numpy_rank_counts(
            self.kind,
            _rows_of(self.rows, i),
            _rows_of(self.rows, j),
            squares[i],
            squares[j],
            starts,
            values,
            own,
            other,
            absolute,
            counts,
            threads(),
        )
        return counts


def _rows_of(rows: Rows, chosen: Codes) -> Rows:
    """Return the rows that are chosen; without a copy if these are all, in their order."""
    every = len(chosen) == len(rows) and np.array_equal(chosen, np.arange(len(rows)))
    return rows if every else rows[chosen]


def _products(x: Rows, y: Rows) -> Rows:
    return np.asarray((x * y).sum(axis=1))


def cosines(rows: Rows) -> NumpySimilarity:
    """Compare rows by their cosine: they are divided by their length first."""
    return NumpySimilarity(0, _products, rows / np.linalg.norm(rows, axis=1)[:, np.newaxis])


def correlations(rows: Rows) -> NumpySimilarity:
    """Compare rows by Pearson's correlation."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    return NumpySimilarity(1, _products, centred, (centred**2).sum(axis=1))


def euclidean(rows: Rows) -> NumpySimilarity:
    """Compare rows by 1 / (1 + distance)."""
    return NumpySimilarity(2, lambda x, y: 1 / (1 + np.sqrt(np.sum((x - y) ** 2, axis=1))), rows)


def manhattan(rows: Rows) -> NumpySimilarity:
    """Compare rows by 1 / (1 + the sum of the differences)."""
    return NumpySimilarity(3, lambda x, y: 1 / (1 + np.sum(np.abs(x - y), axis=1)), rows)


def chebyshev(rows: Rows) -> NumpySimilarity:
    """Compare rows by 1 / (1 + the largest difference)."""
    return NumpySimilarity(4, lambda x, y: 1 / (1 + np.max(np.abs(x - y), axis=1)), rows)
