"""Each well's nearest others, as a graph."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wellgram.backends import takes_backend
from wellgram.backends.free_memory import check_room
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Floats, Progress
from wellgram.distributed import Client, takes_client
from wellgram.errors import ColumnMissing, InputError, NotApplicable
from wellgram.graphs.connectivities import connectivities_of
from wellgram.graphs.graph_matrix import csr_of, with_itself
from wellgram.graphs.measures import Metric, measure_of
from wellgram.graphs.row_store import Source, StoredRows
from wellgram.graphs.scanpy_slots import write_scanpy_slots
from wellgram.graphs.search import SMALL_GROUP, Search, Side
from wellgram.graphs.unfinished_pass import UnfinishedPass
from wellgram.label_rules.missing_labels import is_missing
from wellgram.pairs.neighbor_tables import write_table

if TYPE_CHECKING:
    from anndata import AnnData
    from scipy.sparse import csr_matrix

_BYTES_OF_A_NEIGHBOR = 40
"""A row number and a distance, twice: as it is found, and of all rows; and a candidate"""
_NAMES = ("well_id", "perturbation_type", "perturbation", "dose")
"""Labels that tables of neighbors show"""


@dataclass(frozen=True, repr=False, eq=False)
class NeighborGraph:
    """The k nearest others of every row, the nearest first.

    Distances are of float64, whatever type rows have. Among equal ones the smaller row number comes
    first. Rows without a distance (all zero; for correlation, of one value) are nobody's neighbors
    and have none: their row numbers are -1 and their distances NaN.
    """

    nearest: Codes
    """(n, k): rows of the neighbors"""
    nearest_distances: Floats
    """(n, k)"""
    metric: Metric
    across: str | None
    """The column whose values neighbors do not share"""
    labels: pd.DataFrame | None
    """Of wells or of a map, one row for each row"""

    def __repr__(self) -> str:
        n, k = self.nearest.shape
        others = "" if self.across is None else f" across {self.across!r}"
        without = f", {len(self.left_out):,} left out" if len(self.left_out) else ""
        return f"NeighborGraph({n:,} rows, {k} nearest by {self.metric}{others}{without})"

    @property
    def k(self) -> int:
        """How many neighbors a row has."""
        return int(self.nearest.shape[1])

    @cached_property
    def left_out(self) -> Codes:
        """The rows that have no distances."""
        return np.flatnonzero((self.nearest < 0).all(axis=1))

    @property
    def left_out_names(self) -> list[str]:
        """What the rows that were left out are called: of wells, their names."""
        if self.labels is None:
            return [f"row {row}" for row in self.left_out.tolist()]
        column = "well_id" if "well_id" in self.labels else "perturbation"
        return [str(name) for name in self.labels[column].iloc[self.left_out]]

    @cached_property
    def distances(self) -> "csr_matrix":
        """The graph as scikit-learn's ``KNeighborsTransformer(mode="distance")`` has it.

        A matrix (n, n) in SciPy's CSR: in each row the row itself, 0 apart, and then its neighbors,
        the nearest first. So columns are not in order of their numbers.
        """
        kept = self.nearest[:, 0] >= 0
        columns, values = with_itself(self.nearest, self.nearest_distances)
        return csr_of(columns, values, kept, len(kept))

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per neighbor.

        Columns: the labels of wells (``well_id``) or of a map and ``row``; ``rank``, from 1; the
        neighbor's labels (``neighbor_well_id``) and ``neighbor_row``; ``distance``.
        """
        rows, ranks = np.nonzero(self.nearest >= 0)
        partners = self.nearest[rows, ranks]
        columns = {**self._named(rows, ""), "rank": ranks + 1, **self._named(partners, "neighbor_")}
        if "neighbor_perturbation" in columns:
            columns["neighbor"] = columns.pop("neighbor_perturbation")
        return pd.DataFrame({**columns, "distance": self.nearest_distances[rows, ranks]})

    @cached_property
    def connectivities(self) -> "csr_matrix":
        """How strongly rows are connected (n, n), from 0 to 1: by umap-learn, as scanpy has it.

        Raises
        ------
        MissingPackage
            If umap-learn is not installed.
        """
        return connectivities_of(self.nearest, self.nearest_distances)

    def add_to(self, adata: "AnnData", key_added: str | None = None) -> None:
        """Write the graph into an AnnData object as ``scanpy.pp.neighbors`` does.

        So ``scanpy.tl.umap`` and ``scanpy.tl.leiden`` go on from there. scanpy counts a row itself
        among its neighbors, so its ``n_neighbors`` is k + 1.

        Parameters
        ----------
        adata
            The object whose ``obs`` are the rows of the graph. It gets ``obsp["distances"]``,
            ``obsp["connectivities"]`` and ``uns["neighbors"]``.
        key_added
            A name that goes before those of ``obsp``, and that ``uns`` has instead.

        Raises
        ------
        InputError
            If it has another number of rows.
        MissingPackage
            If umap-learn is not installed.
        """
        write_scanpy_slots(adata, self.nearest, self.nearest_distances, self.metric, key_added)

    def _named(self, rows: Codes, prefix: str) -> dict[str, Any]:
        labels = self.labels
        there = [] if labels is None else [name for name in _NAMES if name in labels]
        values = {f"{prefix}{name}": labels[name].to_numpy()[rows] for name in there}  # type: ignore[index]
        return {**values, f"{prefix}row": rows}

    def save(self, path: str | Path) -> None:
        """Write the table, as parquet or CSV by the ending of the name.

        CSV is for spreadsheets: texts that begin as formulas get an apostrophe before them. The
        matrix goes to a file by ``scipy.sparse.save_npz(path, graph.distances)``.

        Raises
        ------
        InputError
            If the name ends otherwise.
        """
        write_table(self.table, path)


