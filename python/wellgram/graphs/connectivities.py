"""How strongly neighbors are connected, by umap-learn's own function."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import MissingPackage
from wellgram.graphs.graph_matrix import with_itself

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def connectivities_of(nearest: Codes, distances: Floats) -> "csr_matrix":
    """Return the fuzzy union of the neighbors of rows (n, n); none for rows without any.

    Parameters
    ----------
    nearest, distances
        (n, k): each row's neighbors, the nearest first; -1 for rows without any.

    Raises
    ------
    MissingPackage
        If umap-learn is not installed.
    """
    from scipy.sparse import coo_matrix

    fuzzy_simplicial_set = _function_of_umap()
    kept = np.flatnonzero(nearest[:, 0] >= 0)
    columns, values = with_itself(nearest, distances)
    place = np.full(len(nearest), -1, np.int64)
    place[kept] = np.arange(len(kept))
    m, k = columns.shape
    # As scanpy calls it: a matrix of the right height, since neighbors are given.
    found, _, _ = fuzzy_simplicial_set(
        coo_matrix((m, 1)),
        k,
        None,
        None,
        knn_indices=place[columns],
        knn_dists=values,
        set_op_mix_ratio=1.0,
        local_connectivity=1.0,
    )
    if m == len(nearest):
        return found.tocsr()
    pairs = found.tocoo()
    shape = (len(nearest), len(nearest))
    return coo_matrix((pairs.data, (kept[pairs.row], kept[pairs.col])), shape=shape).tocsr()


def _function_of_umap() -> Any:
    try:
        with warnings.catch_warnings():  # it says which optional packages it does not find
            warnings.simplefilter("ignore")
            from umap.umap_ import fuzzy_simplicial_set
    except ImportError as problem:
        raise MissingPackage(
            f"connectivities need the package 'umap-learn' ({problem}): "
            "pip install 'wellgram[umap]'"
        ) from problem
    return fuzzy_simplicial_set
