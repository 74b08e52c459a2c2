"""The most and the least similar partners of every row."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends import takes_backend
from wellgram.backends.consumers import Nearest
from wellgram.backends.free_memory import check_room
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Progress
from wellgram.distributed import Client, takes_client
from wellgram.errors import InputError
from wellgram.files import replacing
from wellgram.pairs.row_labels import label_columns
from wellgram.pairs.scanning import scan
from wellgram.pairs.unit_rows import Map, PairDtype, UnitRows, unit_pair
from wellgram.plots.html_tables import ShownTable
from wellgram.spreadsheets import without_formulas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BYTES_OF_A_ROW = 40
"""Of a table of neighbors: two rows, a side, a rank and a cosine; labels come on top"""

_Index = NDArray[np.int64]
_Cosines = NDArray[np.floating[Any]]


@dataclass(frozen=True, repr=False, eq=False)
class Neighbors(ShownTable):
    """The k most and the k least similar partners of every row, the most extreme first.

    Among equal cosines the partner of the smaller row number comes first.
    """

    nearest: _Index
    """(n, k): rows of the most similar partners"""
    nearest_cosines: _Cosines
    farthest: _Index
    """(n, farthest): rows of the least similar"""
    farthest_cosines: _Cosines
    _rows: UnitRows
    _partners: UnitRows

    def __repr__(self) -> str:
        n, k = self.nearest.shape
        return (
            f"Neighbors of {n:,} rows: {k} most and {self.farthest.shape[1]} least similar of each"
        )

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per neighbor.

        Columns: the labels of a map and ``row``; ``side`` (``nearest`` or ``farthest``) and
        ``rank``, from 1; the neighbor's labels and ``neighbor_row``; ``cosine``.
        """
        rows = self.nearest.size + self.farthest.size
        check_room(
            _BYTES_OF_A_ROW * rows,
            f"a table of {rows:,} neighbors",
            "take the arrays (nearest, nearest_cosines), or ask for fewer (k=, farthest=)",
        )
        return pd.concat(
            [
                self._side("nearest", self.nearest, self.nearest_cosines),
                self._side("farthest", self.farthest, self.farthest_cosines),
            ],
            ignore_index=True,
        )

    def _side(self, side: str, index: _Index, cosines: _Cosines) -> pd.DataFrame:
        n, k = index.shape
        rows = np.repeat(np.arange(n), k)
        ranks = pd.DataFrame({"side": side, "rank": np.tile(np.arange(1, k + 1), n)})
        partners = label_columns(self._partners, index.ravel(), "neighbor_")
        if "neighbor_perturbation" in partners:
            partners = partners.rename(columns={"neighbor_perturbation": "neighbor"})
        parts = [label_columns(self._rows, rows), ranks, partners]
        return pd.concat(parts, axis=1).assign(cosine=cosines.ravel())

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw how similar the nearest and the farthest are; return the matplotlib axes."""
        from wellgram.plots import plot_neighbors

        return plot_neighbors(self.nearest_cosines, self.farthest_cosines, ax)

    def save(self, path: str | Path) -> None:
        """Write the table, as parquet or CSV by the ending of the name.

        CSV is for spreadsheets: texts that begin as formulas get an apostrophe before them. Parquet
        keeps every name as it is.

        Raises
        ------
        InputError
            If the name ends otherwise.
        """
        write_table(self.table, path)


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table of neighbors, as parquet or CSV by the ending of the name."""
    from wellgram.parquet_checksums import write_frame

    check_table_name(path)
    with replacing(path) as temporary:
        if temporary.suffix == ".csv":
            without_formulas(table).to_csv(temporary, index=False)
        else:
            write_frame(table, temporary)


def check_table_name(path: str | Path) -> None:
    """Raise unless a table can be written there: its folder exists and its ending is known."""
    check_table_suffix(path)
    if not Path(path).parent.is_dir():
        raise InputError(
            f"cannot write {str(path)!r}: there is no folder {str(Path(path).parent)!r}"
        )


def check_table_suffix(path: str | Path) -> None:
    """Raise unless the ending of a name is that of a table that can be written."""
    if Path(path).suffix not in (".parquet", ".csv"):
        raise InputError(f"cannot write {str(path)!r}: name a file .parquet or .csv")


@takes_client
@takes_backend
def neighbors(
    x: Map,
    k: int = 25,
    *,
    farthest: int | None = None,
    other: Map | None = None,
    dtype: PairDtype | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> Neighbors:
    """Return the k most and the k least similar partners of every row of x, by cosine.

    As JUMP's published tables of similarities have them; from one pass over each pair, which
    serves both of its rows.

    Parameters
    ----------
    x, dtype, backend, progress, client
        As for `wellgram.pairs.scan_pairs`.
    k
        How many of the most similar.
    farthest
        How many of the least similar, if not k as well.
    other
        (m, d): look for the partners there, instead of among the other rows of x.

    Raises
    ------
    InputError
        If these are no whole numbers, none is positive, a row has fewer partners, or as
        `wellgram.pairs.scan_pairs` has it.
    """
    check_whole(k, "k")
    check_whole(k if farthest is None else farthest, "farthest")
    if k < 0 or (farthest or 0) < 0 or k == 0 == (farthest or 0):
        raise InputError(
            f"numbers of neighbors must be positive, not k={k} and farthest={farthest}"
        )
    rows, others = unit_pair(x, other, dtype)
    consumer = Nearest(k, k if farthest is None else farthest)
    partners = rows.n - 1 if others is None else others.n
    if max(consumer.nearest, consumer.farthest) > partners:
        raise InputError(
            f"{max(consumer.nearest, consumer.farthest)} neighbors are asked for, but every "
            f"row has {max(partners, 0)} partners; ask for at most so many (k=, farthest=)"
        )
    (found,) = scan(rows, others, [consumer], progress=progress)
    return Neighbors(
        found.nearest,
        np.clip(found.nearest_cosines, -1, 1),
        found.farthest,
        np.clip(found.farthest_cosines, -1, 1),
        rows,
        others or rows,
    )
