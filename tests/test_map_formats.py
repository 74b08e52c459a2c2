"""Maps as AnnData, HDF5, Zarr and NPZ: what is written comes back, whatever the labels are."""

import datetime
import importlib
import pickle
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.array_files import NEEDED, need
from wellgram import (
    InputError,
    PerturbationMap,
    from_anndata,
    neighbors,
    open_map,
    read_map,
    to_anndata,
    write_map,
)

FORMATS = [".parquet", ".h5ad", ".h5", ".hdf5", ".zarr", ".npz"]


@pytest.fixture(params=FORMATS, scope="module")
def suffix(request):
    need(request.param)
    return request.param


@pytest.fixture
def map_(rng):
    """A map with labels of every kind, missing values among them."""
    labels = pd.DataFrame(
        {
            "perturbation": ["PLK1", "Cmp_1", "Cmp_1", "東 é", ""],
            "dose": [np.nan, 0.1, 2.5, np.nan, np.inf],
            "n_wells": [6, 1, 2, 3, 2**53 + 1],
            "pathway": ["a", None, "b", None, "a"],
            "plate/row": pd.array([1, None, 3, None, 2**62 + 1], "Int64"),
            "small": np.arange(5, dtype=np.int8),
            "hit": [True, False, True, True, False],
            "seen": pd.array([True, None, False, None, True], "boolean"),
            "kind": pd.Categorical(["x", None, "z", "x", "x"], ["z", "y", "x"], ordered=True),
            "level": pd.Categorical([3, 1, 3, None, 1], [1, 2, 3]),
            "targets": [["MTOR", "PLK1"], [], ["A"], None, ["a, b"]],
            "when": pd.to_datetime(
                ["2020-01-01 00:00:00", None, "2021-02-03 04:05:06", None, "1960-01-01 00:00:00"]
            ),
            "nothing": [None] * 5,
            "embeddings": [1.5, 2, 3, 4, 5],
            "missing": ["no", "yes", "no", "yes", None],
        }
    )
    return PerturbationMap(
        rng.normal(size=(5, 7)), labels, {"align": "tvn", "seed": 3, "x": [None]}
    )


def check_same(back, given):
    assert back.embeddings.dtype == given.embeddings.dtype
    np.testing.assert_array_equal(back.embeddings, given.embeddings)
    assert back.provenance == given.provenance
    plain = [
        labels.assign(targets=[None if v is None else list(v) for v in labels["targets"]])
        if "targets" in labels
        else labels
        for labels in (back.labels, given.labels)
    ]
    pd.testing.assert_frame_equal(*plain)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_labels_of_every_kind_come_back(tmp_path, map_, suffix, dtype):
    given = PerturbationMap(map_.embeddings.astype(dtype), map_.labels, map_.provenance)
    write_map(given, tmp_path / f"map{suffix}")
    check_same(read_map(tmp_path / f"map{suffix}"), given)
    assert [path.name for path in tmp_path.iterdir()] == [f"map{suffix}"]


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
COLUMNS = {
    "str": st.one_of(st.none(), text),
    "Int64": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    "uint8": st.integers(0, 255),
    "float64": st.floats(),
    "float32": st.floats(width=32),
    "bool": st.booleans(),
    "boolean": st.one_of(st.none(), st.booleans()),
    "category": st.one_of(st.none(), st.sampled_from(["a", "b", "c/d"])),
}


@st.composite
def maps(draw):
    rows = draw(st.integers(1, 4))
    kinds = draw(st.lists(st.sampled_from(list(COLUMNS)), max_size=4))
    names = draw(st.lists(text, min_size=len(kinds), max_size=len(kinds), unique=True))
    labels = {"perturbation": [f"g{k % 3}" for k in range(rows)]}
    for name, kind in zip(names, kinds, strict=True):
        values = draw(st.lists(COLUMNS[kind], min_size=rows, max_size=rows))
        kind = object if kind == "str" else kind
        labels.setdefault(name, pd.Series(values, dtype=kind))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x = np.array(draw(st.lists(st.floats(-9, 9), min_size=rows * 2, max_size=rows * 2)), dtype)
    return PerturbationMap(x.reshape(rows, 2), pd.DataFrame(labels), {"note": draw(text)})


@settings(max_examples=25, deadline=None)
@given(map_=maps())
def test_any_map_comes_back(suffix, map_):
    """In the types that Arrow makes of its labels."""
    with tempfile.TemporaryDirectory() as folder:
        write_map(map_, Path(folder) / f"map{suffix}")
        back = read_map(Path(folder) / f"map{suffix}")
    labels = pa.Table.from_pandas(map_.labels, preserve_index=False).to_pandas()
    check_same(back, replace(map_, labels=labels))


