"""Sums of cosines: of every row, and within the groups of a grouping; in fixed point."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers.consumer import Counting, Counts, Extent, Met, State
from wellgram.errors import InputError

FIXED_POINT = float(1 << 40)
"""Sums are of cosines rounded to multiples of 2^-40, as integers: at most 5e-13 off per cosine"""


def _fixed(values: NDArray[np.float64]) -> Counts:
    return np.rint(values * FIXED_POINT).astype(np.int64)


@dataclass(frozen=True)
class RowMoments(Counting):
    """Per row the number of its partners, and the sum and sum of squares of its cosines.

    The answer is a float64 array (3, n). For at most 2^22 partners, or 64 bits overflow.
    """

    def check(self, extent: Extent, dtype: "np.dtype[Any]") -> None:
        """Raise for rows of more partners than 64 bits hold the sum of."""
        partners = extent.rows if extent.columns is None else extent.columns
        if partners > 1 << 22:
            raise InputError(f"sums over rows are kept for 2^22 partners at most, not {partners}")

    def start(self, extent: Extent) -> State:
        """Return zeros."""
        return State(np.zeros(3 * extent.rows, np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Add to both rows of a pair."""
        rows, _, cosines = met.by_row
        sums = state.counts.reshape(3, -1).copy()
        for k, added in enumerate((np.ones_like(rows), _fixed(cosines), _fixed(cosines**2))):
            np.add.at(sums[k], rows, added)
        return State(sums.ravel())

    def finish(self, state: State) -> NDArray[np.float64]:
        """Return counts, sums and sums of squares."""
        sums: NDArray[np.float64] = state.counts.reshape(3, -1).astype(np.float64)
        sums[1:] /= FIXED_POINT
        return sums


@dataclass(frozen=True, eq=False)
class WithinGroups(Counting):
    """Per group the number of pairs whose two rows are both of it, and the sums of their cosines.

    `codes` (n,) gives each row its group, or -1; for a pass against others `other_codes` (m,) gives
    theirs. The answer is a float64 array (3, groups): counts, sums, sums of squares.
    """

    codes: Counts
    other_codes: Counts | None = None

    @property
    def groups(self) -> int:
        """The number of groups."""
        both = [self.codes] if self.other_codes is None else [self.codes, self.other_codes]
        return 1 + max((int(c.max(initial=-1)) for c in both), default=-1)

    def check(self, extent: Extent, dtype: "np.dtype[Any]") -> None:
        """Raise unless there is one code per row."""
        lengths = (len(self.codes), None if self.other_codes is None else len(self.other_codes))
        if lengths != (extent.rows, extent.columns):
            raise InputError(
                f"the codes of groups are {lengths[0]} by {lengths[1]}, but the rows of the pass "
                f"{extent.rows} by {extent.columns}"
            )

    def start(self, extent: Extent) -> State:
        """Return zeros: counts, then upper and lower 32 bits of the sums and of the squares'."""
        return State(np.zeros(5 * self.groups, np.int64))

    def absorb(self, state: State, met: Met) -> State:
        """Add the pairs within a group."""
        others = self.codes if self.other_codes is None else self.other_codes
        code = self.codes[met.i]
        within = (code == others[met.j]) & (code >= 0)
        code, cosines = code[within], met.cosines[within].astype(np.float64)
        sums = state.counts.reshape(5, -1).copy()
        np.add.at(sums[0], code, 1)
        for k, fixed in ((1, _fixed(cosines)), (3, _fixed(cosines**2))):
            np.add.at(sums[k], code, fixed >> 32)
            np.add.at(sums[k + 1], code, fixed & 0xFFFFFFFF)
            sums[k] += sums[k + 1] >> 32
            sums[k + 1] &= 0xFFFFFFFF
        return State(sums.ravel())

    def finish(self, state: State) -> NDArray[np.float64]:
        """Return counts, sums and sums of squares."""
        counts, *sums = state.counts.reshape(5, -1).astype(np.float64)
        first, second = ((sums[k] * 2.0**32 + sums[k + 1]) / FIXED_POINT for k in (0, 2))
        return np.stack([counts, first, second])
