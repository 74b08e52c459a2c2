"""Damage in a file of AnnData that was written here is found; what others write there is taken."""

import numpy as np
import pytest

import wellgram as wg
from helpers.maps_and_wells import make_map
from wellgram import InputError, read_map, write_map

anndata = pytest.importorskip("anndata")
h5py = pytest.importorskip("h5py")


@pytest.fixture
def path(tmp_path):
    genes = [f"GENE{k}" for k in range(30)]
    labels = {"note": ["first", None, "second"] * 10, "known": [True, False, None] * 10}
    map_ = make_map(np.random.default_rng(0), 30, 4, perturbation=genes, **labels)
    write_map(map_, tmp_path / "map.h5ad")
    return tmp_path / "map.h5ad"


def replace_bytes(path, old, new):
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


def test_a_damaged_label_is_named(path):
    with h5py.File(path, "r+") as file:
        file["obs/perturbation"][17] = "GENE77"
    with pytest.raises(InputError, match=r"label column 'perturbation' of map\.h5ad is damaged"):
        read_map(path)


def test_a_damaged_value_is_an_error(path):
    values = read_map(path).embeddings[7].tobytes()
    replace_bytes(path, values, values[:3] + bytes([values[3] ^ 1]) + values[4:])
    with pytest.raises(InputError, match=r"map\.h5ad"):
        read_map(path)


def test_a_damaged_note_is_an_error(path):
    replace_bytes(path, b'"facts": {', b'"facts" :{')
    with pytest.raises(InputError, match="uns/wellgram"):
        read_map(path)


def test_a_label_that_is_gone_is_an_error(path):
    with h5py.File(path, "r+") as file:
        obs = file["obs"]
        obs.attrs["column-order"] = [c for c in obs.attrs["column-order"] if c != "note"]
    with pytest.raises(InputError, match="label column 'note'"):
        read_map(path)


def test_what_anndata_writes_in_place_is_read(path):
    backed = anndata.read_h5ad(path, backed="r+")
    backed.obs["perturbation"] = [f"OTHER{k}" for k in range(30)]
    backed.write()
    backed.file.close()
    assert read_map(path).labels["perturbation"][7] == "OTHER7"


def test_what_anndata_writes_anew_is_read(path, tmp_path):
    before = wg.read_map(path)
    anndata.read_h5ad(path)[::2].write_h5ad(tmp_path / "half.h5ad")
    half = read_map(tmp_path / "half.h5ad")
    np.testing.assert_array_equal(half.embeddings, before.embeddings[::2])
