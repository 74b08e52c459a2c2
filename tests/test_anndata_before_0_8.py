"""AnnData's files as versions before 0.8 wrote them: the root does not say what it is."""

import numpy as np
import pytest

from helpers.small_screens import FEATURES, plate
from wellgram import InputError, read_wells

h5py = pytest.importorskip("h5py")
pytest.importorskip("anndata")


def write_0_7(path):
    """Write obs as columns, text in categories that a reference leads to, and a bare root."""
    frame = plate()
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=frame[FEATURES].to_numpy())
        for name, columns in (("obs", ["Metadata_broad_sample", "Metadata_Plate"]), ("var", [])):
            group = file.create_group(name)
            group.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.1.0"})
            group.attrs["_index"] = "names"
            group.attrs.create("column-order", columns, dtype=text)
            rows = FEATURES if name == "var" else [f"w{k}" for k in range(len(frame))]
            group.create_dataset("names", data=rows, dtype=text)
            for column in columns:
                values = frame[column].astype("category").cat
                codes = group.create_dataset(column, data=values.codes.to_numpy())
                named = group.create_dataset(
                    f"__categories/{column}", data=values.categories.to_numpy(object), dtype=text
                )
                codes.attrs["categories"] = named.ref
    return path


@pytest.mark.filterwarnings("ignore:Element '.*' was written without encoding metadata")
@pytest.mark.parametrize("suffix", [".h5ad", ".h5"])
def test_a_file_of_0_7(tmp_path, suffix):
    wells = read_wells(write_0_7(tmp_path / f"old{suffix}"), layout="cell-painting")
    frame = plate()
    np.testing.assert_array_equal(wells.embeddings, frame[FEATURES])
    assert wells.metadata["perturbation"].tolist() == frame["Metadata_broad_sample"].tolist()
    assert wells.metadata["batch"].tolist() == frame["Metadata_Plate"].tolist()
    assert wells.metadata["well_id"].tolist() == [f"w{k}" for k in range(len(frame))]


def test_a_file_of_0_6_is_refused_with_a_remedy(tmp_path):
    """Its obs is one array of records, whose text is elsewhere."""
    path = tmp_path / "old.h5ad"
    frame = plate()
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=frame[FEATURES].to_numpy())
        obs = np.zeros(len(frame), [("index", "S3"), ("Metadata_Plate", "i1")])
        file.create_dataset("obs", data=obs)
    with pytest.raises(InputError, match=r"'obs' of old.h5ad is an array of records.*write_h5ad"):
        read_wells(path, layout="cell-painting")
