"""HDF5 files that name other files: these are refused, and nothing is read."""

import os

import numpy as np
import pytest

from wellgram import InputError, build_map, open_wells, read_map, read_wells

h5py = pytest.importorskip("h5py")

LABELS = [*"cabcab"] * 5
OPTIONS = {"layout": "columns", "perturbation": "label", "control": "c"}


def write_wells(path, *without):
    """Write embeddings and labels, and return the open file."""
    file = h5py.File(path, "w")
    arrays = {"embeddings": np.random.default_rng(0).normal(size=(30, 4)), "label": LABELS}
    for name, values in arrays.items():
        if name not in without:
            file[name] = values
    return file


def refused(path, what, target):
    """Check that a file is refused, however it is asked for."""
    for get in (read_wells, open_wells, read_map):
        with pytest.raises(InputError, match="leads out of the file") as problem:
            get(path, **(OPTIONS if get is not read_map else {}))
        for word in (what, path.name, repr(str(target)), "other files are not read", "copy"):
            assert word in str(problem.value)


@pytest.fixture
def other(tmp_path):
    """A file whose bytes could pass as labels."""
    path = tmp_path / "other.bin"
    path.write_bytes(b"".join(label.encode() for label in LABELS))
    return path


@pytest.mark.parametrize("within", ["label", "uns/deep/label"])
def test_values_that_lie_in_another_file(tmp_path, other, within):
    with write_wells(tmp_path / "e.h5", within) as file:
        file.create_dataset(within, (30,), "S1", external=[(str(other), 0, 30)])
    refused(tmp_path / "e.h5", f"array {within!r}", other)


@pytest.mark.parametrize("within", ["label", "uns/deep/label"])
def test_a_link_to_another_file(tmp_path, within):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["label"] = LABELS
    with write_wells(tmp_path / "e.h5", within) as file:
        file[within] = h5py.ExternalLink("other.h5", "label")
    refused(tmp_path / "e.h5", f"link {within!r}", "other.h5")


def test_a_soft_link_through_a_link_to_another_file(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["label"] = LABELS
    with write_wells(tmp_path / "e.h5", "label") as file:
        file["away"] = h5py.ExternalLink("other.h5", "/")
        file["label"] = h5py.SoftLink("/away/label")
    refused(tmp_path / "e.h5", "link 'away'", "other.h5")


@pytest.mark.parametrize("limit", [30, None])
def test_a_virtual_dataset_of_another_file(tmp_path, limit):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.create_dataset("x", data=np.ones((30, 4)), maxshape=(limit, 4), chunks=(5, 4))
    with write_wells(tmp_path / "e.h5", "embeddings") as file:
        layout = h5py.VirtualLayout((30, 4), "f8", maxshape=(limit, 4))
        source = h5py.VirtualSource("other.h5", "x", (30, 4), maxshape=(limit, 4))
        rows = h5py.h5s.UNLIMITED if limit is None else limit
        layout[0:rows] = source[0:rows]
        file.create_virtual_dataset("embeddings", layout)
    refused(tmp_path / "e.h5", "array 'embeddings'", "other.h5")


def test_a_file_that_is_never_opened_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # whoever opens it waits for ever
    with write_wells(tmp_path / "e.h5", "label") as file:
        file["label"] = h5py.ExternalLink(str(tmp_path / "pipe"), "label")
    refused(tmp_path / "e.h5", "link 'label'", tmp_path / "pipe")


def test_what_stays_within_the_file_is_read(tmp_path):
    with write_wells(tmp_path / "e.h5", "label") as file:
        file["kept/names"] = LABELS
        file["label"] = h5py.SoftLink("/kept/names")
        file["again"] = file["kept"]  # a hard link
        file["kept/above"] = file["kept"]  # and one in a circle
        layout = h5py.VirtualLayout((30,), "f8")
        layout[:] = h5py.VirtualSource(".", "embeddings", (30, 4))[:, 0]
        file.create_virtual_dataset("first", layout)
    wells = read_wells(tmp_path / "e.h5", **OPTIONS, columns=["first"])
    assert list(wells.metadata["perturbation"]) == LABELS
    assert (wells.metadata["first"] == wells.embeddings[:, 0]).all()
    assert len(build_map(open_wells(tmp_path / "e.h5", **OPTIONS)).labels) == 2


@pytest.mark.parametrize("within", ["X", "obs/label", "obsm/more", "uns/any"])
def test_a_file_of_anndata(tmp_path, other, within):
    anndata = pytest.importorskip("anndata")
    about = anndata.AnnData(np.ones((30, 2)))
    about.obs["label"] = LABELS
    about.write_h5ad(tmp_path / "e.h5ad")
    assert len(read_wells(tmp_path / "e.h5ad", **OPTIONS)) == 30
    with h5py.File(tmp_path / "e.h5ad", "a") as file:
        if within in file:
            del file[within]
        file.create_dataset(within, (30,), "S1", external=[(str(other), 0, 30)])
    refused(tmp_path / "e.h5ad", f"array {within!r}", other)
