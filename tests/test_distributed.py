"""Two workers of one thread each give what one process gives, also when one is killed midway."""

import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import wellgram as wg
from helpers.maps_and_wells import make_wells
from helpers.own_consumers import LargestPerRow, SumAbove
from wellgram import InputError
from wellgram.align import alignment
from wellgram.cli import app
from wellgram.distributed import each, team, using
from wellgram.pairs import CountBelow, Histogram, Matrix, Nearest, RowMoments, scan_pairs
from wellgram.simulate import rxrx3_core

dask = pytest.importorskip("dask", reason="dask is not installed")
dask_array = pytest.importorskip("dask.array", reason="dask is not installed")
dask_frame = pytest.importorskip("dask.dataframe", reason="dask[dataframe] is not installed")
distributed = pytest.importorskip("distributed", reason="distributed is not installed")

STREAMED = ["none", "tvn", "robust-mad", "standardize+robust-mad"]


class Cluster(distributed.LocalCluster):
    """One that may hear of a killed worker's end twice.

    Now and then it asks the scheduler which workers there are; where that answer came first, it
    fails when it is closed, with a KeyError, over the message that the worker has gone.
    """

    def _update_worker_status(self, op, msg):
        if op != "remove" or msg in self.scheduler_info["workers"]:
            super()._update_worker_status(op, msg)


@pytest.fixture(scope="module")
def client():
    # A LocalCluster gives a worker up that was not back by then, even if it was back before.
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}):
        cluster = Cluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        )
        with cluster, distributed.Client(cluster) as client:
            yield client


@pytest.fixture(scope="module")
def screen():
    return rxrx3_core(scale=0.01, seed=1, features=16)


@pytest.fixture(scope="module")
def files(screen, tmp_path_factory):
    """A parquet of several row groups, and the metadata."""
    folder = tmp_path_factory.mktemp("screen")
    screen.write(folder)
    path = folder / "OpenPhenom_rxrx3_core_embeddings.parquet"
    pq.write_table(pq.read_table(path), path, row_group_size=400)
    return path, folder / "metadata_rxrx3_core.csv"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts of a row group or two, so that they are put together in more than one step."""
    monkeypatch.setattr("wellgram.stream._PART_BYTES", 500 * 16 * 4)


@pytest.fixture(scope="module")
def rows():
    """Rows of three tiles, some of them equal: ties among neighbours."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4500, 16), dtype=np.float32)
    x[rng.integers(len(x), size=500)] = x[rng.integers(len(x), size=500)]
    return x


def same(found, expected):
    """Maps of float64 sums, put together in another order: their rounding is all that differs.

    That, and the float32 of a map that is written as such.
    """
    pd.testing.assert_frame_equal(found.labels, expected.labels)
    size = np.linalg.norm(expected.embeddings, axis=1).max()
    error = 1e-9 if expected.embeddings.dtype == np.float64 else np.finfo(np.float32).eps
    np.testing.assert_allclose(found.embeddings, expected.embeddings, rtol=0, atol=error * size)


@pytest.mark.parametrize("name", STREAMED)
def test_a_map_is_that_of_one_process(client, files, name):
    wells = wg.open_wells(*files)
    assert len(wells.source.parts(500 * 16 * 4)) > 8
    alone = wg.build_map(wells, alignment(name), dtype="float64")
    same(wg.build_map(wells, alignment(name), dtype="float64", client=client), alone)


def as_dask(screen, kind):
    """The screen as a dataframe of Dask, or as an array and its labels."""
    if kind == "array":
        return dask_array.from_array(screen.embeddings, chunks=(700, 20)), screen.metadata
    frame = pd.DataFrame(screen.embeddings).add_prefix("feature_")
    frame = pd.concat([screen.metadata, frame], axis=1)
    found = dask_frame.from_pandas(frame, npartitions=12)
    return (found.persist() if kind == "persisted" else found), None


