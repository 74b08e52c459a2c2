"""Graphs of neighbors in scanpy: equal to its exact ones, and taken by its tools."""

import numpy as np
import pytest

import wellgram as wg
from wellgram import InputError

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of scanpy's and umap-learn's own dependencies
]
METRICS = ("euclidean", "cosine", "correlation")


@pytest.fixture
def scanpy():
    reason = "scanpy is absent (pip install 'scanpy[leiden]' 'pandas<3')"
    pytest.importorskip("igraph", reason=reason)
    return pytest.importorskip("scanpy", reason=reason)


@pytest.fixture
def adata(scanpy, rng):
    """300 rows in three groups."""
    rows = rng.normal(size=(300, 12)) + 4 * np.repeat(rng.normal(size=(3, 12)), 100, axis=0)
    return scanpy.AnnData(rows)


def assert_same_graph(one, other):
    """Of float64 distances, in the order of each row's nearest."""
    np.testing.assert_array_equal(one.indptr, other.indptr)
    np.testing.assert_array_equal(one.indices, other.indices)
    np.testing.assert_allclose(one.data, other.data, rtol=1e-7, atol=1e-12)  # scanpy's by products


@pytest.mark.parametrize("metric", METRICS)
def test_the_transformer_gives_scanpys_exact_graph(scanpy, adata, metric):
    scanpy.pp.neighbors(adata, n_neighbors=10, use_rep="X", metric=metric, key_added="exact")
    transformer = wg.KNeighborsTransformer(n_neighbors=10, metric=metric)
    scanpy.pp.neighbors(adata, use_rep="X", transformer=transformer)
    assert adata.uns["neighbors"]["params"]["n_neighbors"] == 10
    # float32 weights, found by bisection to 1e-5.
    expected = adata.obsp["exact_connectivities"]
    assert abs(adata.obsp["connectivities"] - expected).max() < 1e-5
    assert (adata.obsp["connectivities"] != 0).nnz == (expected != 0).nnz


@pytest.mark.parametrize("metric", METRICS)
def test_a_graph_is_written_as_scanpy_writes_its_own(scanpy, adata, metric):
    scanpy.pp.neighbors(adata, n_neighbors=10, use_rep="X", metric=metric)
    other = scanpy.AnnData(adata.X)
    wg.neighbor_graph(adata.X, 9, metric=metric).add_to(other)
    expected = dict(adata.uns["neighbors"]["params"])
    expected.pop("use_rep")
    assert other.uns["neighbors"] == {**adata.uns["neighbors"], "params": expected}
    assert_same_graph(other.obsp["distances"], adata.obsp["distances"])
    assert abs(other.obsp["connectivities"] - adata.obsp["connectivities"]).max() < 1e-5


def test_umap_and_leiden_go_on_from_the_transformer(scanpy, adata):
    transformer = wg.KNeighborsTransformer(n_neighbors=15)
    scanpy.pp.neighbors(adata, use_rep="X", transformer=transformer)
    scanpy.tl.umap(adata, n_components=2)
    scanpy.tl.leiden(adata, flavor="igraph", n_iterations=2, directed=False, resolution=0.1)
    assert adata.obsm["X_umap"].shape == (300, 2)
    groups = adata.obs["leiden"].to_numpy()
    assert [len(set(groups[part])) for part in (slice(100), slice(100, 200), slice(200, 300))] == [
        1, 1, 1,
    ]  # fmt: skip


def test_umap_and_leiden_go_on_from_a_graph_of_wells(scanpy, rng):
    wells = wg.Wells.from_arrays(rng.normal(size=(120, 8)), ["p"] * 120)
    adata = wg.to_anndata(wells)
    wg.neighbor_graph(wells, 10).add_to(adata, key_added="wells")
    scanpy.tl.umap(adata, neighbors_key="wells")
    scanpy.tl.leiden(adata, neighbors_key="wells", flavor="igraph", n_iterations=2, directed=False)
    assert adata.uns["wells"]["distances_key"] == "wells_distances"
    assert adata.obsp["wells_distances"].getnnz(axis=1).tolist() == [10] * 120


def test_rows_left_out_are_connected_to_nobody(scanpy, rng):
    rows = rng.normal(size=(60, 5))
    rows[[3, 40]] = 0
    graph = wg.neighbor_graph(rows, 4)
    weights = graph.connectivities.toarray()
    assert (np.flatnonzero(~weights.any(axis=1)) == [3, 40]).all()
    kept = np.delete(np.arange(60), [3, 40])
    alone = wg.neighbor_graph(rows[kept], 4).connectivities.toarray()
    np.testing.assert_array_equal(weights[np.ix_(kept, kept)], alone)


def test_another_number_of_rows_is_refused(scanpy, adata):
    with pytest.raises(InputError, match=r"of 50 rows, but the AnnData object has 300"):
        wg.neighbor_graph(adata.X[:50], 4).add_to(adata)
    assert not adata.obsp
