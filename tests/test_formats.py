"""Formats added from outside the package: whatever takes a file takes theirs."""

import gzip
import pickle
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.json
import pytest

import wellgram as wg
from helpers.small_screens import plate, rxrx3_core, write_csv
from wellgram import InputError
from wellgram.io import (
    FORMATS,
    ArrowTable,
    Format,
    Part,
    Table,
    map_table,
    open_blocks,
    register_format,
    source_of,
)
from wellgram.io.formats import open_table


@pytest.fixture(autouse=True)
def registry():
    """What a test registers is gone after it."""
    with patch.dict(FORMATS):
        yield


# JSON lines: no types, no parts, no maps written


def open_json_lines(place, name):
    def read():
        with source_of(place) as source:
            return pa.json.read_json(source)

    def batches(columns):
        return read().select(columns).to_batches()

    return ArrowTable(read().schema, name, batches, place=place, parsed_whole=True)


JSON_LINES = Format("JSON lines", (".jsonl", ".jsonl.gz"), open_json_lines)


def write_lines(path, frame):
    data = frame.to_json(orient="records", lines=True).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.fixture
def json_lines():
    register_format(JSON_LINES)


def wide(values, metadata):
    features = {f"feature_{j}": column.astype(float).round(6) for j, column in enumerate(values.T)}
    return pd.DataFrame({"well_id": metadata["well_id"], **features})


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
@pytest.mark.parametrize("get", [wg.read_wells, wg.open_wells])
def test_wells_and_their_metadata(tmp_path, json_lines, suffix, get):
    values, metadata = rxrx3_core()
    given = write_csv(tmp_path / "e.csv", wide(values, metadata))
    expected = get(given, write_csv(tmp_path / "m.csv", metadata))
    files = (
        write_lines(tmp_path / f"e{suffix}", wide(values, metadata)),
        write_lines(tmp_path / f"m{suffix}", metadata),
    )
    wells = get(*files)
    pd.testing.assert_frame_equal(wells.metadata, expected.metadata)
    if get is wg.open_wells:
        wells, expected = wells.read(), expected.read()
    np.testing.assert_array_equal(wells.embeddings, expected.embeddings)


def test_wells_at_a_url(tmp_path, json_lines):
    fsspec = pytest.importorskip("fsspec")
    path = write_lines(tmp_path / "plate.jsonl.gz", plate())
    url = f"memory://{tmp_path.name}/plate.jsonl.gz"
    with fsspec.open(url, "wb") as file:
        file.write(path.read_bytes())
    here, there = (wg.read_wells(where, layout="cell-painting") for where in (path, url))
    np.testing.assert_array_equal(there.embeddings, here.embeddings)
    pd.testing.assert_frame_equal(there.metadata, here.metadata)


def test_a_file_that_is_parsed_whole_is_parsed_once_if_it_is_small(tmp_path, monkeypatch):
    parsed = []

    def opened(place, name):
        table = open_json_lines(place, name)
        return replace(table, batches=lambda names: (parsed.append(names), table.batches(names))[1])

    register_format(Format("JSON lines", (".jsonl",), opened))
    path = write_lines(tmp_path / "plate.jsonl", plate())
    wells = wg.open_wells(path, layout="cell-painting")
    held = wells.read().embeddings
    assert len(parsed) == 1
    monkeypatch.setattr("wellgram.io.screens._HELD_BYTES", 0)
    wells = wg.open_wells(path, layout="cell-painting")
    np.testing.assert_array_equal(wells.read().embeddings, held)
    assert len(parsed) == 3  # the second time: labels, then embeddings


def test_a_folder_of_plates_and_of_blocks(tmp_path, json_lines):
    for k in range(2):
        frame = plate().assign(Metadata_Well=lambda f, k=k: [f"{k}{w}" for w in f.Metadata_Well])
        write_lines(tmp_path / f"{k}.jsonl", frame)
    wells = wg.read_wells(tmp_path, layout="cell-painting")
    assert len(wells) == 2 * len(plate())
    for k in range(2):
        write_lines(tmp_path / f"{k}.jsonl", plate())
    assert open_blocks(tmp_path, layout="cell-painting").names == ["0", "1"]


def test_relationships_and_targets(tmp_path, json_lines):
    known = write_lines(
        tmp_path / "known.jsonl.gz", pd.DataFrame({"entity1": ["b"], "entity2": ["a"]})
    )
    for where in (known, tmp_path):
        sources = wg.relationship_sources(where)
        assert list(sources) == ["known"]
        assert sources["known"].to_numpy().tolist() == [["a", "b"]]
    columns = {"treatment": ["a"], "gene_symbol": ["B"], "nM_value": [1.5]}
    targets = write_lines(tmp_path / "targets.jsonl", pd.DataFrame(columns))
    assert wg.read_targets(targets).to_dict("list") == columns


