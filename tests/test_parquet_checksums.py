"""Parquet files that are damaged are refused, whichever part of them is read."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import wellgram
from helpers.flipped_bits import flips
from wellgram import PerturbationMap
from wellgram.io import open_map, read_map, write_map
from wellgram.parquet_checksums import read_footer
from wellgram.simulate import block_stack

ROWS = 60


@pytest.fixture
def map_(rng):
    labels = pd.DataFrame(
        {
            "perturbation": [f"gene{i:03d}" for i in range(ROWS)],
            "dose": np.arange(ROWS),
            "kind": pd.Categorical(["a", "b", "c"] * (ROWS // 3)),
        }
    )
    return PerturbationMap(rng.normal(size=(ROWS, 8)).astype("f4"), labels, {"origin": "test"})


@pytest.fixture
def path(tmp_path, map_):
    write_map(map_, tmp_path / "map.parquet")
    return tmp_path / "map.parquet"


def has_sums(path):
    with path.open("rb") as file:
        return read_footer(file).sums is not None


@pytest.mark.parametrize("read", [read_map, open_map])
def test_no_flipped_bit_of_a_map_changes_a_value(path, map_, rng, read):
    def unchanged(file):
        back = read(file)
        return (
            back.embeddings.tobytes() == map_.embeddings.tobytes()
            and back.labels.equals(map_.labels)
            and back.labels.dtypes.equals(map_.labels.dtypes)
            and back.provenance == map_.provenance
        )

    outcomes = flips(path, 500, rng, unchanged)
    assert outcomes["changed"] == 0
    assert outcomes["refused"] > 490  # the rest are bits of the mark, without which all is right


def test_damage_names_the_column_and_other_columns_are_read(path, map_):
    chunk = pq.read_metadata(path).row_group(0).column(1)
    damaged = bytearray(path.read_bytes())
    damaged[chunk.data_page_offset] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(wellgram.InputError, match="checksum of column 'dose' differs; the file is"):
        read_map(path)
    table = wellgram.io.formats.open_table(path)
    assert table.read(["perturbation"])["perturbation"].to_pylist() == list(
        map_.labels["perturbation"]
    )


def test_pages_of_others_are_checked_where_they_can_be(tmp_path):
    values = np.arange(1000.0)
    path = tmp_path / "wells.parquet"
    table = pa.table({"well_id": [f"w{i}" for i in range(1000)], "feature_0": values})
    plain = {"compression": "none", "use_dictionary": False}
    pq.write_table(table, path, write_page_checksum=True, **plain)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(values[777].tobytes())] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(wellgram.InputError, match=r"checksum.*the file is damaged"):
        wellgram.io.formats.open_table(path).read(["feature_0"])


def test_other_readers_find_what_was_written(path, map_):
    table = pq.read_table(path, page_checksum_verification=True)
    assert table.column("dose").to_pylist() == list(range(ROWS))
    np.testing.assert_array_equal(np.stack(pd.read_parquet(path)["embedding"]), map_.embeddings)
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(path)["perturbation"].to_list() == list(map_.labels["perturbation"])


def test_what_another_tool_writes_anew_has_no_sums_out_of_date(path, map_):
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, "dose", pa.array(range(1, ROWS + 1))), path)
    assert not has_sums(path)
    assert read_map(path).labels["dose"].tolist() == list(range(1, ROWS + 1))


def test_tables_have_sums_too(tmp_path, map_):
    wellgram.neighbors(map_, 2).save(tmp_path / "neighbors.parquet")
    block_stack(3, perturbations=6, batches=4, features=8).write(tmp_path)
    assert has_sums(tmp_path / "neighbors.parquet")
    assert has_sums(tmp_path / "blocks" / "block_01.parquet")