def test_a_map_is_replaced_whole_and_stays_where_writing_fails(tmp_path, map_, suffix):
    path = tmp_path / f"map{suffix}"
    write_map(PerturbationMap(map_.embeddings[:2], map_.labels[:2]), path)
    write_map(map_, path)
    check_same(read_map(path), map_)
    with pytest.raises(TypeError):
        write_map(PerturbationMap(map_.embeddings, map_.labels, {"not JSON": {1}}), path)
    check_same(read_map(path), map_)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_an_open_map_is_read_by_ranges(tmp_path, map_, suffix):
    write_map(map_, tmp_path / f"map{suffix}")
    opened = open_map(tmp_path / f"map{suffix}")
    assert (opened.shape, opened.dtype) == ((5, 7), np.float64)
    for rows in (slice(None), slice(2, 4), slice(4, 9), slice(3, 3), slice(4, 2), slice(0, 5, 2)):
        np.testing.assert_array_equal(opened[rows], map_.embeddings[rows])
    pd.testing.assert_frame_equal(neighbors(opened, 2).table, neighbors(map_, 2).table)


def test_an_open_map_goes_to_processes_whose_folder_is_another(tmp_path, monkeypatch, map_, suffix):
    write_map(map_, tmp_path / f"map{suffix}")
    monkeypatch.chdir(tmp_path)
    sent = pickle.dumps(open_map(f"map{suffix}"))
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(pickle.loads(sent)[1:3], map_.embeddings[1:3])


def test_a_map_of_no_rows(tmp_path, map_, suffix):
    given = PerturbationMap(np.empty((0, 7), np.float32), map_.labels[:0].reset_index(drop=True))
    write_map(given, tmp_path / f"map{suffix}")
    check_same(read_map(tmp_path / f"map{suffix}"), given)


def test_files_are_what_their_libraries_read(tmp_path, map_):
    """Matrices and vectors under plain names; AnnData of obs and X."""
    h5py = pytest.importorskip("h5py")
    anndata = pytest.importorskip("anndata")
    for name in ("map.h5", "map.npz", "map.h5ad"):
        write_map(map_, tmp_path / name)
    with h5py.File(tmp_path / "map.h5") as file:
        np.testing.assert_array_equal(file["embeddings"], map_.embeddings)
        assert file["perturbation"].asstr()[:].tolist() == map_.labels["perturbation"].tolist()
        assert file["missing/pathway"][:].tolist() == [False, True, False, True, False]
    with np.load(tmp_path / "map.npz") as file:
        np.testing.assert_array_equal(file["embeddings"], map_.embeddings)
        assert file["n_wells"].tolist() == map_.labels["n_wells"].tolist()
    back = anndata.read_h5ad(tmp_path / "map.h5ad")
    np.testing.assert_array_equal(back.X, map_.embeddings)
    assert back.obs["kind"].dtype == "category"
    check_same(read_map(back), map_)


def test_what_is_made_of_an_anndata_object_since(map_):
    """Rows are left out, columns are added or changed: what remains is kept."""
    pytest.importorskip("anndata")
    adata = to_anndata(map_)[[4, 1]].copy()
    adata.obs["cluster"] = [7, 8]
    del adata.obs["hit"]
    adata.obs["n_wells"] = ["many", "one"]
    adata.obs["kind"] = adata.obs["kind"].cat.rename_categories({"x": "new"})
    back = from_anndata(adata)
    assert back.labels["perturbation"].tolist() == ["", "Cmp_1"]
    assert back.labels["cluster"].tolist() == [7, 8]
    assert back.labels["n_wells"].tolist() == ["many", "one"]
    assert back.labels["kind"][0] == "new"
    assert "hit" not in back.labels
    np.testing.assert_array_equal(back.embeddings, map_.embeddings[[4, 1]])
    assert back.provenance == map_.provenance


def test_maps_that_others_made(tmp_path, rng):
    x = rng.normal(size=(3, 2)).astype(np.float16)
    np.savez(tmp_path / "map.npz", embeddings=x, perturbation=["a", "b", "c"], d=np.ones(2))
    back = read_map(tmp_path / "map.npz")
    assert back.labels.to_dict("list") == {"perturbation": ["a", "b", "c"]}
    np.testing.assert_array_equal(back.embeddings, x.astype(np.float32))
    assert open_map(tmp_path / "map.npz").dtype == np.float32
    anndata = pytest.importorskip("anndata")
    obs = pd.DataFrame({"perturbation": ["a", "b", "c"]}, index=list("xyz"))
    assert read_map(anndata.AnnData(x.astype("f4"), obs)).labels["perturbation"].tolist() == [
        *"abc"
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.pop("embeddings"), "no map.*no matrix 'embeddings'"),
        (lambda a: a.update(embeddings=np.array([["x"]])), "no map.*'embeddings'"),
        (lambda a: a.pop("perturbation"), "'perturbation'"),
        (lambda a: a.update(wellgram=np.array(["{]"])), "wellgram wrote into .*map.npz.* damaged"),
        (lambda a: a.update(wellgram=np.array(["{}"])), "damaged"),
    ],
)
def test_what_is_no_map(tmp_path, change, words):
    arrays = {"embeddings": np.ones((1, 2)), "perturbation": np.array(["a"])}
    change(arrays)
    np.savez(tmp_path / "map.npz", **arrays)
    for read in (read_map, open_map):
        if "'perturbation'" in words and read is open_map:
            continue  # whose labels are not asked
        with pytest.raises(InputError, match=words):
            read(tmp_path / "map.npz")


