"""Tables of other libraries, through Arrow's stream interface."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import wellgram as wg
from helpers.small_screens import plate, rxrx3_core, write_csv
from wellgram import InputError, open_wells, read_wells
from wellgram.io.formats import table_of
from wellgram.io.tables import feature_matrix

OPTIONS = {"layout": "cell-painting", "dose": "Metadata_dose", "columns": ["Metadata_moa"]}


class Stream:
    """A table that offers nothing but Arrow's interface, as one of any library may."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def of_polars(frame):
    columns = {n: [None if pd.isna(v) else v for v in frame[n]] for n in frame}
    return pytest.importorskip("polars").DataFrame(columns)


def of_lazy(frame):
    return of_polars(frame).lazy().collect()


def of_categories(frame):
    polars = pytest.importorskip("polars")
    return of_polars(frame).with_columns(polars.col("Metadata_Plate").cast(polars.Categorical))


def of_pandas(frame):
    return frame


def of_arrow(frame):
    return pa.Table.from_pandas(frame)


def of_batch(frame):
    return pa.RecordBatch.from_pandas(frame)


def of_protocol(frame):
    return Stream(pa.Table.from_pandas(frame))


@pytest.mark.parametrize(
    "of", [of_polars, of_lazy, of_categories, of_pandas, of_arrow, of_batch, of_protocol]
)
@pytest.mark.parametrize("get", [read_wells, open_wells])
def test_wells_are_those_of_the_file(tmp_path, of, get):
    frame = plate()
    expected = read_wells(write_csv(tmp_path / "plate.csv", frame), **OPTIONS)
    wells = get(of(frame), **OPTIONS)
    wells = wells.read() if get is open_wells else wells
    pd.testing.assert_frame_equal(wells.metadata, expected.metadata)
    np.testing.assert_array_equal(wells.embeddings, expected.embeddings)


@pytest.mark.parametrize("of", [of_polars, of_pandas, of_protocol])
def test_metadata_may_be_a_table_too(tmp_path, of):
    values, metadata = rxrx3_core()
    metadata = metadata.drop(columns=["gene", "SMILES"])
    features = {f"feature_{j}": column for j, column in enumerate(values.T)}
    frame = pd.DataFrame({"well_id": metadata["well_id"], **features})
    wells = read_wells(of(frame), of(metadata[::-1]), layout="rxrx3-core")
    described = write_csv(tmp_path / "m.csv", metadata)
    expected = read_wells(pa.Table.from_pandas(frame), described, layout="rxrx3-core")
    pd.testing.assert_frame_equal(wells.metadata, expected.metadata)
    np.testing.assert_array_equal(wells.embeddings, values)


def test_vectors_of_polars_are_not_copied():
    polars = pytest.importorskip("polars")
    x = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    frame = polars.DataFrame({"emb": x})
    assert frame["emb"].dtype == polars.Array(polars.Float32, 4)
    (part,) = table_of(frame).parts(["emb"])
    rows = feature_matrix(part.table, ["emb"], part.where)
    assert np.shares_memory(rows, frame["emb"].to_numpy())
    np.testing.assert_array_equal(rows, x)


def test_columns_of_polars_are_not_copied():
    frame = of_polars(plate())
    (part,) = table_of(frame).parts(["Cells_1"])
    column = part.table.column("Cells_1").chunk(0).to_numpy()
    assert np.shares_memory(column, frame["Cells_1"].to_numpy(allow_copy=False))


def test_a_map_of_a_polars_table():
    frame = plate()
    map_ = wg.map_from_wells(of_polars(frame), wg.CenterScale(), **OPTIONS)
    expected = wg.map_from_wells(pa.Table.from_pandas(frame), wg.CenterScale(), **OPTIONS)
    np.testing.assert_array_equal(map_.embeddings, expected.embeddings)


def test_what_holds_no_rows_yet():
    with pytest.raises(InputError, match=r"LazyFrame holds no rows yet.*collect\(\)"):
        read_wells(of_polars(plate()).lazy(), **OPTIONS)


def test_a_problem_names_the_table_and_the_column():
    frame = plate().assign(Cells_3=[*["1.5"] * 15, "n/d"])
    with pytest.raises(InputError, match=r"'Cells_3' of the table, batch 0.*row 16: 'n/d'"):
        read_wells(of_polars(frame), **OPTIONS)
    with pytest.raises(InputError, match=r"the table has no column 'Metadata_moa'"):
        read_wells(of_polars(plate().drop(columns="Metadata_moa")), **OPTIONS)
