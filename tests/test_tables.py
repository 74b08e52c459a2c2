"""Tables from files: columns of every type, and only the ones asked for."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.small_screens import FEATURES, plate, write_csv
from wellgram import InputError, read_wells
from wellgram.io.formats import open_table
from wellgram.io.tables import feature_matrix

PATH = "table.parquet"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.float16, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.int8, np.float64),
        (np.uint32, np.float64),
        (np.bool_, np.float64),
    ],
)
def test_wide_features_keep_values_and_take_the_narrowest_type_that_holds_them(given, expected):
    x = np.array([[0, 1], [1, 0], [1, 1]], given)
    matrix = feature_matrix(pa.table({"a": x[:, 0], "b": x[:, 1]}), ["a", "b"], PATH)
    assert matrix.dtype == expected
    assert matrix.flags.c_contiguous
    np.testing.assert_array_equal(matrix, x.astype(expected))


def test_one_wider_column_widens_the_matrix():
    table = pa.table({"a": np.zeros(2, np.float32), "b": np.full(2, 1 + 1e-12)})
    assert feature_matrix(table, ["a", "b"], PATH)[0, 1] == 1 + 1e-12


def test_a_missing_value_is_a_nan():
    table = pa.table({"a": pa.array([1.0, None]), "b": pa.array([1, None]), "c": pa.nulls(2)})
    matrix = feature_matrix(table, ["a", "b", "c"], PATH)
    np.testing.assert_array_equal(matrix, [[1, 1, np.nan], [np.nan] * 3])


def test_more_rows_than_a_block():
    x = np.random.default_rng(0).normal(size=(20_001, 3))
    table = pa.table({str(j): x[:, j] for j in range(3)})
    np.testing.assert_array_equal(feature_matrix(table, ["2", "0", "1"], PATH), x[:, [2, 0, 1]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(pa.float16(), "f4"), (pa.float32(), "f4"), (pa.float64(), "f8"), (pa.int32(), "f8")],
    ids=str,
)
@pytest.mark.parametrize("size", [2, -1], ids=["fixed", "variable"])
def test_lists_are_rows(kind, expected, size):
    rows = [np.array(row, kind.to_pandas_dtype()) for row in ([1, 2], [3, 4], [5, 6])]
    column = pa.chunked_array([rows[:1], [], rows[1:]], pa.list_(kind, size))
    matrix = feature_matrix(pa.table({"emb": column}), ["emb"], PATH)
    assert matrix.dtype == expected
    np.testing.assert_array_equal(matrix, rows)


def test_a_list_column_of_one_part_is_not_copied():
    values = pa.array(np.arange(6, dtype=np.float32))
    table = pa.table({"emb": pa.FixedSizeListArray.from_arrays(values, 3)})
    assert np.shares_memory(feature_matrix(table, ["emb"], PATH), values.to_numpy())


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        ([[1.0, 2.0], [3.0]], "differ in length: 1 to 2"),
        ([[1.0, 2.0], None], "1 rows without a vector"),
        ([["a", "b"]], "hold string, not numbers"),
        ([[], []], "have no values"),
    ],
)
def test_lists_that_are_no_rows(vectors, words):
    with pytest.raises(InputError, match=f"'emb'.*table.parquet.*{words}|{words}"):
        feature_matrix(pa.table({"emb": vectors}), ["emb"], PATH)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet"])
def test_a_table_is_the_same_in_every_format(tmp_path, suffix):
    path, frame = tmp_path / f"plate{suffix}", plate()
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        write_csv(path, frame, sep="\t" if "tsv" in suffix else ",")
    file = open_table(path)
    assert file.names == frame.columns.tolist()
    table = file.read(["Metadata_Well", *FEATURES])
    assert table.column("Metadata_Well").to_pylist() == frame["Metadata_Well"].tolist()
    np.testing.assert_array_equal(feature_matrix(table, FEATURES, path.name), frame[FEATURES])


def test_text_keeps_labels_that_look_like_numbers(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("plate,value\n007,1\n1e5,2\n")
    table = open_table(path).read(["plate", "value"], text=["plate"])
    assert table.column("plate").to_pylist() == ["007", "1e5"]
    assert table.column("value").to_pylist() == [1, 2]


def test_quotes_commas_newlines_and_crlf(tmp_path):
    path = tmp_path / "quoted.csv"
    path.write_bytes(b'name,value\r\n"a, ""b""",1\r\n"two\nlines",2\r\n')
    table = open_table(path).read(["name", "value"])
    assert table.column("name").to_pylist() == ['a, "b"', "two\nlines"]
    assert table.column("value").to_pylist() == [1, 2]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_text("name,value\na,1\n", encoding="utf-8-sig")
    assert open_table(path).names == ["name", "value"]