@pytest.mark.parametrize("kind", ["frame", "persisted", "array"])
def test_collections_of_dask_are_read_by_partitions(client, screen, kind):
    alone = wg.build_map(screen.wells(), wg.TVN(), dtype="float64")
    wells = wg.open_wells(*as_dask(screen, kind), layout="rxrx3-core")
    same(wg.build_map(wells, wg.TVN(), dtype="float64"), alone)
    same(wg.build_map(wells, wg.TVN(), dtype="float64", client=client), alone)


def test_an_array_of_dask_needs_labels_of_its_rows(screen):
    array, labels = as_dask(screen, "array")
    with pytest.raises(InputError, match="has no labels; give a table"):
        wg.open_wells(array)
    with pytest.raises(InputError, match=f"has {len(labels):,} rows but its labels 9; give"):
        wg.open_wells(array, labels[:9])


def test_a_map_is_the_same_however_often_it_is_made(client, files):
    maps = [wg.map_from_wells(files[0], wg.TVN(), metadata=files[1], client=client) for _ in "ab"]
    np.testing.assert_array_equal(maps[0].embeddings, maps[1].embeddings)


def test_medians_are_those_of_one_process(client, files):
    wells = wg.open_wells(*files)
    alone = wg.build_map(wells, wg.CenterScale(), aggregate="median", dtype="float64")
    there = wg.build_map(
        wells, wg.CenterScale(), aggregate="median", dtype="float64", client=client
    )
    same(there, alone)


@pytest.mark.filterwarnings("ignore:900 rows are averaged into 300 wells")
def test_wells_of_several_rows_stay_together(client, tmp_path):
    rng = np.random.default_rng(0)
    wells, sites = 300, 3
    x = rng.standard_normal((wells * sites, 8))
    table = pd.DataFrame(x, columns=[f"f{j}" for j in range(8)]).assign(
        well_id=np.repeat(np.arange(wells), sites),
        gene=np.repeat(rng.permutation(np.resize(["a", "b", "c", "EMPTY"], wells)), sites),
    )
    table.to_parquet(tmp_path / "sites.parquet", row_group_size=100)
    opened = wg.open_wells(
        tmp_path / "sites.parquet",
        layout="columns",
        perturbation="gene",
        well_id="well_id",
        control="EMPTY",
        features="f*",
    )
    parts = opened.source.parts(100 * 8 * 8)
    assert [len(part.wells) for part in parts] == [300, 300, 300]
    present = [set(part.present.tolist()) for part in parts]
    assert sum(map(len, present)) == len(set.union(*present)) == wells
    alone = wg.build_map(opened, dtype="float64")
    same(wg.build_map(opened, dtype="float64", client=client), alone)


def test_a_bad_value_is_named_with_its_well(client, files, tmp_path):
    table = pq.read_table(files[0])
    values = table.column("feature_3").to_numpy().copy()
    values[1234] = np.nan
    table = table.set_column(table.column_names.index("feature_3"), "feature_3", [values])
    pq.write_table(table, tmp_path / "bad.parquet", row_group_size=400)
    wells = wg.open_wells(tmp_path / "bad.parquet", files[1])
    name = table.column("well_id")[1234].as_py()
    with pytest.raises(InputError, match=rf"bad.parquet, row group 3 hold a NaN .*'{name}'"):
        wg.build_map(wells, wg.TVN(), client=client)


@pytest.mark.parametrize("other", [False, True])
def test_pairs_are_those_of_one_process(client, rows, other):
    more = {"other": rows[:2100] * 2} if other else {}
    for shares in ([0.05, 0.95], [0.5]):
        alone = wg.pair_quantiles(rows, shares, **more).cosines
        assert (wg.pair_quantiles(rows, shares, client=client, **more).cosines == alone).all()
    alone, there = wg.neighbors(rows, 7, **more), wg.neighbors(rows, 7, client=client, **more)
    pd.testing.assert_frame_equal(there.table, alone.table)
    i, j = np.arange(50), np.arange(50, 100)
    pd.testing.assert_frame_equal(
        wg.pair_ranks(rows, i, j, client=client, **more).table,
        wg.pair_ranks(rows, i, j, **more).table,
    )


