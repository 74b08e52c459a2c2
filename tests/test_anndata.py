"""AnnData in and out: objects, files, X, layers or obsm, in memory or not."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse

import wellgram as wg
from helpers.maps_and_wells import make_map
from helpers.small_screens import FEATURES, plate, rxrx3_core, write_csv
from wellgram import InputError, from_anndata, open_wells, read_map, read_wells, to_anndata

anndata = pytest.importorskip("anndata")

OPTIONS = {
    "layout": "cell-painting", "dose": "Metadata_dose", "columns": ["Metadata_Well"],
}  # fmt: skip


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr("wellgram.io.array_table._PART_BYTES", 200)


@pytest.fixture
def adata():
    """A plate: features in X, more of them in a layer, and a smaller embedding in obsm."""
    frame = plate()
    obs = frame.filter(like="Metadata_").set_axis([f"w{k}" for k in range(16)])
    x = frame[FEATURES].to_numpy().copy("C")
    var = pd.DataFrame(index=FEATURES)
    return anndata.AnnData(
        x,
        obs,
        var,
        layers={"scaled": x * 3},
        obsm={"X_pca": x[:, :3] * 2, "table": frame[FEATURES[:2]].set_axis(obs.index)},
    )


@pytest.fixture
def expected(tmp_path):
    """The same from a csv, with the names of observations for those of wells."""
    wells = read_wells(write_csv(tmp_path / "plate.csv", plate()), **OPTIONS)
    named = wells.metadata.assign(well_id=[f"w{k}" for k in range(16)])
    return wg.Wells(wells.embeddings, named)


def in_memory(adata, folder):
    return adata


def sparse_rows(adata, folder):
    adata.X = scipy.sparse.csr_matrix(adata.X)
    return adata


def strided(adata, folder):
    adata.X = np.asfortranarray(adata.X)
    return adata


def backed(adata, folder):
    adata.write_h5ad(folder / "plate.h5ad")
    return anndata.read_h5ad(folder / "plate.h5ad", backed="r")


def as_h5ad(adata, folder):
    adata.write_h5ad(folder / "plate.h5ad")
    return folder / "plate.h5ad"


def as_sparse_h5ad(adata, folder):
    return as_h5ad(sparse_rows(adata, folder), folder)


def as_sparse_columns(adata, folder):
    adata.X = scipy.sparse.csc_matrix(adata.X)
    return as_h5ad(adata, folder)


# What anndata and zarr say of their own next releases, while this library does not write.
@pytest.mark.filterwarnings("ignore:zarr v3 autosharding:UserWarning")
@pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")
@pytest.mark.filterwarnings("ignore:Consolidated metadata:UserWarning")
def as_zarr(adata, folder):
    adata.write_zarr(folder / "plate.zarr")
    return folder / "plate.zarr"


KINDS = [
    in_memory, sparse_rows, strided, backed, as_h5ad, as_sparse_h5ad, as_sparse_columns, as_zarr,
]  # fmt: skip


@pytest.mark.usefixtures("small_parts")
@pytest.mark.filterwarnings("ignore:zarr v3 autosharding:UserWarning")
@pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")
@pytest.mark.filterwarnings("ignore:Consolidated metadata:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("get", [read_wells, open_wells])
def test_wells_are_those_of_the_table(adata, expected, tmp_path, kind, get):
    source = kind(adata, tmp_path)
    wells = get(source, **OPTIONS)
    found = wells.read() if get is open_wells else wells
    pd.testing.assert_frame_equal(found.metadata, expected.metadata)
    np.testing.assert_array_equal(found.embeddings, expected.embeddings)
    map_ = wg.build_map(wells, wg.CenterScale(), dtype="float64")
    whole = wg.build_map(expected, wg.CenterScale(), dtype="float64")
    np.testing.assert_allclose(map_.embeddings, whole.embeddings, rtol=0, atol=1e-12)
    for name, matrix in (
        ("X_pca", adata.obsm["X_pca"]),
        ("table", adata.obsm["table"].to_numpy()),
        ("layers/scaled", adata.layers["scaled"]),
    ):
        found = get(source, features=name, **OPTIONS)
        found = found.read() if get is open_wells else found
        np.testing.assert_array_equal(found.embeddings, matrix)


def test_a_stream_does_not_hold_a_matrix_of_a_file(adata, tmp_path, monkeypatch):
    """obsm too, which a backed object has in memory: rows are asked for by ranges."""
    import h5py

    path = as_h5ad(adata, tmp_path)
    monkeypatch.setattr("wellgram.io.array_table._PART_BYTES", 3 * 3 * 8)
    asked = []
    get = h5py.Dataset.__getitem__

    def noted(self, rows, **more):
        if self.ndim == 2:
            asked.append((self.name, rows))
        return get(self, rows, **more)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", noted)
    stream = open_wells(path, features="X_pca", **OPTIONS)
    assert not asked
    stream.read()
    assert asked == [("/obsm/X_pca", slice(k, min(k + 3, 16))) for k in range(0, 16, 3)]


def test_a_matrix_in_memory_is_not_copied(adata):
    from wellgram.io.formats import table_of
    from wellgram.io.tables import feature_matrix

    (part,) = table_of(adata).parts(["X"])
    assert np.shares_memory(feature_matrix(part.table, ["X"], part.where), adata.X)


def test_metadata_of_its_own_and_names_of_observations(tmp_path):
    values, metadata = rxrx3_core()
    adata = anndata.AnnData(values, pd.DataFrame(index=metadata["well_id"].to_numpy()))
    wells = read_wells(adata, write_csv(tmp_path / "m.csv", metadata), layout="rxrx3-core")
    np.testing.assert_array_equal(wells.embeddings, values)
    described = anndata.AnnData(None, metadata.set_axis([f"m{k}" for k in range(32)]))
    again = read_wells(adata, described, layout="rxrx3-core")
    pd.testing.assert_frame_equal(again.metadata, wells.metadata)


def test_names_that_repeat_are_not_those_of_wells(adata):
    """As where plates were put below each other: wells of one name are not one well."""
    adata.obs_names = ["A01", "A02"] * 8
    with pytest.warns(UserWarning, match="not unique"):
        adata = anndata.AnnData(adata.X, adata.obs)
    wells = read_wells(adata, **OPTIONS)
    assert wells.metadata["well_id"].tolist() == [f"P1/A{k + 1:02d}" for k in range(16)]
    adata.obs = adata.obs.drop(columns="Metadata_Well")
    unnamed = read_wells(adata, **{**OPTIONS, "columns": ()}).metadata["well_id"]
    assert unnamed.tolist() == [f"row {k + 1}" for k in range(16)]


def test_several_files_do_not_share_names_of_wells(adata, tmp_path):
    for name in ("P1", "P2"):
        adata.obs["Metadata_Plate"] = name
        adata.write_h5ad(tmp_path / f"{name}.h5ad")
    wells = read_wells(tmp_path, **OPTIONS)
    assert wells.metadata["batch"].value_counts().to_dict() == {"P1": 16, "P2": 16}
    assert wells.metadata["well_id"].iloc[[0, 16]].tolist() == ["P1/A01", "P2/A01"]


def test_categories_numbers_and_missing_values_of_obs(adata, tmp_path):
    adata.obs["Metadata_Plate"] = pd.Categorical([1, 2] * 8)
    adata.obs["Metadata_moa"] = pd.Categorical(adata.obs["Metadata_moa"])
    adata.obs["count"] = pd.array([None, *range(15)], "Int64")
    wells = read_wells(
        as_h5ad(adata, tmp_path), **{**OPTIONS, "columns": ["Metadata_moa", "count"]}
    )
    assert wells.metadata["batch"].tolist() == ["1", "2"] * 8
    assert (
        wells.metadata["Metadata_moa"].isna().tolist() == adata.obs["Metadata_moa"].isna().tolist()
    )
    assert wells.metadata["count"].isna().sum() == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("file", [False, True])
def test_wells_come_back_as_they_were(tmp_path, file, stream):
    values, metadata = rxrx3_core()
    files = tmp_path / "e.parquet", write_csv(tmp_path / "m.csv", metadata)
    columns = {f"feature_{j}": column for j, column in enumerate(values.T)}
    pa.parquet.write_table(pa.table({"well_id": metadata["well_id"], **columns}), files[0])
    wells = read_wells(*files, columns=["plate", "SMILES"])
    adata = to_anndata(open_wells(*files, columns=["plate", "SMILES"]) if stream else wells)
    assert adata.obs_names.tolist() == metadata["well_id"].tolist()
    if file:
        adata.write_h5ad(tmp_path / "a.h5ad")
        adata = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    back = from_anndata(adata)
    assert isinstance(back, wg.Wells)
    pd.testing.assert_frame_equal(back.metadata, wells.metadata)
    np.testing.assert_array_equal(back.embeddings, wells.embeddings)
    assert back.origin == wells.origin


def test_wells_of_ours_are_read_by_name_too(adata, expected):
    wells = read_wells(to_anndata(expected), layout="columns", perturbation="perturbation")
    assert wells.metadata["well_id"].tolist() == expected.metadata["well_id"].tolist()
    np.testing.assert_array_equal(wells.embeddings, expected.embeddings)


def test_embeddings_are_handed_over_without_a_copy(expected):
    assert np.shares_memory(to_anndata(expected).X, expected.embeddings)


def test_what_is_not_what_it_is_taken_for(adata, expected):
    with pytest.raises(InputError, match=r"uns\['wellgram'\].*read_wells.*read_map"):
        from_anndata(adata)
    with pytest.raises(InputError, match="AnnData object is needed, not a DataFrame"):
        from_anndata(adata.obs)
    with pytest.raises(InputError, match="the AnnData object is no map: it holds wells"):
        read_map(to_anndata(expected))
    with pytest.raises(InputError, match=r"no map: it has no matrix.*'X'"):
        read_map(anndata.AnnData(None, adata.obs))
    with pytest.raises(InputError, match=r"like 'X_umap'.*'X', 'layers/scaled', 'X_pca', 'table'"):
        read_wells(adata, features="X_umap", **OPTIONS)


def test_obs_of_mixed_types_is_named(adata):
    adata.obs["lot"] = [1, "two"] * 8
    with pytest.raises(InputError, match=r"column 'lot' of the obs"):
        read_wells(adata, **OPTIONS)


def test_an_object_without_x_has_its_only_matrix(adata):
    x = adata.obsm["X_pca"]
    wells = read_wells(anndata.AnnData(None, adata.obs, obsm={"emb": x}), **OPTIONS)
    np.testing.assert_array_equal(wells.embeddings, x)
    both = anndata.AnnData(None, adata.obs, obsm={"emb": x, "other": x})
    with pytest.raises(InputError, match=r"'emb'.*vectors.*'other'.*features="):
        read_wells(both, **OPTIONS)


def test_an_encoding_that_anndata_does_not_know_is_refused(rng, tmp_path):
    h5py = pytest.importorskip("h5py")
    wg.write_map(make_map(rng, 9, 4), tmp_path / "map.h5ad")
    with h5py.File(tmp_path / "map.h5ad", "a") as file:
        file["obs"].attrs["encoding-type"] = "dataframE"
    for read in (read_map, wg.open_map):
        with pytest.raises(InputError, match=r"cannot read 'obs' of .*map\.h5ad.*; the file may"):
            read(tmp_path / "map.h5ad")