@takes_client
@takes_backend
def neighbor_graph(
    wells_or_map: Source,
    k: int = 15,
    *,
    metric: Metric = "cosine",
    across: str | None = None,
    scratch: str | Path | None = None,
    unfinished: str | Path | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> NeighborGraph:
    """Return the k nearest others of every well, or of every row of a map: exactly.

    A pass over pairs finds candidates by products of float32, which are off by a bound at most.
    Their distances are taken in float64, and it is proven for each row that no other row is nearer.
    So the graph is what all distances, sorted, would give. By cosine and correlation each pair is
    met once, which serves both of its rows; by Euclidean distance it is met twice.

    Parameters
    ----------
    wells_or_map
        Wells, in memory or of files (`wellgram.open_wells`); a map; or rows (n, d) of float32 or
        float64: an array, a memory map, or anything that is read by ranges of rows.
    k
        How many neighbors each row gets, itself not counted.
    metric
        ``"cosine"``: 1 less the cosine. ``"euclidean"``: the length of the difference.
        ``"correlation"``: 1 less Pearson's correlation.
    across
        A column, such as ``"batch"``: neighbors are only looked for among rows that have another
        value there.
    scratch
        A folder for rows of files that are too large for memory (more than 0.5 GB). They are copied
        there once, to a file that has no name and ends with the call; by default the folder of
        temporary files.
    unfinished
        A folder where an interrupted call leaves what it has met, for the next call of the same
        rows and settings to take up. It is emptied at the end.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the work that is done.
    client
        A ``distributed.Client`` whose workers make the pass; see `wellgram.distributed.using`.

    Returns
    -------
    NeighborGraph
        ``distances`` is the graph as a CSR matrix of SciPy. Rows without a distance are counted in
        ``left_out`` and named in ``left_out_names``.

    Raises
    ------
    InputError
        If k is no whole number from 1 to the number of possible neighbors, a row holds a NaN or an
        Inf, a column is absent or has no value for a row, all rows are of one group, or a file
        changes while it is read.

    Examples
    --------
    >>> import numpy as np, wellgram as wg
    >>> rows = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.2, 1.0]])
    >>> graph = wg.neighbor_graph(rows, k=1)
    >>> graph.nearest.ravel()
    array([1, 0, 3, 2])
    >>> graph.distances.shape
    (4, 4)
    """
    check_whole(k, "k")
    measure = measure_of(metric)
    store = StoredRows.of(wells_or_map, scratch)
    if unfinished is not None:
        store.summed = True
    kept = store.learn(measure)
    groups, kept = _grouped(store, kept, across)
    _check_count(k, store, kept, groups, across)
    size = len(kept) * k * _BYTES_OF_A_NEIGHBOR
    check_room(size, f"a graph of {len(kept):,} rows, {k:,} neighbors each", "ask for fewer (k=)")
    side = Side(store.array, kept)
    kept_pass = None
    if unfinished is not None:
        facts = {"metric": metric, "k": k, "across": across, "rows": store.facts(kept, groups)}
        kept_pass = UnfinishedPass(unfinished, facts)
    found = Search(measure, k, side, side, True, groups).run(progress, kept_pass)
    store.check_unchanged()
    if kept_pass is not None:
        kept_pass.end()
    nearest = np.full((len(store), k), -1, np.int64)
    distances = np.full((len(store), k), np.nan)
    nearest[kept], distances[kept] = found.rows, found.distances
    return NeighborGraph(nearest, distances, metric, across, store.labels)


def _grouped(store: StoredRows, kept: Codes, across: str | None) -> tuple[Codes | None, Codes]:
    """Return the groups of rows, those of few rows first, and the rows in that order."""
    if across is None:
        return None, kept
    if store.labels is None:
        raise InputError(f"rows without labels have no column {across!r}; give wells or a map")
    if across not in store.labels:
        known = ", ".join(map(str, store.labels.columns))
        raise ColumnMissing(f"there is no column {across!r} (across=); there are {known}")
    values = store.labels[across].reset_index(drop=True)
    missing = is_missing(values)
    if missing.any():
        first = store.name(int(np.flatnonzero(missing)[0]))
        raise InputError(
            f"{int(missing.sum()):,} rows have no value in column {across!r} (first: {first}); "
            "label them or leave them out"
        )
    codes = pd.factorize(values.iloc[kept].astype("str"), sort=True)[0]
    sizes = np.bincount(codes)
    order = np.lexsort((kept, codes, sizes[codes] >= SMALL_GROUP))
    return np.unique(codes[order], return_inverse=True)[1].astype(np.int64), kept[order]


def _check_count(
    k: int, store: StoredRows, kept: Codes, groups: Codes | None, across: str | None
) -> None:
    """Raise unless every row has k possible neighbors."""
    if k < 1:
        raise InputError(f"the number of neighbors must be 1 or more, not k={k}")
    if groups is None:
        partners, whose = len(kept) - 1, f"each of {len(kept):,} rows with a distance has"
    else:
        sizes = np.bincount(groups)
        if len(sizes) < 2:
            raise NotApplicable(
                f"all rows have one value in column {across!r}: there are no others to look among "
                "(across=)"
            )
        partners = len(kept) - int(sizes.max())
        value = store.labels[across].iloc[kept[np.argmax(groups == sizes.argmax())]]  # type: ignore[index]
        whose = f"those of {across} {str(value)!r} have"
    if k > partners:
        raise InputError(
            f"{k} neighbors are asked for, but {whose} {max(partners, 0):,} others; ask for fewer "
            "(k=)"
        )
