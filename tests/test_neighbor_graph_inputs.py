"""What a graph is made of: files, rows without a distance, and what cannot be used."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import wellgram as wg
from helpers.nearest_rows import nearest_by_sorting
from wellgram import InputError
from wellgram.errors import ColumnMissing, MissingPackage, NotEnoughMemory
from wellgram.graphs import row_store, search


@pytest.fixture
def x(rng):
    return rng.normal(size=(400, 6)).astype(np.float32)


@pytest.fixture
def wells_file(x, tmp_path):
    frame = pd.DataFrame(x, columns=[f"f{j}" for j in range(6)])
    frame.insert(0, "perturbation", "p")
    frame.to_parquet(tmp_path / "wells.parquet", row_group_size=64)
    return tmp_path / "wells.parquet"


def open_file(path):
    features = [f"f{j}" for j in range(6)]
    return wg.open_wells(
        path, layout="columns", perturbation="perturbation", control=None, features=features
    )


@pytest.fixture
def on_disk(monkeypatch):
    """Rows of files are copied to a file, however few they are."""
    monkeypatch.setattr(row_store, "_IN_MEMORY", 0)


def nearest(x):
    return nearest_by_sorting(x, 5, "cosine")[0]


def test_a_stream_of_wells_is_read_once(wells_file, x, on_disk, tmp_path):
    passes = []
    stream = open_file(wells_file)
    source = stream.source
    object.__setattr__(stream, "source", lambda: passes.append(1) or source())
    graph = wg.neighbor_graph(stream, 5, scratch=tmp_path)
    np.testing.assert_array_equal(graph.nearest, nearest(x))
    assert passes == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["wells.parquet"]  # no copy is left


def test_a_map_on_disk(x, tmp_path, on_disk):
    labels = pd.DataFrame({"perturbation": [f"p{i}" for i in range(len(x))]})
    wg.write_map(wg.PerturbationMap(x, labels), tmp_path / "map.parquet")
    graph = wg.neighbor_graph(wg.open_map(tmp_path / "map.parquet"), 5)
    np.testing.assert_array_equal(graph.nearest, nearest(x))
    assert graph.table["neighbor"].iloc[0] == f"p{graph.nearest[0, 0]}"


def test_a_memory_map_stays_where_it_is(x, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", x)
    monkeypatch.setattr(row_store, "_room", None)  # which would copy it
    graph = wg.neighbor_graph(np.load(tmp_path / "x.npy", mmap_mode="r"), 5)
    np.testing.assert_array_equal(graph.nearest, nearest(x))


def test_a_file_that_changes_meanwhile_is_refused(x, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r+")
    scan = search.scan

    def changing(*args, **options):
        mapped[300, 2] += 1
        return scan(*args, **options)

    monkeypatch.setattr(search, "scan", changing)
    with pytest.raises(InputError, match=r"file of the rows has changed.*run again"):
        wg.neighbor_graph(mapped, 5)


def test_a_folder_without_room_is_named(wells_file, on_disk, tmp_path, monkeypatch):
    usage = SimpleNamespace(free=1000)
    monkeypatch.setattr(row_store.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match=r"take 0\.00 GB, but the folder .* has .*scratch="):
        wg.neighbor_graph(open_file(wells_file), 5, scratch=tmp_path)


def test_a_folder_that_is_not_there_is_named(wells_file, on_disk, tmp_path):
    with pytest.raises(InputError, match=r"cannot be written to the folder .*nowhere.*scratch="):
        wg.neighbor_graph(open_file(wells_file), 5, scratch=tmp_path / "nowhere")


def test_a_folder_for_unfinished_work_that_cannot_be_made_is_named(x, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be made .*unfinished="):
        wg.neighbor_graph(x, 5, unfinished=tmp_path / "file" / "folder")


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_wells_without_a_distance_are_left_out_by_name(x, metric):
    rows = x.copy()
    rows[[7, 30]] = 0 if metric == "cosine" else [[0.5], [-3]]
    wells = wg.Wells.from_arrays(x, ["p"] * len(x)).with_embeddings(rows)
    graph = wg.neighbor_graph(wells, 5, metric=metric)
    assert graph.left_out.tolist() == [7, 30]
    assert graph.left_out_names == ["well 7", "well 30"]
    assert repr(graph).endswith("2 left out)")
    kept = np.delete(np.arange(len(x)), [7, 30])
    alone = wg.neighbor_graph(rows[kept], 5, metric=metric)
    np.testing.assert_array_equal(graph.nearest[kept], kept[alone.nearest])
    assert (graph.nearest[[7, 30]] == -1).all()
    assert np.isnan(graph.nearest_distances[[7, 30]]).all()
    assert graph.distances.getnnz(axis=1)[[6, 7]].tolist() == [6, 0]
    assert set(graph.table["row"]) == set(kept)


def test_zero_rows_have_euclidean_distances(x):
    x[7] = 0
    graph = wg.neighbor_graph(x, 5, metric="euclidean")
    np.testing.assert_array_equal(graph.nearest, nearest_by_sorting(x, 5, "euclidean")[0])


@pytest.mark.parametrize(
    ("k", "words"),
    [
        (400, r"400 neighbors are asked for, but each of 400 rows with a distance has 399 others"),
        (0, "must be 1 or more, not k=0"),
        (2.5, "k"),
        (True, "k"),
    ],
)
def test_numbers_of_neighbors_that_cannot_be_had(x, k, words):
    with pytest.raises(InputError, match=words):
        wg.neighbor_graph(x, k)


def test_the_most_neighbors_that_can_be_had(x):
    graph = wg.neighbor_graph(x, 399)
    np.testing.assert_array_equal(graph.nearest, nearest_by_sorting(x, 399, "cosine")[0])


@pytest.mark.parametrize("rows", [0, 1])
def test_rows_without_others(rows):
    with pytest.raises(InputError, match=r"has 0 others; ask for fewer"):
        wg.neighbor_graph(np.ones((rows, 3)), 1)


def test_a_row_that_is_not_finite_is_named(x):
    x[12, 3] = np.nan
    with pytest.raises(InputError, match=r"1 rows hold a NaN or an Inf \(first: row 12\)"):
        wg.neighbor_graph(x, 5)


def test_an_unknown_metric_is_named(x):
    with pytest.raises(InputError, match=r"unknown metric 'manhattan'; .*'cosine', 'euclidean'"):
        wg.neighbor_graph(x, 5, metric="manhattan")


def test_a_column_that_is_not_there_is_named(x):
    wells = wg.Wells.from_arrays(x, ["p"] * len(x))
    with pytest.raises(ColumnMissing, match=r"no column 'plate' \(across=\); there are well_id"):
        wg.neighbor_graph(wells, 5, across="plate")
    with pytest.raises(InputError, match=r"rows without labels have no column 'plate'"):
        wg.neighbor_graph(x, 5, across="plate")


def test_a_column_without_a_value_is_named(x):
    wells = wg.Wells.from_arrays(x, ["p"] * len(x))
    wells.metadata["plate"] = ["a", None] + ["b"] * (len(x) - 2)
    with pytest.raises(InputError, match=r"1 rows have no value in column 'plate' .*'well 1'"):
        wg.neighbor_graph(wells, 5, across="plate")


def test_connectivities_without_umap_learn_say_how_to_install_it(x, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap.umap_", None)
    with pytest.raises(MissingPackage, match=r"pip install 'wellgram\[umap\]'"):
        _ = wg.neighbor_graph(x, 5).connectivities


def test_more_neighbors_than_memory_holds(rng, monkeypatch):
    monkeypatch.setattr("wellgram.backends.free_memory.free_bytes", lambda: 1 << 26)
    with pytest.raises(NotEnoughMemory, match=r"2,000 rows, 1,900 neighbors each.*\(k=\)"):
        wg.neighbor_graph(rng.normal(size=(2000, 3)), 1900)
