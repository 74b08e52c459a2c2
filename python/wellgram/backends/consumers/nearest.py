"""The nearest and the farthest partners of every row."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from wellgram.backends.consumers.consumer import Consumer, Cosines, Counts, Extent, Met, State
from wellgram.backends.number_checks import check_whole
from wellgram.errors import InputError

_MOST_SCREENED = 256
"""As many partners as passes with a screen look for at the most"""


@dataclass(frozen=True)
class NearestFound:
    """The answer of `Nearest`: arrays (n, nearest) and (n, farthest), the most extreme first.

    Where a row has fewer partners, the index is -1 and the cosine NaN.
    """

    nearest: Counts
    nearest_cosines: Cosines
    farthest: Counts
    farthest_cosines: Cosines


@dataclass(frozen=True)
class Nearest(Consumer):
    """The most and the least similar partners of each row; among equals, smaller indices first."""

    nearest: int
    farthest: int = 0

    def __post_init__(self) -> None:
        check_whole(self.nearest, "nearest")
        check_whole(self.farthest, "farthest")
        if min(self.nearest, self.farthest) < 0 or max(self.nearest, self.farthest) < 1:
            raise InputError(f"numbers of neighbors must be positive, not {self}")

    def state_bytes(self, extent: Extent, dtype: "np.dtype[Any]", threads: int) -> int:
        """Return the bytes of partners and cosines: twice as many candidates, then those found.

        And those of a screen, which knows candidates by two bounds.
        """
        kept = extent.rows * (self.nearest + self.farthest)
        screened = dtype.itemsize == 4 and max(self.nearest, self.farthest) <= _MOST_SCREENED
        candidates = 2 * 2 * dtype.itemsize + 2 * 3 * dtype.itemsize * screened
        return kept * (candidates + 8 + dtype.itemsize)

    def start(self, extent: Extent) -> State:
        """Return no partners: an array (rows, nearest), then one (rows, farthest)."""
        size = extent.rows * (self.nearest + self.farthest)
        return State(np.full(size, -1), np.full(size, np.nan))

    def sides(self, state: State) -> list[tuple[int, Counts, Cosines]]:
        """Return sign, partners and cosines of both sides; the sign makes larger better."""
        n = len(state.counts) // (self.nearest + self.farthest)
        sides = []
        for sign, part, k in (
            (1, slice(0, n * self.nearest), self.nearest),
            (-1, slice(n * self.nearest, None), self.farthest),
        ):
            sides.append((sign, state.counts[part].reshape(n, k), state.values[part].reshape(n, k)))
        return sides

    def absorb(self, state: State, met: Met) -> State:
        """Take in the partners met, row by row."""
        rows, partners, cosines = met.by_row
        if not len(rows):
            return state
        order = np.argsort(rows, kind="stable")
        touched, starts = np.unique(rows[order], return_index=True)
        counts, values = state.counts.copy(), state.values.copy()
        for sign, index, best in self.sides(State(counts, values)):
            for row, some in zip(touched, np.split(order, starts[1:]), strict=True):
                index[row], best[row] = _best(
                    sign,
                    np.concatenate([index[row], partners[some]]),
                    np.concatenate([best[row], cosines[some]]),
                    index.shape[1],
                )
        return State(counts, values)

    def merge(self, a: State, b: State) -> State:
        """Keep the best of both."""
        index, values = [], []
        for (sign, *one), (_, *two) in zip(self.sides(a), self.sides(b), strict=True):
            partners = np.concatenate([one[0], two[0]], axis=1)
            cosines = np.concatenate([one[1], two[1]], axis=1)
            best = _best(sign, partners, cosines, one[0].shape[1])
            index.append(best[0].ravel())
            values.append(best[1].ravel())
        return State(np.concatenate(index), np.concatenate(values))

    def finish(self, state: State) -> NearestFound:
        """Return partners and cosines of both sides."""
        (_, most, nearest_cosines), (_, least, farthest_cosines) = self.sides(state)
        return NearestFound(most, nearest_cosines, least, farthest_cosines)


def _best(sign: int, partners: Counts, cosines: Cosines, k: int) -> tuple[Counts, Cosines]:
    """Return the k best along the last axis; NaN, the sign of nobody, sorts last."""
    keys = -sign * cosines
    order = np.argsort(keys, axis=-1, kind="stable")  # fast where runs are sorted, as in a merge
    ordered = np.take_along_axis(keys, order, axis=-1)
    tied = (ordered[..., 1:] == ordered[..., :-1]).any(axis=-1)
    order[tied] = np.lexsort((partners[tied], keys[tied]), axis=-1)
    order = order[..., :k]
    best = np.take_along_axis(cosines, order, axis=-1)
    chosen = np.take_along_axis(partners, order, axis=-1)
    return np.where(np.isnan(best), -1, chosen), best
