"""A map in two dimensions, to be looked at."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wellgram.backends import takes_backend
from wellgram.backends.long_calls import interruptible
from wellgram.backends.protocol import Floats
from wellgram.errors import NotApplicable
from wellgram.files import save_csv
from wellgram.input_kinds import check_map
from wellgram.pairs import unit_embeddings
from wellgram.wells import LabelledMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CHUNK_ROWS = 1 << 14


@dataclass(frozen=True, repr=False)
class PCAProjection:
    """The rows of a map on the axes of most variance; columns: labels, and ``x`` and ``y``."""

    table: pd.DataFrame
    explained: tuple[float, float]
    """The share of each axis in the variance of all"""

    def __repr__(self) -> str:
        first, second = self.explained
        return (
            f"PCAProjection of {len(self.table):,} rows: {first:.1%} and {second:.1%} of variance"
        )

    def plot(self, ax: "Axes | None" = None, *, color: str | None = None) -> "Axes":
        """Draw the rows, coloured by a column if one is named; return the matplotlib axes."""
        from wellgram.plots import plot_map

        return plot_map(self, ax, color=color)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def pca_projection(map_: LabelledMap, /, *, backend: str | None = None) -> PCAProjection:
    """Return the two principal components of a map's rows, each scaled to length 1.

    So rows of one direction lie together, as cosines have it. The covariance is added up in
    float64; the sign of an axis is that of its largest loading, so a map has one projection.

    Parameters
    ----------
    map_
        The map (p, d), of two rows and two features at least.
    backend
        See `wellgram.set_backend`.

    Raises
    ------
    InputError
        If the map has fewer rows or features, or all its rows have one direction.
    """
    check_map(map_)
    embeddings = map_.embeddings
    p, d = embeddings.shape
    if p < 2 or d < 2:
        raise NotApplicable(
            f"a projection needs two rows and two features, but the map is {p} x {d}"
        )
    unit = unit_embeddings(embeddings)
    mean = unit.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((d, d))
    for first in range(0, p, _CHUNK_ROWS):
        centred = unit[first : first + _CHUNK_ROWS] - mean
        scatter += centred.T @ centred
    spread, axes = interruptible(d, np.linalg.eigh, scatter)
    if not spread[-1] > 1e-12 * p:
        raise NotApplicable("all rows of the map have one direction: there is nothing to project")
    axes = axes[:, [-1, -2]]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    places: Floats = unit @ axes - mean @ axes
    share = np.maximum(spread[[-1, -2]], 0) / np.maximum(spread, 0).sum()
    table = map_.labels.assign(x=places[:, 0], y=places[:, 1])
    return PCAProjection(table, (float(share[0]), float(share[1])))
