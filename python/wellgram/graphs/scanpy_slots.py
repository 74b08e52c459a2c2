"""Graphs in AnnData objects, where scanpy looks for them."""

from typing import TYPE_CHECKING

from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import InputError
from wellgram.graphs.connectivities import connectivities_of
from wellgram.graphs.graph_matrix import csr_of

if TYPE_CHECKING:
    from anndata import AnnData


def write_scanpy_slots(
    adata: "AnnData", nearest: Codes, distances: Floats, metric: str, key_added: str | None
) -> None:
    """Write the neighbors (n, k) of rows into an AnnData object as ``scanpy.pp.neighbors`` does."""
    n, k = nearest.shape
    if adata.n_obs != n:
        raise InputError(
            f"the graph is of {n:,} rows, but the AnnData object has {adata.n_obs:,}; make it of "
            "the same wells"
        )
    before = "" if key_added is None else f"{key_added}_"
    keys = {name: f"{before}{name}" for name in ("connectivities", "distances")}
    kept = nearest[:, 0] >= 0
    # First, so that nothing is written where umap-learn is absent.
    connectivities = connectivities_of(nearest, distances)
    adata.obsp[keys["distances"]] = csr_of(nearest[kept], distances[kept], kept, n)
    adata.obsp[keys["connectivities"]] = connectivities
    adata.uns["neighbors" if key_added is None else key_added] = {
        "connectivities_key": keys["connectivities"],
        "distances_key": keys["distances"],
        "params": {"n_neighbors": k + 1, "method": "umap", "random_state": 0, "metric": metric},
    }
