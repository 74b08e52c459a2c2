"""The nearest others of every row: equal to all distances in float64, sorted."""

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsTransformer, NearestNeighbors

import wellgram as wg
from helpers.nearest_rows import nearest_by_sorting
from wellgram import available_backends

METRICS = ("cosine", "euclidean", "correlation")


def assert_nearest(graph, x, groups=None):
    expected, distances = nearest_by_sorting(x, graph.k, graph.metric, groups)
    np.testing.assert_array_equal(graph.nearest, expected)
    # Sums of the same squares in another order: d roundings of float64, and a square root.
    np.testing.assert_allclose(graph.nearest_distances, distances, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("backend", available_backends())
def test_neighbors_are_the_nearest_on_every_backend(rng, dtype, metric, backend):
    x = (rng.normal(size=(200, 7)) + rng.normal(size=7)).astype(dtype)
    assert_nearest(wg.neighbor_graph(x, 6, metric=metric, backend=backend), x)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("screen", ["none", "int16"])
def test_screens_change_nothing(rng, metric, screen, monkeypatch):
    monkeypatch.setenv("WELLGRAM_SCREEN", screen)
    x = rng.normal(size=(2100, 70)).astype(np.float32)
    assert_nearest(wg.neighbor_graph(x, 15, metric=metric), x)


@pytest.mark.parametrize("metric", METRICS)
def test_neighbors_are_those_of_scikit_learn(rng, metric):
    x = rng.normal(size=(500, 20))
    finder = NearestNeighbors(n_neighbors=10, algorithm="brute", metric=metric).fit(x)
    distances, rows = finder.kneighbors()
    graph = wg.neighbor_graph(x, 10, metric=metric)
    np.testing.assert_array_equal(graph.nearest, rows)
    # scikit-learn takes distances from products, which cancel: 1e-16 of squares near 40.
    np.testing.assert_allclose(graph.nearest_distances, distances, rtol=1e-9)


def test_the_matrix_is_that_of_scikit_learns_transformer(rng):
    x = rng.normal(size=(90, 5))
    expected = KNeighborsTransformer(n_neighbors=4, algorithm="brute").fit_transform(x)
    found = wg.neighbor_graph(x, 4, metric="euclidean").distances
    assert type(found) is type(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-12, atol=1e-7)


def test_a_table_names_wells_and_their_neighbors(rng, tmp_path):
    wells = wg.Wells.from_arrays(rng.normal(size=(9, 3)), list("aabbccddd"))
    graph = wg.neighbor_graph(wells, 2)
    table = graph.table
    assert table.columns.tolist() == [
        "well_id", "perturbation", "row", "rank", "neighbor_well_id", "neighbor_row", "neighbor",
        "distance",
    ]  # fmt: skip
    assert table["neighbor_row"].tolist() == graph.nearest.ravel().tolist()
    assert table["distance"].tolist() == graph.nearest_distances.ravel().tolist()
    first = table.iloc[0]
    assert (first["well_id"], first["rank"]) == ("well 0", 1)
    assert first["neighbor_well_id"] == f"well {graph.nearest[0, 0]}"
    assert first["neighbor"] == "aabbccddd"[graph.nearest[0, 0]]
    graph.save(tmp_path / "graph.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "graph.parquet"), table, check_dtype=False
    )


def test_a_map_has_neighbors_too(rng):
    labels = pd.DataFrame({"perturbation": list("abcde")})
    map_ = wg.PerturbationMap(rng.normal(size=(5, 3)), labels)
    graph = wg.neighbor_graph(map_, 1, metric="correlation")
    assert_nearest(graph, map_.embeddings)
    assert graph.table["neighbor"].tolist() == [list("abcde")[row] for row in graph.nearest[:, 0]]
    assert repr(graph) == "NeighborGraph(5 rows, 1 nearest by correlation)"


def test_progress_reaches_the_whole(rng):
    shares = []
    wg.neighbor_graph(rng.normal(size=(2500, 64)), 5, metric="euclidean", progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
