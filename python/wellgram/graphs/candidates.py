"""Rows that may be the nearest of others, as passes over pairs meet them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers import NearestFound
from wellgram.backends.protocol import Codes, Rows

_ROWS_AT_A_TIME = 1 << 15


@dataclass(frozen=True)
class Candidates:
    """The best partners (m, w) of rows by cosine, the best first; -1 where there are fewer."""

    partners: NDArray[np.integer]
    cosines: Rows

    @classmethod
    def none(cls, rows: int, width: int) -> "Candidates":
        """Return no partners yet, in types that take little memory."""
        partners = np.full((rows, width), -1, np.int32 if rows < 1 << 31 else np.int64)
        return cls(partners, np.full((rows, width), -np.inf, np.float32))

    @classmethod
    def of(cls, found: NearestFound) -> "Candidates":
        """Return what a pass found."""
        return cls(found.nearest, found.nearest_cosines)

    def meet(self, places: Codes, partners: Codes, cosines: Rows) -> None:
        """Take in more partners (n, v) of the rows at some places, -1 for nobody."""
        width = self.partners.shape[1]
        for first in range(0, len(places), _ROWS_AT_A_TIME):
            chunk = slice(first, first + _ROWS_AT_A_TIME)
            rows, met = places[chunk], np.where(partners[chunk] < 0, -np.inf, cosines[chunk])
            values = np.hstack([self.cosines[rows], met.astype(np.float32)])
            index = np.hstack([self.partners[rows], partners[chunk]])
            order = np.argsort(-values, axis=1, kind="stable")[:, :width]
            self.cosines[rows] = np.take_along_axis(values, order, axis=1)
            self.partners[rows] = np.take_along_axis(index, order, axis=1)
