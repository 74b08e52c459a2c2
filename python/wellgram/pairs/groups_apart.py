"""Passes that leave out the pairs of rows of one group."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from wellgram.backends.protocol import Codes

Area = tuple[int, int, int, int]
"""Rows from top to bottom, columns from left to right"""


@dataclass(frozen=True)
class GroupsApart:
    """The group of each row of a pass and of each of its partners, in ascending order.

    No pair of one group is met; but those of group -1, which comes first, are, as if each of its
    rows was alone.
    """

    rows: Codes
    partners: Codes
    halves: int = 0
    """In a map against itself: only pairs of its first so many rows with the others are met. Both
    halves are in ascending order. 0: all pairs"""

    def outside(self, area: Area, symmetric: bool) -> Iterator[Area]:
        """Cut out of an area what lies within groups.

        Of a map against itself, an area counts above the diagonal only. So what is left of a group
        there is met elsewhere, unless halves are apart.
        """
        top, bottom, left, right = area
        if self.halves:
            bottom, left = min(bottom, self.halves), max(left, self.halves)
            if top >= bottom or left >= right:
                return
        on_both_sides = not symmetric or self.halves > 0
        codes = self.rows[top:bottom]
        start = 0
        for end in [*(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist(), len(codes)]:
            rows, code = (top + start, top + end), codes[start]
            start = end
            if code < 0:
                yield *rows, left, right
                continue
            among = self.partners[self.halves :]
            first, last = (self.halves + np.searchsorted(among, [code, code + 1])).tolist()
            if on_both_sides and left < min(right, first):
                yield *rows, left, min(right, first)
            if max(left, last) < right:
                yield *rows, max(left, last), right

    @property
    def digest(self) -> str:
        """A short sum of the groups, which tells passes apart."""
        hashed = blake2b(f"{self.halves}".encode(), digest_size=8)
        hashed.update(self.rows.tobytes())
        hashed.update(self.partners.tobytes())
        return hashed.hexdigest()
