"""The backend that a call names does all of its work, now, later, in threads and elsewhere."""

import inspect
import pickle
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import wellgram as wg
from helpers.backend_calls import CALLS, given
from helpers.small_screens import write_csv
from wellgram import BackendUnavailable, metrics, nulls, pairs, probes
from wellgram.backends import cpu, get_backend, named_backend, takes_backend, using_backend
from wellgram.backends.protocol import Kernels
from wellgram.metrics import legacy
from wellgram.pairs import UnitRows
from wellgram.probes import Logistic
from wellgram.simulate import rxrx3_core

ABOUT = {"name", "why_not", "describe", "arrays"}
PRIMITIVES = {word for word in vars(Kernels) if word[0] != "_"} - ABOUT


@contextmanager
def no_cpu():
    """Refuse all work on the backend that runs where none is named."""

    def refused(name):
        def primitive(*args, **options):
            raise AssertionError(f"cpu.{name} was called")

        return primitive

    with pytest.MonkeyPatch.context() as patch:
        for name in PRIMITIVES:
            patch.setattr(cpu, name, refused(name))
        yield


@pytest.fixture(scope="module")
def some():
    return given()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_backend_named_does_all_work(some, name):
    with no_cpu():
        CALLS[name](some, "reference")
        with pytest.raises(AssertionError, match=r"cpu\.\w+ was called"):
            CALLS[name](some, None)


def test_every_public_taker_of_a_backend_is_called():
    public = {
        name: getattr(room, name)
        for room in (wg, metrics, legacy, nulls, pairs, probes)
        for name in room.__all__
    }
    takers = {name for name, thing in public.items() if "backend" in parameters(thing)}
    assert takers == CALLS.keys()


def parameters(thing):
    if not (inspect.isfunction(thing) or inspect.isclass(thing)):
        return {}
    try:
        return inspect.signature(thing).parameters
    except ValueError:  # an exception, which has none of its own
        return {}


@takes_backend
def named(*, backend=None):
    return named_backend()


@takes_backend
def outer(*, inner=None, backend=None):
    return named_backend(), named(backend=inner), named_backend()


def test_the_innermost_call_that_names_one_decides():
    assert outer() == (None, None, None)
    assert outer(backend="numba") == ("numba", "numba", "numba")
    assert outer(backend="numba", inner="reference") == ("numba", "reference", "numba")


def test_a_call_names_its_backend_before_what_is_set(monkeypatch):
    monkeypatch.setattr("wellgram.backends._chosen", "numba")
    assert get_backend().name == "numba"
    with using_backend("reference"):
        assert get_backend().name == "reference"
        assert get_backend("cpu").name == "cpu"


def test_a_call_that_fails_leaves_nothing_named():
    @takes_backend
    def failing(*, backend=None):
        raise KeyError(named_backend())

    with pytest.raises(KeyError, match="reference"):
        failing(backend="reference")
    assert named_backend() is None


def test_a_backend_that_cannot_run_is_refused_before_any_work():
    with pytest.raises(BackendUnavailable, match="'tpu'"):
        wg.pair_quantiles("no map", [7.0], backend="tpu")


@pytest.fixture(scope="module")
def screen():
    return rxrx3_core(scale=0.01, seed=1, features=8)


@pytest.fixture
def stream(screen, tmp_path):
    """Wells of many small files, which are read side by side in threads, a column per feature."""
    columns = {f"feature_{j}": column for j, column in enumerate(screen.embeddings.T)}
    table = pa.table({"well_id": screen.metadata["well_id"].to_numpy(), **columns})
    for k, first in enumerate(range(0, len(table), 300)):
        (tmp_path / f"P{k}").mkdir()
        pq.write_table(table[first : first + 300], tmp_path / f"P{k}" / "embeddings.parquet")
    labels = write_csv(tmp_path / "m.csv", screen.metadata)
    return wg.open_wells(tmp_path, labels, layout="rxrx3")


@pytest.mark.parametrize("aggregate", ["mean", "median", "spherical-mean"])
def test_the_backend_named_does_all_work_of_a_stream(stream, aggregate):
    with no_cpu():
        wg.build_map(stream, wg.TVN(), aggregate=aggregate, backend="reference")
        wg.consistency(stream, wg.CenterScale(), draws=5, backend="reference")


def test_a_stream_of_aligned_wells_keeps_its_backend(stream, monkeypatch):
    align = wg.CenterScale().fit(stream)
    expected = align.transform(stream.read(), backend="reference")
    aligned = align.transform(stream, backend="reference")
    monkeypatch.setattr(cpu, "apply_affine", None)
    np.testing.assert_array_equal(aligned.read().embeddings, expected)


def test_a_function_of_chunks_runs_on_the_backend_named_when_it_was_given(stream):
    used = []

    def rows_of(chunk):
        used.append(get_backend().name)
        return chunk.rows

    with using_backend("reference"):
        once = stream.mapped(rows_of, stream.features)
    twice = once.mapped(rows_of, stream.features)
    with using_backend("numba"):
        between = [get_backend().name for _ in twice.chunks()]
    assert used == ["reference", "numba"] * len(between)
    assert set(between) == {"numba"}  # of the reader, while it has a chunk


@pytest.fixture
def read_again(monkeypatch):
    """A map of more chunks than are kept, so that a lookup reads rows and scales them again."""
    monkeypatch.setattr("wellgram.pairs.unit_rows._CHUNK_BYTES", 1)
    rows = np.random.default_rng(0).normal(size=(3 * 2048 + 5, 2))
    labels = {"perturbation": [f"p{k}" for k in range(len(rows))]}
    return wg.PerturbationMap(rows, pd.DataFrame(labels))


def test_a_lookup_keeps_its_backend(read_again):
    lookup = wg.MapLookup(read_again, backend="reference")
    expected = wg.neighbors_of(read_again, "p7", backend="reference")
    with no_cpu():
        found = lookup.neighbors_of("p7")
    pd.testing.assert_frame_equal(found.table, expected.table)


def test_rows_keep_their_backend_wherever_they_go(read_again):
    with using_backend("reference"):
        rows = UnitRows(read_again)
    with no_cpu():
        sent = pickle.loads(pickle.dumps(rows))
        i, j = np.array([0, 5000]), np.array([6000, 1])
        for of in (rows, sent, rows.some(np.arange(rows.n))):
            assert of.run.name == "reference"
            np.testing.assert_array_equal(of.cosines(i, j), rows.cosines(i, j))


def test_a_probe_keeps_its_backend(some):
    probe = Logistic(some.wells.embeddings, some.codes, 6, backend="reference")
    with no_cpu():
        probe.fit(1.0)
