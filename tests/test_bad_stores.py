"""HDF5, Zarr, NPZ and AnnData files that cannot be used: one line that names file and remedy."""

import os
import zipfile

import numpy as np
import pandas as pd
import pytest

import wellgram as wg
from helpers.array_files import NEEDED, need, write_arrays
from helpers.small_screens import plate, rxrx3_core, write_csv
from wellgram import InputError, open_map, open_wells, read_map, read_wells, write_map
from wellgram.cli import main

OPTIONS = {"layout": "columns", "perturbation": "label", "control": "c"}
FILES = [".h5", ".h5ad", ".npz"]


@pytest.fixture(params=[*FILES, ".zarr"], scope="module")
def suffix(request):
    need(request.param)
    return request.param


@pytest.fixture
def whole(tmp_path, suffix):
    """A file of 40 wells whose embeddings are most of it."""
    x = np.random.default_rng(0).normal(size=(40, 30))
    labels = [*"cccabcaabb"] * 4
    path = tmp_path / f"plate{suffix}"
    if suffix == ".h5ad":
        anndata = pytest.importorskip("anndata")
        obs = pd.DataFrame({"label": labels}, [f"w{k}" for k in range(40)])
        anndata.AnnData(x, obs).write_h5ad(path)
        return path
    return write_arrays(path, embeddings=x, label=labels)


def refused(path, *words, **options):
    """Check that wells are refused however they are asked for, the words in the message."""
    said = []
    for get in (read_wells, open_wells):
        with pytest.raises(InputError) as problem:
            wg.build_map(get(path, **{**OPTIONS, **options}))
        said.append(str(problem.value))
    for message in said:
        assert message.isprintable()
        missing = [word for word in words if word not in message]
        assert not missing, f"{missing} not in {message!r}"


def bytes_of(path):
    """Return the file that holds most of the embeddings, and its bytes."""
    if path.is_dir():
        chunks = [p for p in (path / "embeddings" / "c").rglob("*") if p.is_file()]
        path = max(chunks, key=lambda p: p.stat().st_size)
    return path, path.read_bytes()