def test_a_format_that_there_is_not(tmp_path, map_):
    for name in ("map.xlsx", "map", "map.csv"):
        with pytest.raises(InputError, match=rf"'{name}'") as problem:
            write_map(map_, tmp_path / name)
        assert ".h5ad" in str(problem.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("values", "words"),
    [([b"\xff", b"a"], "binary"), ([datetime.timedelta(1), None], "duration")],
)
def test_labels_that_only_parquet_holds(tmp_path, values, words):
    labels = pd.DataFrame({"perturbation": ["a", "b"], "odd": values})
    map_ = PerturbationMap(np.ones((2, 2)), labels)
    write_map(map_, tmp_path / "map.parquet")
    pd.testing.assert_frame_equal(read_map(tmp_path / "map.parquet").labels, labels)
    with pytest.raises(InputError, match=rf"{words}.*'odd'.*\.parquet"):
        write_map(map_, tmp_path / "map.npz")


def test_text_that_arrays_would_cut(tmp_path):
    map_ = PerturbationMap(np.ones((1, 2)), pd.DataFrame({"perturbation": ["a\0"]}))
    with pytest.raises(InputError, match=r"'perturbation' holds a NUL.*\.parquet"):
        write_map(map_, tmp_path / "map.npz")


def test_a_folder_with_other_files_is_not_replaced(tmp_path, map_):
    (tmp_path / "map.zarr").mkdir()
    (tmp_path / "map.zarr" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"map.zarr' holds other files"):
        write_map(map_, tmp_path / "map.zarr")
    assert (tmp_path / "map.zarr" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(("suffix", "module"), NEEDED.items())
def test_a_package_that_is_not_there_is_named(tmp_path, map_, monkeypatch, suffix, module):
    need(suffix)
    write_map(map_, tmp_path / f"map{suffix}")
    found = importlib.import_module

    def without(name):
        if name.split(".")[0] == module:
            raise ImportError(f"No module named {name!r}")
        return found(name)

    monkeypatch.setattr("wellgram.io.read_errors.import_module", without)
    extra = {"h5py": "hdf5"}.get(module, module)
    for act in (
        lambda: read_map(tmp_path / f"map{suffix}"),
        lambda: write_map(map_, tmp_path / f"new{suffix}"),
    ):
        with pytest.raises(InputError, match=rf"{module}.*pip install 'wellgram\[{extra}\]'"):
            act()
    assert [path.name for path in tmp_path.iterdir()] == [f"map{suffix}"]


def test_an_array_that_is_gone_from_a_zarr_map_is_named(tmp_path):
    pytest.importorskip("zarr", reason="zarr is absent")
    labels = pd.DataFrame({"perturbation": ["a", "b"], "dose": [1.0, np.nan]})
    path = tmp_path / "map.zarr"
    for lost in ("missing/dose", "dose", "wellgram"):
        write_map(PerturbationMap(np.eye(2, dtype=np.float32), labels, {}), path)
        shutil.rmtree(path / lost)
        with pytest.raises(InputError, match=f"array '{lost}' is gone"):
            read_map(path)


def test_labels_that_are_not_as_written_are_found(tmp_path):
    labels = pd.DataFrame({"perturbation": ["a", "b"], "dose": [1.0, 2.0]})
    write_map(PerturbationMap(np.eye(2, dtype=np.float32), labels, {}), tmp_path / "map.npz")
    with np.load(tmp_path / "map.npz", allow_pickle=False) as saved:
        arrays = dict(saved)
    np.savez(tmp_path / "other.npz", **(arrays | {"dose": np.array([1.0, 3.0])}))
    with pytest.raises(InputError, match=r"label column 'dose' of .*checksum differs"):
        read_map(tmp_path / "other.npz")
    np.savez(tmp_path / "more.npz", **(arrays | {"note": np.array([5, 6])}))
    assert read_map(tmp_path / "more.npz").labels["note"].tolist() == [5, 6]