def test_a_map_that_others_wrote_is_read(tmp_path, json_lines, rng):
    x = rng.normal(size=(3, 2)).round(3)
    labels = pd.DataFrame({"perturbation": ["a", "b", "c"]})
    map_ = wg.read_map(write_lines(tmp_path / "m.jsonl", labels.assign(embedding=list(x))))
    np.testing.assert_array_equal(map_.embeddings, x)
    pd.testing.assert_frame_equal(map_.labels, labels)


def test_a_format_that_holds_no_maps(tmp_path, json_lines, rng):
    map_ = wg.PerturbationMap(rng.normal(size=(1, 2)), pd.DataFrame({"perturbation": ["a"]}))
    with pytest.raises(InputError, match=r"written as \.parquet, .*, not as 'm.jsonl'") as problem:
        wg.write_map(map_, tmp_path / "m.jsonl")
    assert ".jsonl or" not in str(problem.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"\xff\xfe", b'{"a": 1'])
def test_a_damaged_file_is_named(tmp_path, json_lines, data):
    (tmp_path / "e.jsonl").write_bytes(data)
    with pytest.raises(InputError, match=r"cannot read .*e.jsonl"):
        wg.read_wells(tmp_path / "e.jsonl", layout="cell-painting")


# Arrow's files: types, record batches that are read alone, maps


@dataclass(frozen=True)
class IPCTable(Table):
    """A table whose record batches are read alone; notes which were."""

    batches: range
    read_batches: list

    def parts(self, columns, *, text=()):
        with pa.ipc.open_file(self.place) as file:
            for k in self.batches:
                self.read_batches.append(k)
                table = pa.Table.from_batches([file.get_batch(k)]).select(list(columns))
                for name in set(text) & set(columns):
                    column = table.column(name).cast(pa.string())
                    table = table.set_column(table.column_names.index(name), name, column)
                yield Part(table, f"{self.name}, batch {k}")

    def units(self):
        with pa.ipc.open_file(self.place) as file:
            return [file.get_batch(k).num_rows for k in self.batches]

    def cut(self, first, last):
        return replace(self, batches=self.batches[first:last])


def open_ipc(place, name):
    with pa.ipc.open_file(place) as file:
        return IPCTable(file.schema, name, range(file.num_record_batches), [], place=place)


def write_ipc(table, path, rows=3):
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table, max_chunksize=rows)
    return path


IPC = Format("Arrow", (".arrow",), open_ipc, lambda map_, path: write_ipc(map_table(map_), path))


@pytest.fixture
def ipc():
    register_format(IPC)


@pytest.fixture
def map_(rng):
    labels = pd.DataFrame(
        {
            "perturbation": [f"g{k}" for k in range(11)],
            "dose": [np.nan, *np.arange(10.0)],
            "level": pd.Categorical([3, 1, 3, None, 1, 1, 1, 1, 1, 1, 1], [1, 2, 3]),
            "targets": [["A"]] * 11,
        }
    )
    return wg.PerturbationMap(rng.normal(size=(11, 4)), labels, {"align": "tvn"})


def check_same(back, given):
    np.testing.assert_array_equal(back.embeddings, given.embeddings)
    assert back.provenance == given.provenance
    plain = [m.labels.assign(targets=list(map(list, m.labels["targets"]))) for m in (back, given)]
    pd.testing.assert_frame_equal(*plain)


def test_a_map_is_written_and_comes_back(tmp_path, ipc, map_):
    wg.write_map(map_, tmp_path / "map.arrow")
    check_same(wg.read_map(tmp_path / "map.arrow"), map_)
    assert [path.name for path in tmp_path.iterdir()] == ["map.arrow"]


def test_an_open_map_is_read_by_ranges(tmp_path, ipc, map_):
    wg.write_map(map_, tmp_path / "map.arrow")
    opened = wg.open_map(tmp_path / "map.arrow")
    assert (opened.shape, opened.dtype) == ((11, 4), np.float64)
    table = opened._read.args[0]
    for rows, batches in (
        (slice(None), [0, 1, 2, 3]),
        (slice(4, 5), [1]),
        (slice(2, 7), [0, 1, 2]),
        (slice(3, 6), [1]),
        (slice(9, 99, 2), [3]),
        (slice(5, 5), []),
        (slice(8, 3), []),
    ):
        table.read_batches.clear()
        np.testing.assert_array_equal(opened[rows], map_.embeddings[rows])
        assert table.read_batches == batches
    pd.testing.assert_frame_equal(wg.neighbors(opened, 2).table, wg.neighbors(map_, 2).table)
    again = pickle.loads(pickle.dumps(opened))
    np.testing.assert_array_equal(again[2:7], map_.embeddings[2:7])


def test_a_map_whose_table_cannot_be_cut_is_held(tmp_path, map_):
    def opened(place, name):
        with pa.ipc.open_file(place) as file:
            table = file.read_all()
        return ArrowTable(table.schema, name, lambda names: table.select(names).to_batches())

    register_format(replace(IPC, open=opened))
    wg.write_map(map_, tmp_path / "map.arrow")
    held = wg.open_map(tmp_path / "map.arrow")
    (tmp_path / "map.arrow").unlink()
    for rows in (slice(None), slice(4, 9), slice(5, 2)):
        np.testing.assert_array_equal(held[rows], map_.embeddings[rows])


