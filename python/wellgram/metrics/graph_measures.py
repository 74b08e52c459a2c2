"""What a graph of neighbors says of batches and labels: kBET, LISI, labels carried over."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import ColumnMissing, InputError, NotApplicable
from wellgram.files import save_csv
from wellgram.graphs import NeighborGraph
from wellgram.label_rules.missing_labels import is_missing
from wellgram.metrics.mixing import kbet, lisi, scaled_lisi

_LEAST_OF_LISI = 3
"""Neighbors, itself included: their perplexity is a third of their number"""
_CHUNK_CELLS = 1 << 22


@dataclass(frozen=True, repr=False, eq=False)
class NeighborMixing:
    """How well the values of a column mix among neighbors."""

    column: str
    kbet: float
    """The share of rows around which values are in the proportions of all rows: 1 where they mix"""
    lisi: Floats
    """(n,): about how many values are around each row; NaN for rows that are left out"""
    scaled_lisi: float
    """The median of ``lisi`` on a scale from 0, one value only, to 1, all values alike"""

    def __repr__(self) -> str:
        return f"Mixing of {self.column!r}: kBET {self.kbet:.3f}, LISI {self.scaled_lisi:.3f}"


def neighbor_mixing(graph: NeighborGraph, column: str = "batch") -> NeighborMixing:
    """Return how well batches, or other labels, mix among the neighbors of a graph.

    kBET and LISI as ``scib_metrics`` 0.5 defines them (see `wellgram.metrics.mixing`), a row itself
    among its neighbors.

    Parameters
    ----------
    graph
        Of `wellgram.neighbor_graph`; of wells or of a map. With ``across="batch"`` batches would
        be told apart by how the graph was made, so it is refused for that column.
    column
        Of the wells' metadata, or of the map's labels.

    Raises
    ------
    InputError
        If the column is absent, lacks values or has one value only, or the graph was made across
        it.

    Examples
    --------
    >>> import numpy as np, wellgram as wg
    >>> rows = np.random.default_rng(0).normal(size=(60, 4))
    >>> wells = wg.Wells.from_arrays(rows, ["p"] * 60, batch=list("ab") * 30)
    >>> wg.neighbor_mixing(wg.neighbor_graph(wells, k=10))
    Mixing of 'batch': kBET 1.000, LISI 0.469
    """
    if graph.across == column:
        raise InputError(
            f"neighbors were looked for across {column!r}, so they cannot mix by it; make the "
            "graph without (across=)"
        )
    if graph.k + 1 < _LEAST_OF_LISI:
        raise InputError(f"mixing needs 2 neighbors of each row or more, not k={graph.k}")
    values = _values(graph, column)
    kept = np.flatnonzero(graph.nearest[:, 0] >= 0)
    missing = is_missing(values.iloc[kept])
    if missing.any():
        raise InputError(
            f"{int(missing.sum()):,} rows have no value in column {column!r}; leave them out"
        )
    codes = pd.factorize(values.iloc[kept].astype("str"))[0].astype(np.int64)
    if codes.max(initial=0) == 0:
        raise NotApplicable(f"all rows have one value in column {column!r}")
    place = np.full(len(graph.nearest), -1, np.int64)
    place[kept] = np.arange(len(kept))
    itself = np.arange(len(kept))[:, None]
    near = np.hstack([itself, place[graph.nearest[kept]]])
    apart = np.hstack([np.zeros(itself.shape), graph.nearest_distances[kept]])
    index = np.full(len(graph.nearest), np.nan)
    index[kept] = lisi(near, apart, codes)
    return NeighborMixing(column, kbet(near, codes), index, scaled_lisi(index[kept], codes))


@dataclass(frozen=True, repr=False, eq=False)
class TransferredLabels:
    """The label that most of a row's neighbors have.

    Columns of `table`, one row per row of the graph: ``row``; ``label``, its own; ``predicted``, of
    its neighbors; ``share`` of those with a label that have it; ``is_right``, missing where a row
    has no label.
    """

    table: pd.DataFrame
    column: str

    @property
    def accuracy(self) -> float:
        """The share of rows with a label that most neighbors tell right."""
        return float(self.table["is_right"].dropna().astype(float).mean())

    def __repr__(self) -> str:
        return (
            f"{self.column!r} of {len(self.table):,} rows by neighbors: {self.accuracy:.3f} right"
        )

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


def transfer_labels(graph: NeighborGraph, column: str = "perturbation") -> TransferredLabels:
    """Return the label that most neighbors of each row have, by the rows that have one.

    Among labels that are as frequent, the one of the nearest neighbor.

    Parameters
    ----------
    graph
        Of `wellgram.neighbor_graph`; made across batches, it tells labels without the likeness of
        a batch.
    column
        Of the wells' metadata, or of the map's labels; rows may lack it.

    Raises
    ------
    InputError
        If the column is absent, or no row has a value.

    Examples
    --------
    >>> import numpy as np, wellgram as wg
    >>> wells = wg.Wells.from_arrays(np.repeat(np.eye(2), 3, axis=0), list("pppqqq"))
    >>> wg.transfer_labels(wg.neighbor_graph(wells, k=2))
    'perturbation' of 6 rows by neighbors: 1.000 right
    """
    values = _values(graph, column)
    codes, names = pd.factorize(values.mask(is_missing(values)))
    if not len(names):
        raise NotApplicable(f"no row has a value in column {column!r}")
    n, k = graph.nearest.shape
    best, share = np.full(n, -1, np.int64), np.full(n, np.nan)
    for first in range(0, n, max(1, _CHUNK_CELLS // k**2)):
        rows = slice(first, first + max(1, _CHUNK_CELLS // k**2))
        best[rows], share[rows] = _most_frequent(codes, graph.nearest[rows])
    known = (codes >= 0) & (best >= 0)
    labels = np.array([*names, None], object)  # the last, by -1, for rows without neighbors
    right = pd.array(np.where(known, codes == best, False), "boolean")
    right[~known] = pd.NA
    table = pd.DataFrame(
        {
            "row": np.arange(n),
            "label": values.to_numpy(),
            "predicted": labels[best],
            "share": share,
            "is_right": right,
        }
    )
    return TransferredLabels(table, column)


def _most_frequent(codes: Codes, nearest: Codes) -> tuple[Codes, Floats]:
    """Return the most frequent code of each row's neighbors, and its share; -1 for none."""
    met = np.where(nearest >= 0, codes[nearest], -1)
    count = np.where(met >= 0, (met[:, :, None] == met[:, None, :]).sum(axis=2), 0)
    first = count.argmax(axis=1)[:, None]
    labelled = (met >= 0).sum(axis=1)
    best = np.take_along_axis(met, first, axis=1)[:, 0]
    most = np.take_along_axis(count, first, axis=1)[:, 0]
    return best, np.where(labelled > 0, most / np.maximum(labelled, 1), np.nan)


def _values(graph: NeighborGraph, column: str) -> "pd.Series[Any]":
    if graph.labels is None:
        raise InputError("the graph is of rows without labels; make it of wells or of a map")
    if column not in graph.labels:
        known = ", ".join(map(str, graph.labels.columns))
        raise ColumnMissing(f"there is no column {column!r} (column=); there are {known}")
    return graph.labels[column].reset_index(drop=True)