def test_consumers_find_what_they_find_in_one_process(client, rows):
    asked = [CountBelow((0.1, 0.5)), Histogram(), Nearest(3), RowMoments()]
    asked += [SumAbove(0.1), LargestPerRow(np.arange(len(rows)))]
    alone, there = scan_pairs(rows, asked), scan_pairs(rows, asked, client=client)
    assert there.tiles == alone.tiles
    for one, other in zip(alone.states, there.states, strict=True):
        np.testing.assert_array_equal(other.counts, one.counts)
        np.testing.assert_array_equal(other.values, one.values)


def test_a_matrix_is_written_by_this_process(client, rows):
    out = np.zeros((300, 300), np.float32)
    scan_pairs(rows[:300], [Matrix(out)], client=client)
    assert out[1, 2] != 0


def test_a_map_on_disk_is_read_by_the_workers(client, files, tmp_path, monkeypatch):
    map_ = wg.build_map(wg.open_wells(*files), wg.TVN())
    wg.write_map(map_, tmp_path / "map.parquet")
    monkeypatch.chdir(tmp_path)  # where workers are not
    there = wg.neighbors(wg.open_map("map.parquet"), 5, client=client)
    pd.testing.assert_frame_equal(there.table, wg.neighbors(map_, 5).table)


@pytest.fixture(scope="module")
def replicates():
    """Wells of perturbations that have 2 to 9 each, in three batches."""
    sizes = np.resize(np.arange(2, 10), 40)
    return make_wells(np.random.default_rng(0), sizes, batches=3, dtype=np.float32)


def p_values(wells, client):
    ap = wg.average_precision(wells, pos_sameby="perturbation", neg_diffby="perturbation")
    angles = wg.consistency(wells, null="batches", measure="angle", draws=50, client=client)
    return {
        "consistency": wg.consistency(wells, draws=200, client=client).table,
        "nested": wg.consistency(wells, draws=200, nested=True, client=client).table,
        "batches": wg.consistency(wells, null="batches", draws=200, client=client).table,
        "angle": wg.consistency(wells, measure="angle", draws=50, client=client).table,
        "angle in batches": angles.table,
        "magnitude": wg.magnitude(wells, draws=50, client=client).table,
        "average precision": wg.mean_average_precision(ap, null_size=200, client=client).table,
    }


def test_p_values_are_those_of_one_process(client, replicates):
    alone, there = p_values(replicates, None), p_values(replicates, client)
    for name, table in alone.items():
        pd.testing.assert_frame_equal(there[name], table, obj=name)


def test_a_score_is_that_of_one_process(client, files, screen):
    def score(client):
        return wg.score(
            wg.open_wells(*files),
            wg.TVN(),
            sources={"complexes": screen.relationships},
            metrics=["recall", "consistency"],
            client=client,
        )

    alone, there = score(None), score(client)
    pd.testing.assert_frame_equal(there.recall.table, alone.recall.table, rtol=1e-6)
    tables = (found.parts["consistency"].result.table for found in (there, alone))
    # The same draws, of wells that differ by the rounding of float32.
    pd.testing.assert_frame_equal(*tables, rtol=1e-4)


def score_by(scheduler, files, folder):
    more = ["--align", "tvn", "--metric", "recall", "--scheduler", scheduler, "--out", folder / "o"]
    known = ["--relationships", files[1].parent / "relationships"]
    arguments = [str(word) for word in ("score", files[0], "--metadata", files[1], *known, *more)]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_the_command_line_takes_a_scheduler(client, files, tmp_path):
    assert score_by(client.scheduler.address, files, tmp_path).exit_code == 0
    same(wg.read_map(tmp_path / "o" / "map.parquet"), wg.build_map(wg.open_wells(*files), wg.TVN()))


