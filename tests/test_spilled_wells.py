"""Wells too large for memory: every benchmark from a file of aligned wells, to the same bits."""

import json
import os

import numpy as np
import pandas as pd
import pytest

import wellgram as wg
from helpers.maps_and_wells import make_wells
from wellgram import InputError, open_wells
from wellgram.files.spill_file import SpillFile
from wellgram.metrics import compared_wells
from wellgram.simulate import rxrx3_core
from wellgram.stream import WellStream
from wellgram.suite import contract, score

FEATURES = 16
METRICS = ["consistency", "magnitude", "average-precision", "batch-effects"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("screen")
    rxrx3_core(scale=0.01, seed=1, features=FEATURES).write(folder)
    return folder


def opened(folder):
    return open_wells(
        folder / "OpenPhenom_rxrx3_core_embeddings.parquet", folder / "metadata_rxrx3_core.csv"
    )


def tables_of(result):
    return {
        name: table
        for part in result.parts.values()
        for name, table in part.findings.tables.items()
    }


def scored(folder, spill, **options):
    return score(
        opened(folder), wg.TVN(), metrics=METRICS, seed=2, spill_folder=str(spill), **options
    )


@pytest.mark.parametrize("rows_at_once", [1 << 20, 600])
def test_figures_are_those_of_wells_in_memory(files, tmp_path, monkeypatch, rows_at_once):
    """Where rows that are compared are taken at once, and where that takes several times."""
    in_memory = scored(files, tmp_path)
    assert set(in_memory.parts) == set(METRICS)
    monkeypatch.setattr(contract, "HELD_BYTES", 0)
    monkeypatch.setattr(compared_wells, "_BYTES_AT_ONCE", 4 * FEATURES * rows_at_once)
    by_file = scored(files, tmp_path)
    for name, table in tables_of(in_memory).items():
        pd.testing.assert_frame_equal(tables_of(by_file)[name], table, check_exact=True)
    assert os.listdir(tmp_path) == []


def test_the_null_of_permuted_labels_is_drawn_from_a_file_too(tmp_path, rng, monkeypatch):
    wells = make_wells(rng, (4, 5), effect=0.5)
    frame = pd.DataFrame(wells.embeddings).rename(columns=lambda k: f"feature_{k}")
    frame = frame.assign(**wells.metadata[["well_id", "perturbation"]], batch="1")
    frame.to_parquet(tmp_path / "wells.parquet")
    control = wells.metadata.loc[wells.metadata["is_control"], "perturbation"].iloc[0]

    def tables():
        stream = open_wells(
            tmp_path / "wells.parquet",
            layout="columns",
            perturbation="perturbation",
            batch="batch",
            control=control,
            well_id="well_id",
        )
        options = {"metrics": ["average-precision"], "average_precision_null": "labels"}
        return tables_of(score(stream, spill_folder=str(tmp_path), **options))

    in_memory = tables()
    monkeypatch.setattr(contract, "HELD_BYTES", 0)
    for name, table in tables().items():
        assert set(table["null"]) == {"permuted labels"}
        pd.testing.assert_frame_equal(table, in_memory[name], check_exact=True)


def test_a_folder_without_room_is_told_before_embeddings_are_read(files, monkeypatch):
    monkeypatch.setattr(contract, "HELD_BYTES", 0)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: _Usage(1000))
    with pytest.raises(InputError, match=r"aligned wells take 0\.0 GB, but .* has 0\.0 GB free"):
        score(_unreadable(opened(files)), wg.TVN(), spill_folder="/tmp")


@pytest.mark.parametrize("folder", ["/proc", "/no/such/folder"])
def test_a_folder_that_cannot_be_written_to(files, monkeypatch, folder):
    monkeypatch.setattr(contract, "HELD_BYTES", 0)
    with pytest.raises(InputError, match=f"'{folder}'.*--spill"):
        score(_unreadable(opened(files)), wg.TVN(), spill_folder=folder)


