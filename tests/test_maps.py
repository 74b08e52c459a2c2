"""Maps on disk."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wellgram import (
    CenterScale,
    InputError,
    PerturbationMap,
    Wells,
    build_map,
    neighbors,
    open_map,
    read_map,
    write_map,
)


@pytest.fixture
def map_():
    x = np.random.default_rng(0).normal(size=(30, 7))
    wells = Wells.from_arrays(x, [*["c"] * 6, *"abcdéf東-" * 3], control="c", dose=[np.nan] * 30)
    return build_map(wells, CenterScale(), dtype="float64")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_map_comes_back_as_it_was(tmp_path, map_, dtype, order):
    given = PerturbationMap(
        np.asarray(map_.embeddings, dtype, order=order), map_.labels, map_.provenance
    )
    write_map(given, tmp_path / "map.parquet")
    back = read_map(tmp_path / "map.parquet")
    assert back.embeddings.dtype == dtype
    np.testing.assert_array_equal(back.embeddings, given.embeddings)
    pd.testing.assert_frame_equal(back.labels, given.labels)
    assert back.provenance == map_.provenance
    assert back.provenance["align"] == "center-scale"


@pytest.mark.parametrize(
    ("dtype", "kind"), [(np.float32, pa.float32()), (np.float64, pa.float64())]
)
def test_the_file_holds_labels_and_one_fixed_size_list(tmp_path, map_, dtype, kind):
    write_map(PerturbationMap(map_.embeddings.astype(dtype), map_.labels), tmp_path / "map.parquet")
    schema = pq.read_schema(tmp_path / "map.parquet")
    assert schema.names == ["perturbation", "dose", "n_wells", "embedding"]
    assert schema.field("embedding").type == pa.list_(kind, 7)


def test_pandas_reads_the_file(tmp_path, map_):
    write_map(map_, tmp_path / "map.parquet")
    frame = pd.read_parquet(tmp_path / "map.parquet")
    assert frame["perturbation"].tolist() == map_.labels["perturbation"].tolist()
    np.testing.assert_array_equal(np.stack(frame["embedding"]), map_.embeddings)


def test_the_index_of_the_labels_is_not_written(tmp_path, map_):
    labels = map_.labels.set_axis(range(50, 50 + len(map_)))
    write_map(PerturbationMap(map_.embeddings, labels), tmp_path / "map.parquet")
    assert read_map(tmp_path / "map.parquet").labels.index[0] == 0


def test_writing_that_fails_leaves_the_old_map(tmp_path, map_):
    path = tmp_path / "map.parquet"
    write_map(map_, path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_map(PerturbationMap(map_.embeddings, map_.labels, {"not JSON": {1}}), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["map.parquet"]


def test_a_folder_that_is_not_there_is_named(tmp_path, map_):
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        write_map(map_, tmp_path / "nowhere" / "map.parquet")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"perturbation": ["a"]}, "no map.*'embedding'"),
        ({"name": ["a"], "embedding": [[1.0]]}, "'perturbation'"),
        ({"perturbation": ["a"], "embedding": ["x"]}, "'embedding'.*not numeric.*'x'"),
    ],
)
def test_what_is_no_map(tmp_path, table, words):
    pq.write_table(pa.table(table), tmp_path / "map.parquet")
    with pytest.raises(InputError, match=words):
        read_map(tmp_path / "map.parquet")


def test_a_map_cut_short(tmp_path, map_):
    path = tmp_path / "map.parquet"
    write_map(map_, path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"cannot read .*map.parquet.*truncated"):
        read_map(path)


def test_an_open_map_is_read_by_ranges_of_rows(tmp_path, map_, monkeypatch):
    from wellgram.io import parquet

    monkeypatch.setattr(parquet, "_GROUP_BYTES", 3 * 7 * 8)  # three rows a group
    path = tmp_path / "map.parquet"
    write_map(map_, path)
    assert pq.ParquetFile(path).num_row_groups == 3
    opened = open_map(path)
    assert repr(opened).startswith("MapFile(7 perturbations x 7 features")
    assert (opened.shape, opened.dtype) == (map_.embeddings.shape, np.float64)
    pd.testing.assert_frame_equal(opened.labels, map_.labels)
    for rows in (slice(None), slice(2, 5), slice(3, 4), slice(7, 100), slice(5, 5), slice(1, 8, 3)):
        np.testing.assert_array_equal(opened[rows], map_.embeddings[rows])
    pd.testing.assert_frame_equal(neighbors(opened, 2).table, neighbors(map_, 2).table)


def test_what_cannot_be_opened_as_a_map(tmp_path, map_):
    lists = pa.table({"perturbation": ["a", "b"], "embedding": [[1.0], [2.0, 3.0]]})
    pq.write_table(lists, tmp_path / "lists.parquet")
    pq.write_table(lists.select(["perturbation"]), tmp_path / "none.parquet")
    for name, words in (
        ("lists", "one length"),
        ("none", "no column 'embedding'"),
        ("absent", "no file"),
    ):
        with pytest.raises(InputError, match=words):
            open_map(tmp_path / f"{name}.parquet")