def test_a_scheduler_that_does_not_answer_is_named(files, tmp_path, monkeypatch):
    monkeypatch.setattr("wellgram.distributed.cluster._CONNECT_SECONDS", 0.2)
    with pytest.raises(InputError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:1'"):
        score_by("tcp://127.0.0.1:1", files, tmp_path)


def test_using_is_a_door_for_whatever_is_within(client, rows):
    assert team() is None
    with using(client):
        assert team().threads == 2
        pids = list(each(_pid, range(20)))
    assert team() is None
    assert os.getpid() not in pids
    assert list(each(_pid, range(2))) == [os.getpid()] * 2


def _pid(_):
    return os.getpid()


def test_results_come_in_the_order_of_the_pieces(client):
    with using(client):
        assert list(each(pow, range(50), shared=(2,))) == [k**2 for k in range(50)]


def test_progress_is_told(client, files):
    told = []
    wg.build_map(wg.open_wells(*files), wg.TVN(), progress=told.append, client=client)
    assert told == sorted(told)
    assert told[-1] == 1


def refused(*args, **options):
    raise AssertionError("this work was for another backend")


def without_cpu(primitives):
    """Refuse, on a worker, all work on the backend that runs where none is named."""
    from wellgram.backends import cpu

    kept = {name: getattr(cpu, name) for name in primitives}
    for name in primitives:
        setattr(cpu, name, refused)
    cpu.kept = kept


def with_cpu():
    from wellgram.backends import cpu

    for name, primitive in cpu.__dict__.pop("kept").items():
        setattr(cpu, name, primitive)


def test_workers_run_the_backend_that_a_call_names(client, files, rows):
    wells = wg.open_wells(*files)
    client.wait_for_workers(2, timeout=60)
    client.run(without_cpu, ["apply_affine", "group_moments", "group_sums", "null_means",
                             "pair_scan", "random_subsets", "row_faults", "unit_rows"])  # fmt: skip
    try:
        options = {"client": client, "backend": "reference"}
        wg.build_map(wells, wg.TVN(), **options)
        wg.neighbors(rows[:2100], 5, other=rows[:50], **options)  # two tiles
        wg.consistency(wells, null="batches", draws=5, **options)
        wg.magnitude(wells, max_controls=50, draws=5, **options)
        with pytest.raises(AssertionError, match="for another backend"):
            wg.neighbors(rows[:2100], 5, other=rows[:50], client=client)
    finally:
        client.run(with_cpu)


def killed_once(name, marker):
    """Make a function of wellgram, on a worker, kill it the first time any worker calls it."""
    from importlib import import_module

    module, _, attribute = name.rpartition(".")
    try:
        owner = import_module(module)
    except ImportError:
        above, _, kind = module.rpartition(".")
        owner = getattr(import_module(above), kind)
    real = getattr(owner, attribute)

    def deadly(*args, **kwargs):
        try:
            Path(marker).touch(exist_ok=False)
        except FileExistsError:
            return real(*args, **kwargs)
        return os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, attribute, deadly)


@pytest.fixture
def deadly(client, tmp_path):
    """Have a function kill the first worker that calls it; check that one did."""
    marker = tmp_path / "killed"

    def arm(name):
        client.wait_for_workers(2, timeout=60)
        client.run(killed_once, name, str(marker))

    yield arm
    assert marker.exists()
    client.wait_for_workers(2, timeout=60)


CPU = "wellgram.backends.cpu."


@pytest.mark.parametrize(
    "stage",
    [
        CPU + "group_moments",
        CPU + "group_sums",
        "wellgram.folds.GroupSums.plus",  # of parts that are lost with the worker, all or some
    ],
)
def test_a_worker_lost_midway_changes_nothing_in_a_map(client, deadly, files, stage):
    wells = wg.open_wells(*files)
    before = wg.build_map(wells, wg.TVN(), dtype="float64", client=client)
    deadly(stage)
    after = wg.build_map(wells, wg.TVN(), dtype="float64", client=client)
    np.testing.assert_array_equal(after.embeddings, before.embeddings)


