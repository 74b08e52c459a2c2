"""Wells in HDF5, Zarr and NPZ: embeddings beside well_id, and labels beside them or in a table."""

import io
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wellgram as wg
from helpers.array_files import SUFFIXES, need, write_arrays
from helpers.small_screens import plate, rxrx3_core, write_csv, write_wide
from wellgram import open_wells, read_wells
from wellgram.io.npz import open_npz
from wellgram.label_rules.missing_labels import MISSING_TEXTS


@pytest.fixture(params=SUFFIXES, scope="module")
def suffix(request):
    need(request.param)
    return request.param


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts of one chunk."""
    monkeypatch.setattr("wellgram.io.array_table._PART_BYTES", 1)


def same(found, expected):
    pd.testing.assert_frame_equal(found.metadata, expected.metadata)
    assert found.embeddings.dtype == expected.embeddings.dtype
    np.testing.assert_array_equal(found.embeddings, expected.embeddings)


@pytest.mark.parametrize("ids", ["U", "S"])
def test_embeddings_and_well_id_are_joined_with_metadata(tmp_path, suffix, ids):
    values, metadata = rxrx3_core()
    order = np.random.default_rng(1).permutation(len(values))
    described = write_csv(tmp_path / "m.csv", metadata)
    well_id = metadata["well_id"].to_numpy(str)[order].astype(ids)
    path = write_arrays(tmp_path / f"e{suffix}", embeddings=values[order], well_id=well_id)
    parquet = write_wide(tmp_path / "e.parquet", values[order], well_id.astype(str))
    expected = read_wells(parquet, described)
    same(read_wells(path, described), expected)
    same(open_wells(path, described).read(), expected)


@pytest.mark.filterwarnings("ignore:5 rows are averaged into 2 wells")
def test_repeats_are_averaged_and_wells_left_out(tmp_path, suffix):
    values, metadata = rxrx3_core()
    twice = np.r_[0:30, 3, 3, 8]
    well_id = metadata["well_id"].to_numpy(str)[twice]
    described = write_csv(tmp_path / "m.csv", metadata[2:])
    path = write_arrays(tmp_path / f"e{suffix}", embeddings=values[twice], well_id=well_id)
    parquet = write_wide(tmp_path / "e.parquet", values[twice], well_id)
    expected = read_wells(parquet, described, allow_unmatched=True)
    same(read_wells(path, described, allow_unmatched=True), expected)
    assert len(expected) == 28


def test_labels_beside_the_embeddings(tmp_path, suffix):
    frame = plate()
    columns = {name: frame[name].to_numpy() for name in ("Metadata_Plate", "Metadata_Well")}
    path = write_arrays(
        tmp_path / f"p{suffix}",
        embeddings=frame.filter(like="Cells_").to_numpy(),
        well_id=[f"P1_{well}" for well in frame["Metadata_Well"]],
        Metadata_broad_sample=frame["Metadata_broad_sample"].to_numpy(str),
        Metadata_dose=frame["Metadata_dose"],
        feature_names=["a", "b", "c", "d", "e", "f"],
        **{name: values.astype(str) for name, values in columns.items()},
    )
    options = {"layout": "cell-painting", "dose": "Metadata_dose"}
    wells = read_wells(path, columns=["Metadata_Well"], **options)
    expected = read_wells(
        write_csv(tmp_path / "p.csv", frame), columns=["Metadata_Well"], **options
    )
    named = [f"P1_{well}" for well in frame["Metadata_Well"]]
    same(wells, wg.Wells(expected.embeddings, expected.metadata.assign(well_id=named)))


def test_missing_values_are_empty_text_and_nan(tmp_path, suffix):
    """As in a csv; arrays have no other way to say so."""
    frame = plate().assign(Metadata_dose=[np.nan] * 4 + [1, 10] * 6)
    text = [f"Metadata_{name}" for name in ("Plate", "Well", "broad_sample", "moa")]
    arrays = {name: frame[name].fillna("").to_numpy(str) for name in text}
    path = write_arrays(
        tmp_path / f"p{suffix}",
        embeddings=frame.filter(like="Cells_").to_numpy(),
        Metadata_dose=frame["Metadata_dose"],
        **arrays,
    )
    options = {"layout": "cell-painting", "dose": "Metadata_dose", "columns": ["Metadata_moa"]}
    same(read_wells(path, **options), read_wells(write_csv(tmp_path / "p.csv", frame), **options))
    with pytest.raises(wg.InputError, match="6 wells have no value in column 'Metadata_moa'"):
        read_wells(path, layout="cell-painting", perturbation="Metadata_moa")


def test_several_files_and_a_folder_of_them(tmp_path, suffix):
    values, metadata = rxrx3_core()
    described = write_csv(tmp_path / "m.csv", metadata)
    ids = metadata["well_id"].to_numpy(str)
    folder = tmp_path / "plates"
    folder.mkdir()
    paths = [
        write_arrays(folder / f"{k}{suffix}", embeddings=values[part], well_id=ids[part])
        for k, part in enumerate((slice(0, 20), slice(20, 32)))
    ]
    options = {
        "layout": "columns", "perturbation": "treatment", "well_id": "well_id",
        "control": "EMPTY_control", "batch": "experiment_name",
    }  # fmt: skip
    whole = read_wells(paths, described, **options)
    np.testing.assert_array_equal(whole.embeddings, values)
    same(read_wells(folder, described, **options), whole)


@pytest.mark.parametrize(
    ("given", "expected"), [("f2", "f4"), ("f4", "f4"), (">f4", "f4"), ("f8", "f8"), ("i4", "f8")]
)
def test_numbers_of_every_kind(tmp_path, suffix, given, expected):
    if suffix == ".zarr" and given == ">f4":
        pytest.skip("Zarr 3 keeps bytes in the order of a codec, not of a dtype")
    x = np.arange(1, 25).reshape(8, 3).astype(given)
    path = write_arrays(tmp_path / f"e{suffix}", chunk=3, embeddings=x, label=[*"ccabcaab"])
    wells = read_wells(path, layout="columns", perturbation="label", control="c")
    assert wells.embeddings.dtype == expected
    np.testing.assert_array_equal(wells.embeddings, x.astype(expected))


@pytest.mark.filterwarnings("ignore:.*are spelt in several ways")
@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 20), chunk=st.integers(1, 9), part=st.integers(1, 300), data=st.data())
def test_rows_come_whole_however_they_are_cut(suffix, tmp_path_factory, rows, chunk, part, data):
    path = tmp_path_factory.mktemp("cut") / f"e{suffix}"
    x = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=3)
    text = text.filter(lambda label: label.strip() not in MISSING_TEXTS)
    labels = data.draw(st.lists(text, min_size=rows, max_size=rows))
    write_arrays(path, chunk=chunk, embeddings=x, label=np.array(labels, np.str_))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wellgram.io.array_table._PART_BYTES", part)
        stream = open_wells(path, layout="columns", perturbation="label")
    np.testing.assert_array_equal(stream.read().embeddings, x)
    assert stream.metadata["perturbation"].tolist() == labels


def test_a_stream_can_be_sent_to_another_process(tmp_path, suffix):
    x = np.ones((4, 2))
    path = write_arrays(tmp_path / f"e{suffix}", embeddings=x, label=[*"abca"])
    stream = pickle.loads(pickle.dumps(open_wells(path, layout="columns", perturbation="label")))
    np.testing.assert_array_equal(stream.read().embeddings, x)


def test_one_of_several_matrices_is_named(tmp_path, suffix):
    x = np.random.default_rng(0).normal(size=(4, 3))
    path = write_arrays(tmp_path / f"e{suffix}", embeddings=x, pca=x[:, :2] * 2, label=[*"abca"])
    options = {"layout": "columns", "perturbation": "label"}
    np.testing.assert_array_equal(read_wells(path, **options).embeddings, x)
    wells = read_wells(path, features="pca", **options)
    np.testing.assert_array_equal(wells.embeddings, x[:, :2] * 2)


def test_other_arrays_are_let_alone(tmp_path, suffix):
    x = np.random.default_rng(0).normal(size=(4, 3))
    path = write_arrays(
        tmp_path / f"e{suffix}",
        embeddings=x,
        label=[*"abca"],
        components=np.ones((2, 3)),
        names=[*"abc"],
        cube=np.ones((4, 3, 2)),
        version=["1.0"],
    )
    if suffix == ".h5":
        import h5py

        with h5py.File(path, "a") as file:
            file["pairs"] = np.zeros(4, [("a", "f4"), ("b", "i4")])
            file["scalar"] = 3
            file["group/embeddings"] = x[:2]
    wells = read_wells(path, layout="columns", perturbation="label")
    np.testing.assert_array_equal(wells.embeddings, x)


def test_a_matrix_is_not_copied_into_a_part(monkeypatch):
    """Of arrays in memory: rows that lie side by side are handed on as they are."""
    from wellgram.io.array_table import _vectors

    x = np.random.default_rng(0).normal(size=(9, 4))
    part = _vectors(x, "x", 2, 7)
    assert np.shares_memory(part.flatten().to_numpy(), x)
    strided = _vectors(np.asfortranarray(x), "x", 2, 7)
    np.testing.assert_array_equal(strided.flatten().to_numpy().reshape(5, 4), x[2:7])


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "i2"])
def test_some_rows_of_an_npz_are_read_alone(tmp_path, monkeypatch, rng, dtype):
    x = (100 * rng.normal(size=(30, 4))).astype(dtype)
    path, packed = tmp_path / "e.npz", tmp_path / "packed.npz"
    np.savez(path, labels=np.arange(30), embeddings=x, turned=np.asfortranarray(x))
    np.savez_compressed(packed, labels=np.arange(30), embeddings=x)
    for file, name in ((path, "embeddings"), (path, "turned"), (packed, "embeddings")):
        with open_npz(file) as arrays:
            for rows in (slice(0, 30), slice(3, 9), slice(9, 9), slice(28, 40), slice(2, 20, 3)):
                np.testing.assert_array_equal(arrays[name][rows], x[rows])
            assert arrays[name][1:3].dtype == dtype

    def read_all(member):
        raise AssertionError("all was read")

    monkeypatch.setattr("wellgram.io.npz._Member._values", property(read_all))
    with open_npz(path) as arrays:
        np.testing.assert_array_equal(arrays["embeddings"][5:7], x[5:7])
        with pytest.raises(AssertionError, match="all was read"):
            arrays["turned"][5:7]


def test_a_member_of_an_npz_that_is_shorter_than_it_says(tmp_path, rng):
    """Rows beyond its end would be bytes of the next one."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (30, 4)}
    )
    with zipfile.ZipFile(tmp_path / "e.npz", "w") as archive:
        archive.writestr("embeddings.npy", header.getvalue() + bytes(20 * 4 * 8))
        archive.writestr("more", bytes(2000))
    with (
        open_npz(tmp_path / "e.npz") as arrays,
        pytest.raises(ValueError, match="EOF"),
    ):
        arrays["embeddings"][25:28]


@pytest.mark.parametrize(
    "value", [np.array("x"), np.array(7), np.array(["x"] * 4), np.ones((1, 2))]
)
def test_an_array_of_others_may_have_the_name_of_our_note(tmp_path, suffix, value):
    if suffix == ".zarr" and value.dtype.kind == "U":
        value = value.astype(np.dtypes.StringDType())
    x = np.random.default_rng(0).normal(size=(4, 3))
    path = write_arrays(tmp_path / f"e{suffix}", embeddings=x, label=[*"cabc"], wellgram=value)
    wells = read_wells(path, layout="columns", perturbation="label", control="c")
    np.testing.assert_array_equal(wells.embeddings, x)
