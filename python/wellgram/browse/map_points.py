"""A map as points in the plane, which the page draws."""

from threading import Lock

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats
from wellgram.pairs import UnitRows

_SAMPLE = 20_000
"""How many rows, evenly spaced, the axes are made of"""
_STEPS = 65_535
"""Of each axis from side to side, so that a coordinate takes two bytes"""


class MapPoints:
    """The two principal components of a map's rows, made when they are first asked for.

    Rows have length 1, as in `wellgram.pca_projection`. The axes of a map of more than 20,000 rows
    are those of a sample.
    """

    def __init__(self, rows: UnitRows, types: NDArray[np.int64]) -> None:
        self._rows, self._types = rows, types
        self._making, self._made = Lock(), b""

    def encoded(self) -> bytes:
        """Return x, y and the code of the type (0 for none) of each row, as little-endian uint16.

        Coordinates go from 0 to 65,535, on one scale for both axes.
        """
        with self._making:
            if not self._made:
                places = self._places()
                places -= places.min(axis=0)
                places *= _STEPS / max(places.max(), np.finfo(float).tiny)
                columns = np.column_stack([np.rint(places), np.minimum(self._types + 1, _STEPS)])
                self._made = columns.astype("<u2").tobytes()
            return self._made

    def _places(self) -> Floats:
        rows = self._rows
        spans = list(rows.spans(0, rows.n))
        step = -(-rows.n // _SAMPLE)
        sample = np.concatenate(
            [np.asarray(rows.span(a, b)[(-a) % step :: step], np.float64) for a, b in spans]
        )
        mean = sample.mean(axis=0)
        sample -= mean
        last = [max(rows.d - 2, 0), rows.d - 1]
        axes = scipy.linalg.eigh(sample.T @ sample, subset_by_index=last)[1][:, ::-1]
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
        places = np.zeros((rows.n, 2))
        for a, b in spans:
            places[a:b, : axes.shape[1]] = rows.span(a, b) @ axes - mean @ axes
        return places