def test_wells_are_cut_where_their_table_can_be(tmp_path, ipc):
    frame = plate()
    path = write_ipc(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "p.arrow", 20)
    wells = wg.open_wells(path, layout="cell-painting")
    expected = wg.read_wells(write_csv(tmp_path / "p.csv", frame), layout="cell-painting")
    np.testing.assert_array_equal(wells.read().embeddings, expected.embeddings)
    parts = pickle.loads(pickle.dumps(wells.source.parts(1)))
    assert len(parts) == -(-len(frame) // 20)
    rows = [chunk.rows for part in parts for chunk in part()]
    np.testing.assert_array_equal(np.concatenate(rows), expected.embeddings)


# The registry


def test_what_is_not_registered_is_unknown(tmp_path):
    write_lines(tmp_path / "e.jsonl", plate())
    with pytest.raises(InputError, match=r"'e.jsonl' is of an unknown kind; give .* or \.npz$"):
        wg.read_wells(tmp_path / "e.jsonl", layout="cell-painting")
    register_format(JSON_LINES)
    (tmp_path / "e.xlsx").write_bytes(b"")
    with pytest.raises(InputError, match=r"unknown kind; give .*\.jsonl or \.jsonl\.gz$"):
        wg.read_wells(tmp_path / "e.xlsx", layout="cell-painting")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no .*\.jsonl or \.jsonl\.gz files$"):
        wg.relationship_sources(tmp_path / "empty")


def test_a_file_that_is_absent(tmp_path, json_lines):
    with pytest.raises(InputError, match=r"there is no file .*e\.jsonl"):
        wg.read_wells(tmp_path / "e.jsonl", layout="cell-painting")


def test_the_longest_suffix_counts(tmp_path):
    names = []
    for k, suffixes in enumerate(((".rows",), (".x.rows", ".rows.gz"))):
        entry = Format(f"rows {k}", suffixes, lambda place, name, k=k: names.append((k, name)))
        register_format(entry)
    for name in ("a.rows", "b.x.rows", "c.1.rows", "d.2.x.rows", "e.rows.gz"):
        (tmp_path / name).write_bytes(b"")
        open_table(tmp_path / name)
    assert names == [
        (0, "a.rows"), (1, "b.x.rows"), (0, "c.1.rows"), (1, "d.2.x.rows"), (1, "e.rows.gz"),
    ]  # fmt: skip


def test_a_folder_is_a_table_where_the_format_says_so(tmp_path, map_):
    """And is replaced only if it holds what such a folder holds."""

    def write(given, path):
        path.mkdir()
        write_ipc(map_table(given), path / "table.arrow")

    def opened(place, name):
        return open_ipc(place / "table.arrow", name)

    register_format(Format("Arrow in a folder", (".tables",), opened, write, ("table.arrow",)))
    for given in (wg.PerturbationMap(map_.embeddings[:2], map_.labels[:2]), map_):
        wg.write_map(given, tmp_path / "map.tables")
    check_same(wg.read_map(tmp_path / "map.tables"), map_)
    (tmp_path / "other.tables").mkdir()
    (tmp_path / "other.tables" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds other files than those of Arrow in a folder"):
        wg.write_map(map_, tmp_path / "other.tables")


def test_a_format_of_the_same_name_takes_the_place(tmp_path):
    register_format(JSON_LINES)
    register_format(replace(JSON_LINES, suffixes=(".ndjson",)))
    write_lines(tmp_path / "p.jsonl", plate())
    with pytest.raises(InputError, match="unknown kind"):
        open_table(tmp_path / "p.jsonl")
    assert open_table(write_lines(tmp_path / "p.ndjson", plate())).label == "p.ndjson"


@pytest.mark.parametrize(
    ("suffixes", "words"),
    [
        ((), r"'mine' has no suffixes"),
        (("jsonl",), r"'jsonl' of format 'mine' is no suffix"),
        ((".a b",), r"'.a b' of format 'mine' is no suffix"),
        ((".jsonl", ".csv.gz"), r"'.csv.gz' of format 'mine' is that of format 'CSV'"),
    ],
)
def test_a_format_that_cannot_be_registered(suffixes, words):
    with pytest.raises(InputError, match=words):
        register_format(Format("mine", suffixes, open_json_lines))
    assert "mine" not in FORMATS


def test_a_format_of_text_is_given_the_encoding(tmp_path):
    def opened(place, name, encoding="utf-8"):
        table = pa.table({"line": place.read_text(encoding).splitlines()})
        return ArrowTable(table.schema, name, lambda names: table.select(names).to_batches())

    register_format(Format("lines", (".lines",), opened, open_encoded=opened))
    path = tmp_path / "a.lines"
    for encoding in (None, "cp1252"):
        path.write_text("Müller\n", encoding or "utf-8")
        lines = open_table(path, encoding=encoding).read(["line"])
        assert lines["line"].to_pylist() == ["Müller"]
