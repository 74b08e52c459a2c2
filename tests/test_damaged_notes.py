"""What lies beside the values of a file, damaged: refused by name, or not needed."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.array_files import need
from helpers.maps_and_wells import make_map
from helpers.small_screens import plate
from wellgram import (
    InputError,
    open_blocks,
    open_map,
    read_map,
    read_relationships,
    read_targets,
    read_wells,
    write_map,
)

ROLES = {"layout": "columns", "perturbation": "label", "control": "c"}


def with_note_of_pandas(path, note):
    """Write a parquet again with another note of pandas, and no other beside the schema."""
    pq.write_table(pq.read_table(path).replace_schema_metadata({"pandas": note}), path)


@pytest.fixture
def wells(tmp_path):
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(20, 3)),
        columns=["feature_0", "feature_1", "feature_2"],
    )
    path = tmp_path / "wells.parquet"
    frame.assign(label=[*"cabab"] * 4).to_parquet(path)
    return path


def test_the_note_of_pandas_is_not_needed_for_wells(wells):
    before = read_wells(wells, **ROLES)
    with_note_of_pandas(wells, "{damaged")
    after = read_wells(wells, **ROLES)
    np.testing.assert_array_equal(before.embeddings, after.embeddings)
    pd.testing.assert_frame_equal(before.metadata, after.metadata)


TABLES = {
    "targets": (read_targets, {"treatment": ["a"], "gene_symbol": ["B"], "nM_value": [1.5]}),
    "pairs": (read_relationships, {"entity1": ["a"], "entity2": ["b"]}),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("note", ["{damaged", b"\xff", "[]", '{"columns": 1}'])
def test_the_note_of_pandas_is_not_needed_for_tables(tmp_path, kind, note):
    read, columns = TABLES[kind]
    pd.DataFrame(columns).to_parquet(tmp_path / "p.parquet")
    before = read(tmp_path / "p.parquet")
    with_note_of_pandas(tmp_path / "p.parquet", note)
    pd.testing.assert_frame_equal(read(tmp_path / "p.parquet"), before)


def test_names_of_columns_that_are_no_utf_8_are_refused(tmp_path):
    for kind, (read, columns) in TABLES.items():
        path = tmp_path / f"{kind}.parquet"
        pq.write_table(pa.table(columns | {"Qname": [1]}), path)
        path.write_bytes(path.read_bytes().replace(b"Qname", b"\xffname"))
        for reader in (read, read_map, open_map, lambda p: read_wells(p, **ROLES)):
            with pytest.raises(InputError, match=rf"cannot read '.*{kind}.parquet': .*utf-8.*"):
                reader(path)


@pytest.mark.parametrize("note", ["{damaged", "[]", '{"columns": 1}', '{"index_columns": [3]}'])
def test_a_damaged_note_of_pandas_in_a_map_is_refused(rng, tmp_path, note):
    write_map(make_map(rng, 9, 4), tmp_path / "map.parquet")
    with_note_of_pandas(tmp_path / "map.parquet", note)
    for read in (read_map, open_map):
        with pytest.raises(
            InputError, match=r"map\.parquet.* beside the map is damaged: .*; write"
        ):
            read(tmp_path / "map.parquet")


def test_text_that_is_no_utf_8_is_refused(rng, tmp_path, wells):
    """Parquet does not look at what its texts are."""
    broken = pa.Array.from_buffers(
        pa.string(), 20, pa.array([b"c", b"a\xff", b"b", b"a", b"b"] * 4, pa.binary()).buffers()
    )
    table = pq.read_table(wells)
    pq.write_table(table.set_column(table.column_names.index("label"), "label", broken), wells)
    with pytest.raises(InputError, match=r"cannot read .*wells\.parquet.*: Invalid UTF8"):
        read_wells(wells, **ROLES)
    write_map(make_map(rng, 20, 4), tmp_path / "map.parquet")
    table = pq.read_table(tmp_path / "map.parquet").set_column(0, "perturbation", broken)
    pq.write_table(table, tmp_path / "map.parquet")
    with pytest.raises(InputError, match=r"map\.parquet.*: Invalid UTF8"):
        read_map(tmp_path / "map.parquet")


@pytest.mark.parametrize("facts", [3, "x", [1]])
def test_facts_that_are_none_are_refused(rng, tmp_path, facts):
    write_map(make_map(rng, 9, 4), tmp_path / "map.npz")
    with np.load(tmp_path / "map.npz", allow_pickle=True) as file:
        arrays = dict(file)
    note = json.loads(str(arrays["wellgram"][0])) | {"facts": facts}
    np.savez(tmp_path / "map.npz", **arrays | {"wellgram": np.array([json.dumps(note)])})
    with pytest.raises(InputError, match=r"is damaged: .*; write the file again"):
        read_map(tmp_path / "map.npz")


def test_an_array_in_place_of_the_masks_is_refused(rng, tmp_path):
    need(".zarr")
    import zarr

    write_map(make_map(rng, 9, 4, dose=[None, *[1.0] * 8]), tmp_path / "map.zarr")
    group = zarr.open_group(tmp_path / "map.zarr")
    del group["missing"]
    group.create_array("missing", data=np.zeros(9))
    with pytest.raises(
        InputError, match=r"'map\.zarr' is damaged: its array 'missing/dose' is gone"
    ):
        read_map(tmp_path / "map.zarr")
    group.attrs.clear()  # as of a store without the list of what is in it
    with pytest.raises(InputError, match="'missing' is an array where wellgram wrote a group"):
        read_map(tmp_path / "map.zarr")


def test_a_damaged_header_of_an_array_is_refused(tmp_path):
    path = tmp_path / "blocks.npy"
    np.save(path, np.zeros((2, 16, 3)))
    whole = path.read_bytes()
    for old, new in ((b"'shape': (", b"'shape': [["), (b"(2, 16, 3)", b"(2, 9999999999999, 3)")):
        path.write_bytes(whole.replace(old, new))
        with pytest.raises(InputError, match=r"cannot read .*blocks\.npy"):
            open_blocks(path, plate(), layout="cell-painting")
