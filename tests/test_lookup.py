"""One perturbation of a map: what is near, what is far, and how it is found."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import make_map, map_of
from wellgram import (
    InputError,
    MapLookup,
    cosine_matrix,
    neighbors,
    neighbors_of,
    open_map,
    write_map,
)


def test_it_has_what_nearest_has_of_the_row(rng, dtype):
    map_ = make_map(rng, 40, dtype=dtype)
    every = neighbors(map_, 6, farthest=3)
    for row in (0, 17, 39):
        found = neighbors_of(map_, row, 6, farthest=3)
        near, far = (found.table[found.table["side"] == side] for side in ("nearest", "farthest"))
        assert near["row"].tolist() == every.nearest[row].tolist()
        assert far["row"].tolist() == every.farthest[row].tolist()
        # To the bit: a product is the same wherever it is met.
        assert near["cosine"].tolist() == every.nearest_cosines[row].tolist()
        assert far["cosine"].tolist() == every.farthest_cosines[row].tolist()
        assert near["rank"].tolist() == [1, 2, 3, 4, 5, 6]
        assert near["perturbation"].tolist() == [f"G{i}" for i in every.nearest[row]]


def test_percentiles_are_shares_of_the_other_rows(rng):
    map_ = make_map(rng, 40, dtype=np.float32)
    found = neighbors_of(map_, "G5", 39, farthest=0)
    cosines = np.delete(cosine_matrix(map_)[5], 5)
    for row in found.table.to_dict("records"):
        assert row["percentile"] == 100 * (cosines <= row["cosine"]).sum() / 39
    assert np.isnan(found.cosines[5])
    np.testing.assert_array_equal(np.delete(found.cosines, 5), cosines)


def test_equal_rows_come_in_the_order_of_the_map():
    x = np.array([[1, 0], [1, 0], [-1, 0], [1, 0], [-1, 0]], np.float32)
    table = neighbors_of(map_of(x, [*"abcde"]), "b", 2).table
    assert table["perturbation"].tolist() == ["a", "d", "c", "e"]
    assert table["percentile"].tolist() == [100, 100, 50, 50]


def test_a_map_on_disk_answers_alike(rng, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "wellgram.pairs.unit_rows._CHUNK_BYTES", 1 << 16
    )  # so that it is read in blocks
    map_ = make_map(rng, 5000)
    write_map(map_, tmp_path / "map.parquet")
    own = neighbors_of(map_, "G4321", 5).table
    pd.testing.assert_frame_equal(
        own, neighbors_of(open_map(tmp_path / "map.parquet"), "G4321", 5).table
    )


def compounds(rng):
    return make_map(
        rng,
        5,
        names=["MTOR", "mTORC1", "rapamycin", "rapamycin", "torin"],
        perturbation_type=["CRISPR", "CRISPR", *["COMPOUND"] * 3],
        dose=[np.nan, np.nan, 0.1, 10.0, 1.0],
    )


def test_names_are_suggested(rng):
    lookup = MapLookup(compounds(rng))
    assert lookup.suggest(" tor")["name"].tolist() == [
        "torin, 1, COMPOUND",  # what begins so is first
        "MTOR, CRISPR",  # then the shorter name
        "mTORC1, CRISPR",
    ]
    assert lookup.suggest("RAPA")["row"].tolist() == [2, 3]
    assert lookup.suggest("RAPA", most=1)["row"].tolist() == [2]
    assert len(lookup.suggest("  ")) == len(lookup.suggest("zz")) == 0
    assert lookup.suggest("(").empty  # a text, and no pattern


def test_a_name_of_several_rows_is_asked_about(rng):
    lookup = MapLookup(compounds(rng))
    assert lookup.neighbors_of("torin").name == "torin, 1, COMPOUND"
    assert len(lookup.neighbors_of(3, 100).table) == 8
    with pytest.raises(InputError, match=r"2 rows of 'rapamycin': .* 2 \(rapamycin, 0.1, COMPOUND"):
        lookup.neighbors_of("rapamycin")
    with pytest.raises(InputError, match=r"no perturbation 'mTOR'; it has MTOR, CRISPR$"):
        lookup.neighbors_of("mTOR")  # but for case, so that is what was meant
    with pytest.raises(InputError, match="no perturbation 'mTO'; it has MTOR, CRISPR; mTORC1"):
        lookup.neighbors_of("mTO")
    with pytest.raises(InputError, match="no row 5: its rows are 0 to 4"):
        lookup.neighbors_of(5)
    with pytest.raises(InputError, match="one neighbor at least"):
        lookup.neighbors_of(1, 0)


def test_what_has_no_names_is_refused(rng):
    with pytest.raises(InputError, match="rows have no names"):
        MapLookup(rng.normal(size=(5, 3)))
    with pytest.raises(InputError, match="1 rows: nothing is near or far"):
        MapLookup(make_map(rng, 1))


def test_it_is_printed_and_saved(rng, tmp_path):
    found = neighbors_of(make_map(rng, 40), "G3", 2)
    assert repr(found).startswith("Neighbors of G3, row 3 of 40\n")
    found.save(tmp_path / "near.csv")
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "near.csv").drop(columns="cosine"),
        found.table.drop(columns="cosine"),
    )


def test_doses_may_be_texts_and_names_may_be_missing():
    map_ = make_map(
        np.random.default_rng(2), 4, 5, names=["g", "g", None, ""],
        dose=["10 uM", 2.5, None, np.nan], perturbation_type=[None, "COMPOUND", None, "GENE"],
    )  # fmt: skip
    lookup = MapLookup(map_)
    assert [lookup.name(row) for row in range(4)] == [
        "g, 10 uM", "g, 2.5, COMPOUND", "(no name)", "(no name), GENE",
    ]  # fmt: skip
    assert lookup.suggest("G")["row"].tolist() == [0, 1]
    assert lookup.suggest("none").empty
    assert len(lookup.neighbors_of(2, 3).table) == 6
    with pytest.raises(InputError, match=r"2 rows of 'g'.*0 \(g, 10 uM\), 1"):
        lookup.row("g")
