"""No cell of a table for spreadsheets is taken for a formula; what programs read stays as it is."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import map_of
from wellgram import MapLookup, neighbors, read_map, write_map
from wellgram.files import save_csv
from wellgram.spreadsheets import without_formulas

FORMULA = "=cmd|' /C calc'!A0"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
@pytest.mark.parametrize("dtype", ["str", object, "category"])
def test_texts_that_begin_as_formulas_get_an_apostrophe(begin, dtype):
    column = pd.Series([f"{begin}1+1", "TP53", f"a{begin}", None], dtype=dtype)
    safe = without_formulas(pd.DataFrame({"name": column}))["name"]
    assert safe.tolist()[:3] == [f"'{begin}1+1", "TP53", f"a{begin}"]
    assert pd.isna(safe.iloc[3])


def test_numbers_are_no_formulas():
    table = pd.DataFrame(
        {"float": [-1.5, np.nan], "whole": [-3, 4], "mixed": [-2.5, "-2.5"], "flag": [True, False]}
    )
    safe = without_formulas(table)
    pd.testing.assert_frame_equal(safe.drop(columns="mixed"), table.drop(columns="mixed"))
    assert safe["mixed"].tolist() == [-2.5, "'-2.5"]
    assert table["mixed"].tolist() == [-2.5, "-2.5"]  # the table given stays as it is


def test_names_of_columns_are_texts():
    table = pd.DataFrame([[1, 2, 3]], columns=["=a", "=a", 7])
    assert without_formulas(table).columns.tolist() == ["'=a", "'=a", 7]


def test_tables_of_results_are_safe_and_maps_are_as_they_were(tmp_path):
    rng = np.random.default_rng(1)
    map_ = map_of(rng.normal(size=(4, 3)).astype(np.float32), [FORMULA, "-b", "+c", "@d"])
    neighbors(map_, 2).save(tmp_path / "table.csv")
    neighbors(map_, 2).save(tmp_path / "table.parquet")
    MapLookup(map_).neighbors_of(0, 3).save(tmp_path / "lookup.csv")
    save_csv(map_.labels, tmp_path / "labels.csv")
    for name in ("table", "lookup", "labels"):
        texts = pd.read_csv(tmp_path / f"{name}.csv").select_dtypes(exclude="number")
        names = texts["perturbation"]
        assert names.str.startswith("'").all()
        assert set(names.str[1:]) <= set(map_.labels["perturbation"])
    whole = pd.read_parquet(tmp_path / "table.parquet")
    assert set(whole["neighbor"]) == set(map_.labels["perturbation"])
    for ending in ("parquet", "h5", "npz"):  # what we read back
        write_map(map_, tmp_path / f"map.{ending}")
        again = read_map(tmp_path / f"map.{ending}")
        assert again.labels["perturbation"].tolist() == map_.labels["perturbation"].tolist()
