"""Maps as other tools write them, and maps whose files or labels cannot be what they say."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from wellgram import (
    InputError,
    MapLookup,
    PerturbationMap,
    neighbors,
    open_map,
    read_map,
    write_map,
)
from wellgram.cli import app


@pytest.fixture
def map_(rng):
    labels = pd.DataFrame({"perturbation": [f"g{i}" for i in range(30)], "moa": ["a", "b"] * 15})
    return PerturbationMap(rng.normal(size=(30, 6)).astype("f4"), labels, {"align": "tvn"})


def frame(map_):
    return map_.labels.assign(embedding=list(map_.embeddings))


def by_pandas(map_, path):
    frame(map_).to_parquet(path, index=False)


def by_index(map_, path):
    frame(map_).set_index("perturbation").to_parquet(path)


def by_two_indices(map_, path):
    frame(map_).set_index(["perturbation", "moa"]).to_parquet(path)


def by_row_numbers(map_, path):
    frame(map_).set_axis(np.arange(30)[::-1]).to_parquet(path)


def by_row_groups(map_, path):
    table = pa.Table.from_pandas(frame(map_))
    vectors = pa.field("embedding", pa.large_list(pa.float32()))
    table = table.cast(table.schema.set(table.schema.get_field_index("embedding"), vectors))
    pq.write_table(table, path, row_group_size=7)


def by_polars(map_, path):
    pytest.importorskip("polars").from_pandas(frame(map_)).write_parquet(path)


def by_duckdb(map_, path):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        connection.register("rows", pa.Table.from_pandas(frame(map_), preserve_index=False))
        connection.sql(f"copy (select * from rows) to '{path}' (format parquet)")


@pytest.mark.parametrize(
    "write",
    [by_pandas, by_index, by_two_indices, by_row_numbers, by_row_groups, by_polars, by_duckdb],
)
def test_maps_of_lists_are_maps_to_every_reader(map_, tmp_path, write):
    path = tmp_path / "map.parquet"
    write(map_, path)
    opened = open_map(path)
    for read in (read_map(path), opened):
        np.testing.assert_array_equal(read.embeddings, map_.embeddings)
        assert read.embeddings.dtype == np.float32
        assert isinstance(read.labels.index, pd.RangeIndex)
        for column in map_.labels:
            assert read.labels[column].tolist() == map_.labels[column].tolist()
    np.testing.assert_array_equal(opened[5:20:3], map_.embeddings[5:20:3])
    expected = neighbors(map_, 3).table
    np.testing.assert_array_equal(neighbors(opened, 3).table["neighbor"], expected["neighbor"])
    assert MapLookup(opened).neighbors_of("g3").row == 3
    out = tmp_path / "neighbors.csv"
    done = CliRunner().invoke(app, ["neighbors", str(path), "-k", "3", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert pd.read_csv(out)["neighbor"].tolist() == expected["neighbor"].tolist()


def test_lists_of_several_lengths(map_, tmp_path):
    rows = frame(map_)
    rows["embedding"] = [row[:5] if k == 20 else row for k, row in enumerate(map_.embeddings)]
    for group in (30, 20):  # within a row group, and in a later one
        pq.write_table(pa.Table.from_pandas(rows), tmp_path / "map.parquet", row_group_size=group)
        with pytest.raises(InputError, match="one length"):
            read_map(tmp_path / "map.parquet")
        with pytest.raises(InputError, match="one length"):
            assert open_map(tmp_path / "map.parquet").embeddings.shape


def test_what_holds_no_vectors_or_no_names(map_, tmp_path):
    map_.labels.assign(embedding="x").to_parquet(tmp_path / "text.parquet")
    frame(map_).rename(columns={"perturbation": "gene"}).to_parquet(tmp_path / "gene.parquet")
    frame(map_).iloc[:0].to_parquet(tmp_path / "empty.parquet")
    for name, words in (
        ("text", "not vectors|not numeric"),
        ("gene", "need a column 'perturbation'; there are: 'gene', 'moa'"),
        ("empty", "has no rows|not numbers|hold null|holds null"),
    ):
        for reader in (open_map, read_map):
            if (name, reader) == ("empty", read_map):
                continue  # a map of no rows
            with pytest.raises(InputError, match=words):
                reader(tmp_path / f"{name}.parquet")


@pytest.mark.parametrize(
    "facts",
    [
        {b"wellgram": b"{no"},
        {b"wellgram": b"7"},
        {b"wellgram": b"\xff"},
        {b"wellgram": b"{}", b"wellgram_types": b"@@@"},
        {b"wellgram": b"{}", b"wellgram_types": b"\xff"},
    ],
)
def test_damaged_notes_are_named(map_, tmp_path, facts):
    write_map(map_, tmp_path / "map.parquet")
    table = pq.read_table(tmp_path / "map.parquet").replace_schema_metadata(facts)
    pq.write_table(table, tmp_path / "map.parquet")
    for reader in (read_map, open_map):
        with pytest.raises(InputError, match=r"map\.parquet beside the map is damaged"):
            reader(tmp_path / "map.parquet")


@pytest.mark.parametrize("suffix", [".parquet", ".h5", ".npz", ".h5ad"])
@pytest.mark.parametrize("label", ["X", "embedding", "embeddings", "wellgram", "missing", "obs"])
def test_labels_may_be_called_as_parts_of_a_file(map_, tmp_path, label, suffix):
    if suffix == ".h5ad":
        pytest.importorskip("anndata")
    path = tmp_path / f"map{suffix}"
    named = PerturbationMap(map_.embeddings, map_.labels.assign(**{label: "x"}))
    if (label, suffix) == ("embedding", ".parquet"):
        with pytest.raises(InputError, match="rename the label"):
            write_map(named, path)
        return
    write_map(named, path)
    for read in (read_map(path), open_map(path)):
        np.testing.assert_array_equal(read.embeddings, map_.embeddings)
        pd.testing.assert_frame_equal(read.labels, named.labels)


@pytest.mark.parametrize("suffix", [".parquet", ".h5", ".npz", ".h5ad"])
def test_labels_that_cannot_be_written(map_, tmp_path, suffix):
    if suffix == ".h5ad":
        pytest.importorskip("anndata")
    path = tmp_path / f"map{suffix}"
    mixed = map_.labels.assign(c=[1, "a"] + [None] * 28)
    with pytest.raises(InputError, match=r"column c.*make the values of each column one type"):
        write_map(PerturbationMap(map_.embeddings, mixed), path)
    if suffix != ".parquet":
        with pytest.raises(InputError, match="'c' holds a NUL character"):
            write_map(PerturbationMap(map_.embeddings, map_.labels.assign(c="a\0b")), path)
    assert not path.exists()
    path.mkdir()
    (path / "kept").write_text("")
    with pytest.raises(InputError, match="it is a folder; choose another name"):
        write_map(map_, path)
    assert [file.name for file in tmp_path.rglob("*")] == [path.name, "kept"]