@pytest.mark.parametrize(
    "stage",
    [CPU + "pair_scan", CPU + "unit_rows", "wellgram.pairs.unit_rows.UnitRows.__setstate__"],
)
def test_a_worker_lost_midway_changes_nothing_in_neighbours(client, deadly, rows, stage):
    alone = wg.neighbors(rows, 5)
    deadly(stage)
    there = wg.neighbors(rows, 5, client=client)
    pd.testing.assert_frame_equal(there.table, alone.table)


def test_sending_begins_again_if_the_scheduler_misses_a_worker(client, rows, monkeypatch):
    """It looks workers up after it has sent to them: a KeyError if one has gone by then."""
    scatter, missed = client.scatter, []

    def once(*args, **options):
        if not missed:
            missed.append("tcp://127.0.0.1:1")
            raise KeyError(missed[0])
        return scatter(*args, **options)

    monkeypatch.setattr(client, "scatter", once)
    there = wg.neighbors(rows, 5, client=client)
    assert missed
    pd.testing.assert_frame_equal(there.table, wg.neighbors(rows, 5).table)


def test_a_worker_lost_midway_changes_nothing_in_quantiles(client, deadly, rows):
    alone = wg.pair_quantiles(rows, [0.05, 0.95])
    deadly("wellgram.backends.consumers.consumer.Counting.merge")
    there = wg.pair_quantiles(rows, [0.05, 0.95], client=client)
    assert (there.cosines == alone.cosines).all()


@pytest.mark.parametrize(
    ("primitive", "score"),
    [("null_means", wg.consistency), ("random_subsets", wg.magnitude)],
)
def test_a_worker_lost_midway_changes_nothing_in_p_values(
    client, deadly, replicates, primitive, score
):
    alone = score(replicates, draws=200)
    deadly(CPU + primitive)
    there = score(replicates, draws=200, client=client)
    pd.testing.assert_frame_equal(there.table, alone.table)


def test_rows_lost_with_the_only_worker_are_sent_again(deadly_alone, rows):
    client, arm = deadly_alone
    alone = wg.neighbors(rows, 5)
    arm(CPU + "pair_scan")
    there = wg.neighbors(rows, 5, client=client)
    pd.testing.assert_frame_equal(there.table, alone.table)


@pytest.fixture
def deadly_alone(client, tmp_path):
    """A cluster of one worker, and what arms a function there."""
    client.cluster.scale(1)
    client.wait_for_workers(1, timeout=60)
    yield client, lambda name: client.run(killed_once, name, str(tmp_path / "killed"))
    assert (tmp_path / "killed").exists()
    client.cluster.scale(2)
    client.wait_for_workers(2, timeout=60)


def test_a_cluster_without_workers_is_named(rows):
    options = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(n_workers=0, **options) as cluster,
        distributed.Client(cluster) as client,
        pytest.raises(InputError, match=r"tcp://127.0.0.1:[0-9]+ has no workers; start some"),
    ):
        wg.neighbors(rows, 2, client=client)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("across", [None, "batch"])
def test_a_graph_of_neighbors_is_the_same(client, rng, metric, across):
    batch = rng.integers(0, 3, 5000)
    wells = wg.Wells.from_arrays(rng.normal(size=(5000, 8)), ["p"] * 5000, batch=batch)
    alone = wg.neighbor_graph(wells, 5, metric=metric, across=across)
    shared = wg.neighbor_graph(wells, 5, metric=metric, across=across, client=client)
    np.testing.assert_array_equal(shared.nearest, alone.nearest)
    np.testing.assert_array_equal(shared.nearest_distances, alone.nearest_distances)