@pytest.mark.parametrize(
    "left",
    [lambda d: d[: len(d) // 2], lambda d: d[:-9], lambda _: b""],
    ids=["half", "end", "empty"],
)
def test_a_file_cut_short(whole, left):
    file, data = bytes_of(whole)
    file.write_bytes(left(data))
    refused(whole, "cannot read", whole.name, "truncated")


def test_metadata_of_a_zarr_store_cut_short(tmp_path):
    path = write_arrays(tmp_path / "e.zarr", embeddings=np.ones((4, 2)), label=[*"abca"])
    for file in sorted(path.rglob("zarr.json")):
        data = file.read_bytes()
        for left in (data[:20], b""):
            file.write_bytes(left)
            refused(path, "cannot read", "e.zarr", "truncated")
        file.write_bytes(data)
    assert len(read_wells(path, **OPTIONS | {"control": []})) == 4


def test_a_chunk_that_is_lost_is_not_read_as_zeros(tmp_path):
    path = write_arrays(
        tmp_path / "e.zarr", chunk=2, embeddings=np.ones((8, 2)), label=[*"abca"] * 2
    )
    file, _ = bytes_of(path)
    file.unlink()
    refused(path, "'embeddings'", "e.zarr", "3 of its 4 chunks", "zeros", "copy", control=[])


@pytest.mark.parametrize("data", [bytes(range(256)) * 40, b"well_id,feature_0\n", b"PK\x03\x04"])
def test_a_file_that_is_not_what_its_name_says(tmp_path, suffix, data):
    path = tmp_path / f"plate{suffix}"
    if suffix == ".zarr":
        path.mkdir()
        (path / "zarr.json").write_bytes(data)
    else:
        path.write_bytes(data)
    refused(path, "cannot read", path.name, "another format")


def test_a_folder_and_a_file_of_the_other_kind(tmp_path, suffix):
    path = tmp_path / f"plate{suffix}"
    path.write_bytes(b"") if suffix == ".zarr" else path.mkdir()
    refused(path, "no file", path.name)
    refused(tmp_path / f"absent{suffix}", "no file", "absent")


@pytest.mark.parametrize("suffix", [".zarr"])
def test_a_folder_that_is_no_store(tmp_path, suffix):
    need(suffix)
    (tmp_path / "plate.zarr").mkdir()
    refused(tmp_path / "plate.zarr", "cannot read", "plate.zarr")


def protected(tmp_path, arrays):
    """Return an NPZ whose members say that they are encrypted, as zip tools write them."""
    path = write_arrays(tmp_path / "plate.npz", **arrays)
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(signature)
        while start >= 0:
            data[start + flags] |= 1
            start = data.find(signature, start + 4)
    path.write_bytes(data)
    return path


def test_a_file_with_a_password(tmp_path):
    path = protected(tmp_path, {"embeddings": np.ones((2, 2)), "label": ["a", "b"]})
    with zipfile.ZipFile(path) as archive, pytest.raises(RuntimeError, match="password"):
        archive.read("label.npy")
    refused(path, "cannot read", "plate.npz", "password", "give it without a password")


def test_a_parquet_with_a_password(tmp_path):
    encryption = pytest.importorskip("pyarrow.parquet.encryption")
    import pyarrow as pa
    import pyarrow.parquet as pq

    class Keys(encryption.KmsClient):
        """Wraps keys with a key that everybody knows."""

        def wrap_key(self, key, _):
            return bytes(b ^ 1 for b in key).hex()

        def unwrap_key(self, key, _):
            return bytes(b ^ 1 for b in bytes.fromhex(key))

    factory = encryption.CryptoFactory(lambda _: Keys())
    keys = factory.file_encryption_properties(
        encryption.KmsConnectionConfig(),
        encryption.EncryptionConfiguration(footer_key="k", uniform_encryption=True),
    )
    path = tmp_path / "plate.parquet"
    table = pa.Table.from_pandas(plate())
    with pq.ParquetWriter(path, table.schema, encryption_properties=keys) as writer:
        writer.write_table(table)
    refused(path, "cannot read", "plate.parquet", "encrypted", "password", layout="cell-painting")


def test_python_objects_are_not_loaded(tmp_path):
    path = tmp_path / "plate.npz"
    np.savez(path, embeddings=np.ones((2, 2)), label=np.array(["a", None], object))
    refused(path, "'label'", "plate.npz", "Python objects", "dtype=str")


# Arrays that do not fit


@pytest.fixture(params=[".h5", ".zarr", ".npz"])
def make(request, tmp_path):
    need(request.param)
    return lambda **arrays: write_arrays(tmp_path / f"e{request.param}", **arrays)


def test_no_arrays(make):
    refused(make(), "e.", "no arrays", "'embeddings'", "'well_id'")


def test_names_of_wells_for_other_rows(make):
    path = make(embeddings=np.ones((4, 2)), well_id=[*"abc"])
    refused(path, "4 rows", "'embeddings'", "'well_id'", "(3,)")


def test_matrices_of_other_rows(make):
    path = make(a=np.ones((4, 2)), b=np.ones((3, 2)), label=[*"abca"])
    refused(path, "'a' has 4", "'b' has 3")


def test_a_column_that_is_absent(make):
    refused(make(embeddings=np.ones((4, 2)), other=[*"abca"]), "'label'", "perturbation", "'other'")


def test_embeddings_that_are_text_or_of_other_shape(make):
    for values in (np.full((4, 2), "x"), np.ones(4), np.ones((4, 2, 2))):
        refused(make(embeddings=values, label=[*"abca"]), "no feature columns", "'label'")


def test_no_rows(make):
    refused(make(embeddings=np.ones((0, 2)), label=np.array([], "U1")), "no rows")


@pytest.mark.parametrize("value", [np.nan, np.inf, 0])
def test_bad_values_are_named_with_their_rows(make, value):
    x = np.ones((40, 3))
    x[25] = value
    path = make(embeddings=x, label=[*"cabb"] * 10, well_id=[f"w{k}" for k in range(40)])
    refused(path, "1 wells", "'w25'", "drop-wells")


def test_the_rows_of_a_bad_value_are_named(make, monkeypatch):
    monkeypatch.setattr("wellgram.io.array_table._PART_BYTES", 1)
    x = np.ones((40, 3))
    x[25] = np.nan
    path = make(embeddings=x, label=[*"cabb"] * 10)
    rows = "rows 26 to 26" if path.suffix == ".npz" else "rows 22 to 28"
    with pytest.raises(InputError, match=rf"{path.name}, {rows} hold a NaN"):
        wg.build_map(open_wells(path, **OPTIONS))


def test_a_file_that_changes_between_passes(make):
    x, label = np.ones((9, 2)), [*"cabcabcab"]
    stream = open_wells(make(embeddings=x, label=label), **OPTIONS)
    make(embeddings=x[:5], label=label[:5])
    with pytest.raises(InputError, match=r"e\..* shrunk"):
        wg.build_map(stream)
    make(embeddings=np.ones((12, 2)), label=label + label[:3])
    with pytest.raises(InputError, match=r"e\..* grown"):
        wg.build_map(stream)


# Maps and the command line


@pytest.mark.parametrize("left", [lambda d: d[: len(d) // 2], lambda _: b""], ids=["half", "empty"])
def test_a_map_cut_short(tmp_path, suffix, left):
    labels = pd.DataFrame({"perturbation": [f"g{k}" for k in range(50)]})
    x = np.random.default_rng(0).normal(size=(50, 40))
    path = tmp_path / f"map{suffix}"
    write_map(wg.PerturbationMap(x, labels), path)
    file, data = bytes_of(path)
    file.write_bytes(left(data))
    for read in (read_map, lambda path: open_map(path)[:]):
        with pytest.raises(InputError, match=rf"cannot read .*{path.name}.*truncated"):
            read(path)


@pytest.mark.parametrize("suffix", [".h5", ".npz", ".h5ad"])
def test_the_command_line_says_it_in_one_line(tmp_path, monkeypatch, capsys, suffix):
    need(suffix)
    values, metadata = rxrx3_core()
    described = write_csv(tmp_path / "m.csv", metadata)
    path = tmp_path / f"e{suffix}"
    if suffix != ".h5ad":
        write_arrays(path, embeddings=values, well_id=metadata["well_id"].to_numpy(str))
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.write_bytes(os.urandom(999))
    command = ["wellgram", "score", path, "--metadata", described, "--out", tmp_path / "out"]
    monkeypatch.setattr("sys.argv", list(map(str, command)))
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: cannot read '{path}'")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("suffix", "module"), NEEDED.items())
def test_a_package_that_is_not_there_is_named_before_the_file_is_read(
    tmp_path, monkeypatch, suffix, module
):
    path = tmp_path / f"e{suffix}"
    path.mkdir() if suffix == ".zarr" else path.write_bytes(b"")

    def without(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr("wellgram.io.read_errors.import_module", without)
    extra = "zarr" if module == "zarr" else "hdf5"  # h5py comes with anndata, and is asked first
    refused(path, "No module named", f"pip install 'wellgram[{extra}]'")