def test_a_csv_column_that_turns_into_text_late(tmp_path):
    """The type of a column is known at its end only, after more than Arrow's first block."""
    path = tmp_path / "late.csv"
    path.write_text("value\n" + "1.5\n" * 400_000 + "late\n")
    table = open_table(path).read(["value"])
    with pytest.raises(InputError, match=r"'value'.*string.*row 400001: 'late'"):
        feature_matrix(table, ["value"], path.name)


def poison(path, column):
    """Overwrite the bytes of one column of a parquet file; what reads it fails."""
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        place = file.metadata.row_group(0).column(names.index(column))
    start = min(o for o in (place.dictionary_page_offset, place.data_page_offset) if o is not None)
    data = bytearray(path.read_bytes())
    data[start : start + place.total_compressed_size] = b"\xff" * place.total_compressed_size
    path.write_bytes(data)


def test_only_the_columns_needed_are_read(tmp_path):
    path = tmp_path / "plate.parquet"
    plate().assign(Metadata_note="x").to_parquet(path)
    before = read_wells(path, layout="cell-painting")
    poison(path, "Metadata_note")
    with pytest.raises(InputError, match="cannot read"):
        open_table(path).read(["Metadata_note"])
    after = read_wells(path, layout="cell-painting")
    np.testing.assert_array_equal(after.embeddings, before.embeddings)
    with pytest.raises(InputError, match="cannot read"):
        read_wells(path, layout="cell-painting", columns=["Metadata_note"])


def test_an_unneeded_csv_column_may_hold_anything(tmp_path):
    path = tmp_path / "plate.csv"
    note = ["x", "café", "2020-01-01", ""] * 4
    write_csv(path, plate().assign(Metadata_note=note), encoding="latin-1")
    assert len(read_wells(path, layout="cell-painting")) == 16


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "__index_level_0__"])
def test_the_row_numbers_that_pandas_writes_are_no_feature(tmp_path, name):
    path = tmp_path / "plate.csv"
    frame = plate()
    frame.insert(0, name, range(100, 116))
    wells = read_wells(write_csv(path, frame), layout="cell-painting")
    np.testing.assert_array_equal(wells.embeddings, frame[FEATURES])


@pytest.mark.parametrize("kind", [pa.decimal128(9, 3), pa.decimal256(50, 3)], ids=str)
def test_decimals_are_numbers(kind):
    """As DuckDB and Spark write them."""
    x = [[1.5, None], [-0.125, 3.0]]
    wide = pa.table(
        {name: pa.array(column).cast(kind) for name, column in zip("ab", x, strict=True)}
    )
    expected = np.array(x, float).T
    np.testing.assert_array_equal(feature_matrix(wide, ["a", "b"], PATH), expected)
    lists = pa.table({"emb": pa.array(x, pa.list_(pa.float64())).cast(pa.list_(kind))})
    matrix = feature_matrix(lists, ["emb"], PATH)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, expected.T)


def test_a_name_that_is_there_is_no_pattern(tmp_path):
    names = {feature: f"emb[{k}]" for k, feature in enumerate(FEATURES)}
    frame = plate().rename(columns=names).assign(emb0=7.0)
    path = write_csv(tmp_path / "plate.csv", frame)
    for features, expected in (
        (list(names.values()), list(names.values())),
        ("emb[0]", ["emb[0]"]),
        (["emb[1]", "emb[[]2]", "emb?"], ["emb[1]", "emb[2]", "emb0"]),
    ):
        wells = read_wells(path, layout="cell-painting", features=features)
        np.testing.assert_array_equal(wells.embeddings, frame[expected])
