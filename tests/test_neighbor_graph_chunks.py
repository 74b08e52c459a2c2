"""Graphs made some rows at a time, resumed after a stop, and across groups: always the same."""

import pickle

import numpy as np
import pytest

import wellgram as wg
from helpers.nearest_rows import nearest_by_sorting
from wellgram import InputError
from wellgram.errors import NotApplicable
from wellgram.graphs import search
from wellgram.graphs.measures import Cosine
from wellgram.graphs.vectors import Vectors

METRICS = ("cosine", "euclidean")


@pytest.fixture
def wells(rng):
    """1,000 wells: a batch of 300, some of about a hundred, and many of a few."""
    batch = np.concatenate([np.zeros(300, int), rng.integers(1, 5, 400), rng.integers(5, 90, 300)])
    rng.shuffle(batch)
    x = rng.normal(size=(1000, 20)).astype(np.float32)
    return wg.Wells.from_arrays(x, ["p"] * 1000, batch=batch)


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(search, "_CHUNK_ROWS", 300)
    monkeypatch.setattr(search, "_KEPT_CHUNK_ROWS", 300)


def expected(wells, k, metric, across):
    groups = None if across is None else wells.metadata["batch"].to_numpy()
    return nearest_by_sorting(wells.embeddings, k, metric, groups)[0]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("across", [None, "batch"])
def test_chunks_of_rows_give_the_same_graph(wells, metric, across, small_chunks):
    graph = wg.neighbor_graph(wells, 7, metric=metric, across=across)
    np.testing.assert_array_equal(graph.nearest, expected(wells, 7, metric, across))


@pytest.mark.parametrize("metric", METRICS)
def test_neighbors_are_of_other_batches(wells, metric):
    graph = wg.neighbor_graph(wells, 7, metric=metric, across="batch")
    np.testing.assert_array_equal(graph.nearest, expected(wells, 7, metric, "batch"))
    batch = wells.metadata["batch"].to_numpy()
    assert (batch[graph.nearest] != batch[:, None]).all()


@pytest.mark.parametrize("metric", METRICS)
def test_vectors_that_are_made_a_chunk_at_a_time(rng, metric, monkeypatch):
    """Groups end within chunks of 2,048 rows, and chunks within groups."""
    monkeypatch.setattr("wellgram.pairs.unit_rows._CHUNK_BYTES", 1)
    batch = rng.integers(0, 3, 5000)
    x = rng.normal(size=(5000, 4)).astype(np.float32)
    many = wg.Wells.from_arrays(x, ["p"] * 5000, batch=batch)
    for across in (None, "batch"):
        graph = wg.neighbor_graph(many, 3, metric=metric, across=across)
        np.testing.assert_array_equal(graph.nearest, expected(many, 3, metric, across))


def test_vectors_go_elsewhere_with_the_rows_they_are_made_of(rng):
    x = rng.normal(size=(5000, 8))
    made = Vectors(x, np.array([7, 4000, 3]), Cosine().left, 8, np.dtype("float32"))
    sent = pickle.dumps(made)
    assert len(sent) < 2 * made.nbytes + 1000 < x.nbytes
    np.testing.assert_array_equal(pickle.loads(sent)[0:3], made[0:3])


def test_a_group_of_one_well_has_neighbors(rng):
    wells = wg.Wells.from_arrays(rng.normal(size=(6, 3)), ["p"] * 6, batch=list("aaabbc"))
    graph = wg.neighbor_graph(wells, 2, across="batch")
    np.testing.assert_array_equal(graph.nearest, expected(wells, 2, "cosine", "batch"))


def test_neighbors_across_any_column(rng):
    wells = wg.Wells.from_arrays(rng.normal(size=(8, 3)), list("ppqqrrss"))
    graph = wg.neighbor_graph(wells, 3, across="perturbation")
    named = wells.metadata["perturbation"].to_numpy()
    assert (named[graph.nearest] != named[:, None]).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("across", [None, "batch"])
def test_an_interrupted_graph_goes_on_where_it_stopped(
    wells, metric, across, small_chunks, tmp_path, monkeypatch
):
    folder = tmp_path / "unfinished"
    passes = []
    scan = search.scan

    def counted(*args, **options):
        passes.append(1)
        if len(passes) == 3:
            raise KeyboardInterrupt
        return scan(*args, **options)

    monkeypatch.setattr(search, "scan", counted)
    options = {"metric": metric, "across": across, "unfinished": folder}
    with pytest.raises(KeyboardInterrupt):
        wg.neighbor_graph(wells, 7, **options)
    assert list(folder.iterdir())
    graph = wg.neighbor_graph(wells, 7, **options)
    whole = 10 if metric == "cosine" else 4  # pairs of 4 chunks, or chunks
    assert len(passes) == whole + 1  # the one that was stopped is made again
    np.testing.assert_array_equal(graph.nearest, expected(wells, 7, metric, across))
    assert not folder.exists()


def test_what_another_graph_left_is_not_taken_up(wells, small_chunks, tmp_path, monkeypatch):
    def stopped(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(search.Search, "_settle", stopped)
        with pytest.raises(KeyboardInterrupt):
            wg.neighbor_graph(wells, 7, unfinished=tmp_path)
    kept = list(tmp_path.iterdir())
    other = wells.with_embeddings(wells.embeddings[::-1].copy())
    graph = wg.neighbor_graph(other, 7, unfinished=tmp_path)
    np.testing.assert_array_equal(graph.nearest, expected(other, 7, "cosine", None))
    assert list(tmp_path.iterdir()) == kept  # which is there for the graph that left it


def test_what_is_damaged_is_made_again(wells, small_chunks, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(search.Search, "_settle", lambda *args: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError):  # noqa: PT011 - of the line above
            wg.neighbor_graph(wells, 7, unfinished=tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    graph = wg.neighbor_graph(wells, 7, unfinished=tmp_path)
    np.testing.assert_array_equal(graph.nearest, expected(wells, 7, "cosine", None))


def test_one_group_has_no_others(rng):
    wells = wg.Wells.from_arrays(rng.normal(size=(4, 3)), ["p"] * 4, batch=["a"] * 4)
    with pytest.raises(NotApplicable, match=r"one value in column 'batch'.*across="):
        wg.neighbor_graph(wells, 1, across="batch")


def test_too_few_others_are_named(wells):
    most = int((wells.metadata["batch"] != "0").sum())
    wg.neighbor_graph(wells, most, across="batch")
    with pytest.raises(InputError, match=rf"batch '0' have {most} others; ask for fewer \(k=\)"):
        wg.neighbor_graph(wells, most + 1, across="batch")
