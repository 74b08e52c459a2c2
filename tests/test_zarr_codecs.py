"""Codecs of Zarr stores: an allow list, so that no store runs code."""

import contextlib
import gc
import json
import os
import pickle
import shutil

import numpy as np
import pytest

from helpers.array_files import write_arrays
from wellgram import InputError, open_wells, read_wells

zarr = pytest.importorskip("zarr")
numcodecs = pytest.importorskip("numcodecs")

LABELS = [*"cabcab"] * 5
OPTIONS = {"layout": "columns", "perturbation": "label", "control": "c"}
PICKLE = {"id": "pickle", "protocol": 5}
TEXT = {"id": "vlen-utf8"}


class Flag:
    """What makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture(autouse=True)
def _unpickling_allowed(monkeypatch):
    """Let numcodecs unpickle, as its older releases do."""
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)


def write_old_array(store, name, values, **metadata):
    """Write an array of Zarr 2 that has one chunk of plain bytes."""
    values = np.asarray(values)
    folder = store / name
    folder.mkdir(parents=True)
    shape = list(values.shape)
    about = {"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": values.dtype.str}
    about |= {"compressor": None, "filters": None, "fill_value": None, "order": "C", **metadata}
    (folder / ".zarray").write_text(json.dumps(about))
    (folder / ".".join("0" * values.ndim)).write_bytes(values.tobytes())


def old_store(path):
    """Write a store of Zarr 2 with embeddings and labels."""
    path.mkdir()
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    write_old_array(path, "embeddings", np.random.default_rng(0).normal(size=(30, 4)))
    write_old_array(path, "label", LABELS)
    return path


def refused(path, codec, *arrays):
    """Check that wells are refused, however they are asked for."""
    for get in (read_wells, open_wells):
        with pytest.raises(InputError, match="known to run no code") as problem:
            get(path, **OPTIONS)
        assert repr(codec) in str(problem.value)
        assert path.name in str(problem.value)
        assert any(repr(array) in str(problem.value) for array in arrays)


@pytest.mark.parametrize("array", ["well_id", "note", "embeddings"])
@pytest.mark.parametrize(
    ("dtype", "filters", "compressor"),
    [
        ("<i4", None, PICKLE),
        ("<i4", [PICKLE], None),
        ("|O", [PICKLE], None),
        ("|O", [TEXT, PICKLE], None),
        ("|O", [PICKLE, TEXT], None),
        ("|O", [TEXT], PICKLE),
        ("<U2", [{"id": "zlib"}, PICKLE], {"id": "zstd"}),
    ],
)
def test_an_old_store_that_unpickles_is_refused(tmp_path, array, dtype, filters, compressor):
    path = old_store(tmp_path / "e.zarr")
    shutil.rmtree(path / array, ignore_errors=True)
    shape = (30, 4) if array == "embeddings" else (30,)
    metadata = {"dtype": dtype, "filters": filters, "compressor": compressor}
    write_old_array(path, array, np.zeros(shape), **metadata)
    (path / array / ".".join("0" * len(shape))).write_bytes(pickle.dumps(Flag(tmp_path / "ran")))
    refused(path, "pickle", array)
    assert not (tmp_path / "ran").exists()


def test_the_pickle_would_run_without_the_allow_list(tmp_path):
    path = old_store(tmp_path / "e.zarr")
    write_old_array(path, "note", np.zeros(30), dtype="|O", filters=[TEXT], compressor=PICKLE)
    (path / "note" / "0").write_bytes(pickle.dumps(Flag(tmp_path / "ran")))
    with contextlib.suppress(TypeError, ValueError):  # what it unpickles to is no text
        zarr.open_group(path, mode="r")["note"][:]
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "codecs",
    [
        ["numcodecs.pickle"],
        [{"name": "numcodecs.pickle", "configuration": {}}],
        [{"name": "bytes"}, {"name": "numcodecs.pickle"}],
        [{"name": "sharding_indexed", "configuration": {"codecs": [{"name": "numcodecs.pickle"}]}}],
    ],
)
def test_a_new_store_with_another_codec_is_refused(tmp_path, codecs):
    path = write_arrays(tmp_path / "e.zarr", embeddings=np.ones((30, 2)), label=LABELS)
    file = path / "label" / "zarr.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"codecs": codecs}))
    refused(path, "numcodecs.pickle", "label")


@pytest.mark.parametrize("codec", ["own", None, 7, ["bytes"]])
def test_what_is_no_known_name_is_refused(tmp_path, codec):
    path = old_store(tmp_path / "e.zarr")
    write_old_array(path, "note", np.zeros(30), filters=[{"id": codec}])
    refused(path, codec, "note")


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
@pytest.mark.parametrize("version", [2, 3])
def test_consolidated_metadata_are_checked(tmp_path, version):
    path = tmp_path / "e.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=version)
    group.create_array("embeddings", data=np.random.default_rng(0).normal(size=(30, 4)))
    group.create_array("label", data=np.array(LABELS, np.dtypes.StringDType()))
    zarr.consolidate_metadata(path, zarr_format=version)
    assert len(read_wells(path, **OPTIONS)) == 30
    file = path / {2: ".zmetadata", 3: "zarr.json"}[version]
    about = json.loads(file.read_text())
    if version == 2:
        about["metadata"]["label/.zarray"]["filters"] = [PICKLE]
    else:
        about["consolidated_metadata"]["metadata"]["label"]["codecs"].append({"name": "pickle"})
    file.write_text(json.dumps(about))
    refused(path, "pickle", "label")


def test_nothing_is_printed_of_arrays_that_are_refused_together(tmp_path, capfd):
    path = write_arrays(tmp_path / "e.zarr", embeddings=np.ones((30, 2)), label=LABELS)
    for file in path.glob("*/zarr.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"codecs": ["own"]}))
    refused(path, "own", "label", "embeddings")
    gc.collect()  # where tasks that failed would be heard of
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("damage", [("float64", "floaq64"), ('"shape"', '"shapf"'), ("{", "")])
def test_nothing_is_printed_of_damaged_metadata(tmp_path, capfd, damage):
    path = write_arrays(tmp_path / "e.zarr", embeddings=np.ones((30, 2)), label=LABELS)
    for file in path.glob("*/zarr.json"):
        file.write_text(file.read_text().replace(*damage).replace('"string"', '"strinq"'))
    with pytest.raises(InputError, match=r"cannot read .*e\.zarr.*truncated"):
        read_wells(path, **OPTIONS)
    gc.collect()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("filters", "compressor"),
    [
        (None, numcodecs.Blosc()),
        (None, numcodecs.LZ4()),
        (None, numcodecs.Zstd()),
        ([numcodecs.Delta("<f8"), numcodecs.Shuffle(8)], numcodecs.Zlib()),
        ([numcodecs.FixedScaleOffset(0, 1, "<f8", "<i4")], numcodecs.BZ2()),
        ([numcodecs.CRC32(), numcodecs.Fletcher32()], numcodecs.LZMA()),
    ],
)
def test_codecs_of_numbers_are_read(tmp_path, filters, compressor):
    path = old_store(tmp_path / "e.zarr")
    wanted = np.arange(120.0).reshape(30, 4) + 1
    zarr.open_group(path).create_array(
        "embeddings", data=wanted, filters=filters, compressors=compressor, overwrite=True
    )
    assert (read_wells(path, **OPTIONS).embeddings == wanted).all()


def test_text_of_an_old_store_is_read(tmp_path):
    path = old_store(tmp_path / "e.zarr")
    write_old_array(path, "well_id", np.zeros(30), dtype="|O", filters=[TEXT])
    names = np.array([f"w{k}" for k in range(30)], object)
    (path / "well_id" / "0").write_bytes(numcodecs.VLenUTF8().encode(names))
    assert list(read_wells(path, **OPTIONS).metadata["well_id"]) == list(names)


@pytest.mark.filterwarnings("ignore:Writing zarr v2 data will no longer be the default")
def test_a_store_of_anndata_is_checked(tmp_path):
    anndata = pytest.importorskip("anndata")
    path = tmp_path / "e.zarr"
    about = anndata.AnnData(np.ones((30, 2)))
    about.obs["label"] = LABELS
    about.write_zarr(path)
    assert len(read_wells(path, **OPTIONS)) == 30
    codes = path / "obs" / "label" / "codes"
    changes = {".zarray": {"filters": [PICKLE]}, "zarr.json": {"codecs": ["pickle"]}}
    file = next(codes / name for name in changes if (codes / name).exists())
    file.write_text(json.dumps(json.loads(file.read_text()) | changes[file.name]))
    for consolidated in path.glob(".zmetadata"):
        consolidated.unlink()
    root = path / "zarr.json"
    if root.exists():
        about = json.loads(root.read_text())
        about.pop("consolidated_metadata", None)
        root.write_text(json.dumps(about))
    refused(path, "pickle", "obs/label/codes")