def test_nothing_is_left_behind_by_a_run_that_is_interrupted(files, tmp_path, monkeypatch):
    monkeypatch.setattr(contract, "HELD_BYTES", 0)

    def interrupted(self, places, rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(SpillFile, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scored(files, tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_file_that_changes_between_passes_is_named(files, tmp_path, monkeypatch):
    path = tmp_path / "OpenPhenom_rxrx3_core_embeddings.parquet"
    for file in ("OpenPhenom_rxrx3_core_embeddings.parquet", "metadata_rxrx3_core.csv"):
        (tmp_path / file).write_bytes((files / file).read_bytes())
    stream = opened(tmp_path)
    list(stream.chunks())
    os.utime(path, ns=(1, 1))
    with pytest.raises(InputError, match=f"{path.name} has changed since it was opened"):
        list(stream.chunks())
    path.unlink()
    with pytest.raises(InputError, match=f"{path.name} has changed since it was opened"):
        wg.TVN().fit(stream)


@pytest.mark.parametrize("held", [0, 2 << 30])
def test_wells_that_are_zero_once_aligned_are_counted_and_left_out(
    tmp_path, rng, monkeypatch, held
):
    """Every well of b is at the centre of its controls, which is where it is moved to."""
    x = rng.normal(size=(60, 4)).astype(np.float32)
    names = np.repeat(["c", "a", "b", "d", "e", "f"], 10)
    batch = np.tile(["1", "2"], 30)
    for own in ("1", "2"):
        controls = (names == "c") & (batch == own)
        x[controls] = rng.normal(size=(5, 4)) + int(own)
        near = 1e-6 * rng.normal(size=(5, 4))
        x[(names == "b") & (batch == own)] = x[controls].mean(axis=0) + near
    frame = pd.DataFrame(x, columns=[f"feature_{k}" for k in range(4)])
    frame = frame.assign(perturbation=names, batch=batch, well_id=[f"w{k}" for k in range(60)])
    frame.to_parquet(tmp_path / "wells.parquet")
    monkeypatch.setattr(contract, "HELD_BYTES", held)
    stream = open_wells(
        tmp_path / "wells.parquet",
        layout="columns",
        perturbation="perturbation",
        batch="batch",
        control="c",
        well_id="well_id",
        features="feature_*",
    )
    result = score(stream, _Centred(), metrics=METRICS[:3], spill_folder=str(tmp_path))
    (note,) = [note for note in result.record.notes if "zeros" in note]
    assert note.startswith("10 wells are nothing but zeros once they are aligned")
    assert "w20, w21" in note
    assert json.dumps(result.summary)
    for name in ("consistency", "magnitude", "average_precision"):
        assert "b" not in set(tables_of(result)[name]["perturbation"])
        assert {"a", "d"} <= set(tables_of(result)[name]["perturbation"])


class _Centred(wg.CenterScale):
    """Rounds what is left of a well at the centre."""

    def transform_sample(self, sample):
        centred = super().transform_sample(sample)
        return centred.mapped(
            lambda rows, codes: np.where(np.abs(rows) < 1e-4, 0, rows).astype(rows.dtype),
            np.zeros(len(sample.codes), np.int64),
            sample.width,
        )


def test_rows_of_a_file_in_any_order(tmp_path, rng):
    rows = rng.normal(size=(500, 7)).astype(np.float32)
    file = SpillFile(tmp_path, 500, 9, np.float32)
    file.narrow(7)
    order = rng.permutation(500)
    for part in np.array_split(order, 6):
        file.write(part, rows[part])
    for places in (order[:200], np.arange(500), np.array([3, 3, 2]), np.empty(0, np.int64)):
        np.testing.assert_array_equal(file.read(places), rows[places])
    with pytest.raises(InputError, match="8 features, but their file was made for 7"):
        file.narrow(8)
    file.close()


class _Usage:
    def __init__(self, free):
        self.free = free


def _unreadable(stream):
    """The stream, whose embeddings must not be looked at."""

    def source():
        raise AssertionError("embeddings are read")

    return WellStream(stream.metadata, stream.width, stream.dtype, source, stream.origin)
