"""Delimited text as people have it: tabs, semicolons, other suffixes, long lines, compression."""

import gzip

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from helpers.small_screens import FEATURES, plate, write_csv
from wellgram import InputError, open_wells, read_wells
from wellgram.io.formats import open_table

COLUMNS = ["Metadata_Plate", "Metadata_Well", "Metadata_broad_sample", *FEATURES]


def same(path, frame=None):
    """Check that wells are those of a plate."""
    frame = plate() if frame is None else frame
    for wells in (
        read_wells(path, layout="cell-painting"),
        open_wells(path, layout="cell-painting").read(),
    ):
        np.testing.assert_array_equal(wells.embeddings, frame.filter(like="Cells_"))
        assert wells.metadata["perturbation"].tolist() == frame["Metadata_broad_sample"].tolist()


@pytest.mark.parametrize(
    "suffix", [".csv", ".txt", ".tsv", ".csv.gz", ".txt.gz", ".TXT", ".TSV.gz"]
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_first_line_tells_the_delimiter(tmp_path, suffix, delimiter, end):
    path = tmp_path / f"plate{suffix}"
    same(write_csv(path, plate(), sep=delimiter, lineterminator=end))


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_other_delimiters_in_quotes_are_no_doubt(tmp_path, delimiter):
    frame = plate().assign(**{"Metadata_a;b,c\td": "1;2,3"})
    path = write_csv(tmp_path / "plate.csv", frame, sep=delimiter, quoting=1)
    same(path, frame)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_rows_tell_where_the_first_line_does_not(tmp_path, delimiter):
    """A name with another delimiter in it, without quotes."""
    others = "".join({",", "\t", ";"} - {delimiter})
    frame = plate().rename(columns={"Metadata_dose": f"Metadata_{others}"})
    path = write_csv(tmp_path / "plate.csv", frame, sep=delimiter, quoting=3)
    same(path, frame)


def test_what_cannot_be_told_is_an_error(tmp_path):
    path = tmp_path / "plate.csv"
    path.write_text("well,id;gene\nw1,a;b\nw2,a;c\n")
    words = r"whether a comma or a semicolon separates the columns of plate.csv .*'well,id;gene'"
    with pytest.raises(InputError, match=words):
        open_table(path)


def test_a_file_called_tsv_is_believed(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("name,full\tgene\na,b\tc\n")
    assert open_table(path).names == ["name,full", "gene"]


def test_a_file_of_one_column(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("gene\na\nb\n")
    assert open_table(path).read(["gene"]).column("gene").to_pylist() == ["a", "b"]


def test_rows_of_several_lengths_are_an_error_that_names_one(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("a;x,b\n1,2\n1,2,3\n")
    with pytest.raises(InputError, match=r"p.csv.*Expected 2 columns, got 3"):
        open_table(path)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_gzip_is_told_by_its_bytes_not_by_the_name(tmp_path, suffix):
    plain = write_csv(tmp_path / f"plain{suffix}.gz", plate(), compression=None)
    packed = tmp_path / f"packed{suffix}"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert not plain.read_bytes().startswith(b"\x1f\x8b")
    same(plain)
    same(packed)


def test_gzip_in_several_members(tmp_path):
    """As bgzip and cat write it."""
    data = write_csv(tmp_path / "p.csv", plate()).read_bytes()
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress(data[:300]) + gzip.compress(data[300:]))
    same(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_marks_of_byte_order(tmp_path, encoding, delimiter):
    text = plate().assign(Metadata_note="µ").to_csv(index=False, sep=delimiter)
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path = tmp_path / "p.txt"
    path.write_bytes((mark + text).encode(encoding))
    same(path)
    assert open_table(path).names[0] == "Metadata_Plate"


def test_names_of_columns_in_another_encoding(tmp_path):
    frame = plate().rename(columns={"Metadata_dose": "Metadata_\u00b5M"})
    path = write_csv(tmp_path / "p.csv", frame, encoding="latin-1")
    with pytest.raises(InputError, match=r"names of columns in p.csv are not text of UTF-8"):
        open_table(path)


@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_first_line_of_more_than_a_megabyte(tmp_path, rows, suffix):
    names = [f"Cells_{'Texture_' * 14}{j}" for j in range(10_000)]
    values = np.random.default_rng(0).integers(0, 9, (rows, len(names)))
    frame = pd.DataFrame(values, columns=names)
    frame.insert(0, "Metadata_broad_sample", ["DMSO", "a"] * (rows // 2) or ["DMSO"])
    frame.insert(0, "Metadata_Plate", "p")
    path = write_csv(tmp_path / f"wide{suffix}", frame)
    assert sum(map(len, names)) > 1 << 20
    same(path, frame)


def test_a_row_of_more_than_a_megabyte(tmp_path):
    frame = plate().assign(Metadata_note=["x" * 3_000_000, *"y" * 15])
    same(write_csv(tmp_path / "p.csv", frame), frame)


@pytest.mark.parametrize("name", ["P.CSV", "P.Parquet", "P.pq", "P.PQ", "P.Csv.GZ"])
def test_suffixes_in_any_case(tmp_path, name):
    if name.lower().endswith(("parquet", "pq")):
        plate().to_parquet(tmp_path / name, index=False)
    else:
        data = plate().to_csv(index=False).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("GZ") else data)
    same(tmp_path / name)
    same(tmp_path)


def test_a_compressed_parquet_file_of_a_pattern(tmp_path):
    """Suffixes before the last are part of the name."""
    pq.write_table(
        open_table(write_csv(tmp_path / "p.csv", plate())).read(COLUMNS),
        tmp_path / "p.1.snappy.PARQUET",
    )
    same(tmp_path / "p.1.snappy.PARQUET")
