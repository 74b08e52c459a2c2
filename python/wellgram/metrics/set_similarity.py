"""How alike the members of gene sets are, and whether a clustering finds the gene sets again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes
from wellgram.errors import NotApplicable
from wellgram.files import save_csv
from wellgram.input_kinds import check_map
from wellgram.io.relationships import named_sources, pair_ends
from wellgram.metrics.gene_set_tests import GeneSets, members_of, near_members
from wellgram.metrics.recall import Null, null_rows
from wellgram.metrics.rows_of_pairs import Sources
from wellgram.pairs import cosine_matrix
from wellgram.wells import LabelledMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST, _LARGEST = 3, 20
"""How many members a gene set has that is shown: of two there is one cosine only"""


@dataclass(frozen=True, repr=False)
class GeneSetSimilarity:
    """The cosines among members of gene sets, in the order of a clustering.

    `cosines` (m, m) has the names of the rows; `groups` (m,) the gene set of each; `tree`
    (m - 1, 4) is the clustering of the rows in this order, as SciPy's ``linkage`` has it.
    """

    cosines: pd.DataFrame
    groups: Sequence[str]
    tree: NDArray[np.float64]
    left_out: int
    """How many gene sets there are beside those shown"""

    @property
    def table(self) -> pd.DataFrame:
        """One row per set: ``gene_set``, ``n_genes``, and mean cosines ``within``, ``between``."""
        values, groups = self.cosines.to_numpy(np.float64), np.asarray(self.groups)
        apart = ~np.eye(len(values), dtype=bool)
        records = []
        for name in dict.fromkeys(self.groups):
            own = groups == name
            within = values[own][:, own][apart[own][:, own]]
            between = values[own][:, ~own]
            records.append(
                {
                    "gene_set": name,
                    "n_genes": int(own.sum()),
                    "within": within.mean(),
                    "between": between.mean() if between.size else np.nan,
                }
            )
        return pd.DataFrame(records)

    def __repr__(self) -> str:
        return f"Similarity within {len(self.table)} gene sets\n{self.table.to_string(index=False)}"

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the matrix, the tree and the gene sets; return the matplotlib axes."""
        from wellgram.plots import plot_similarity

        return plot_similarity(self.cosines, self.groups, self.tree, ax)

    def save(self, path: str | Path) -> None:
        """Write the cosines as CSV, a column for each row."""
        save_csv(self.cosines.rename_axis("perturbation").reset_index(), path)


@takes_backend
def gene_set_similarity(
    map_: LabelledMap,
    /,
    gene_sets: GeneSets,
    *,
    most: int = 40,
    null: Null | None = None,
    backend: str | None = None,
) -> GeneSetSimilarity:
    """Return the cosines among the members of gene sets, clustered.

    The largest gene sets of 3 to 20 members in the map are shown, as many as `most` rows hold; of a
    gene in several, the largest has it. Clustering is by average linkage of 1 - cosine, its leaves
    ordered so that neighbours are alike (Bar-Joseph et al. 2001); it does not know the gene sets.

    Parameters
    ----------
    map_
        The map (p, d).
    gene_sets
        Labels by the name of their gene set, such as `read_gene_sets` returns, or
        `gene_sets_of_pairs`.
    most
        How many rows of the map at most.
    null
        ``"genes"``: the CRISPR rows, the default where the map has such; ``"all"``: every row.
    backend
        See `wellgram.set_backend`.

    Raises
    ------
    InputError
        If no gene set has three members in the map.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    check_map(map_)
    check_whole(most, "most")
    rows, _ = null_rows(map_.labels, null)
    labels = map_.labels["perturbation"].astype("str").to_numpy()[rows]
    sets = members_of(gene_sets)
    chosen, groups, left_out = _chosen(labels, sets, most)
    if not len(chosen):
        raise NotApplicable(
            f"none of the {len(sets):,} gene sets has {_LEAST} to {_LARGEST} members in the "
            f"map{near_members(sets, labels)}"
        )
    index = rows[chosen]
    cosines = cosine_matrix(map_, rows=index, columns=index)
    symmetric = (cosines.astype(np.float64) + cosines.T) / 2
    distances = squareform(np.maximum(1 - symmetric, 0), checks=False)
    tree = optimal_leaf_ordering(linkage(distances, "average"), distances)
    order = leaves_list(tree)
    leaves = tree[:, :2] < len(chosen)  # numbers from there on are joined ones
    tree[:, :2][leaves] = np.argsort(order)[tree[:, :2][leaves].astype(np.int64)]
    names = labels[chosen][order]
    return GeneSetSimilarity(
        pd.DataFrame(cosines[np.ix_(order, order)], index=names, columns=names),
        [groups[k] for k in order],
        tree,
        left_out,
    )


def gene_sets_of_pairs(pairs: Sources, among: Iterable[str] | None = None) -> dict[str, list[str]]:
    """Return what known pairs hang together in: gene sets, each named by its first member.

    Parameters
    ----------
    pairs
        Known pairs by source: see `relationship_recall`.
    among
        Labels, such as those of a map, to which pairs are limited: what hangs together by others
        alone is not one gene set.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    found: dict[str, list[str]] = {}
    inside = None if among is None else set(among)
    sources = named_sources(pairs)
    for source, known in sources.items():
        ends = pair_ends(known)
        if inside is not None:
            ends = ends[ends.isin(inside).all(axis=1)]
        codes, names = pd.factorize(pd.concat([ends["entity1"], ends["entity2"]]), sort=True)
        n = len(ends)
        graph = coo_array((np.ones(n), (codes[:n], codes[n:])), shape=(len(names), len(names)))
        _, part = connected_components(graph, directed=False)
        for members in pd.Series(names).groupby(part):
            of = f", {source}" if len(sources) > 1 else ""
            found[f"{members[1].iloc[0]} + {len(members[1]) - 1}{of}"] = members[1].tolist()
    return found


def _chosen(
    labels: NDArray[np.object_], gene_sets: GeneSets, most: int
) -> tuple[Codes, list[str], int]:
    """Return the rows shown, the gene set of each, and how many gene sets are left out."""
    place: dict[str, int] = {}
    for row, label in enumerate(labels):  # of a compound at several doses, the first
        place.setdefault(label, row)
    inside = {
        name: [place[member] for member in sorted(set(members)) if member in place]
        for name, members in gene_sets.items()
    }
    fit = [name for name, rows in inside.items() if _LEAST <= len(rows) <= _LARGEST]
    fit.sort(key=lambda name: -len(inside[name]))
    chosen: list[int] = []
    groups: list[str] = []
    shown = 0
    for name in fit:
        new = [row for row in inside[name] if row not in chosen]
        if len(new) < _LEAST or len(chosen) + len(new) > most:
            continue
        chosen += new
        groups += [name] * len(new)
        shown += 1
    return np.array(chosen, np.int64), groups, len(fit) - shown
