"""A map by the names of its rows, in memory and on disk, and as a notebook shows it."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import make_map, make_wells, map_of
from wellgram import InputError, neighbors_of, open_map, pair_histogram, score, write_map

NAMES = ["TP53", "MDM2", "aspirin", "aspirin", "PLK1"]


@pytest.fixture(params=["memory", "parquet", "npz"])
def map_(request, rng, tmp_path):
    dose = [np.nan, np.nan, 0.1, 10.0, np.nan]
    made = make_map(rng, 5, 6, dtype=np.float32, names=NAMES, dose=dose)
    if request.param == "memory":
        return made
    write_map(made, tmp_path / f"map.{request.param}")
    return open_map(tmp_path / f"map.{request.param}")


def test_an_embedding_is_had_by_name_or_number(map_):
    np.testing.assert_array_equal(map_["MDM2"], map_.embeddings[1])
    np.testing.assert_array_equal(map_[3], map_.embeddings[3])
    np.testing.assert_array_equal(map_[np.int64(-1)], map_.embeddings[4])
    assert "PLK1" in map_
    assert "plk1" not in map_
    assert 1 not in map_


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("TP35", "no perturbation 'TP35'; it has 'TP53'$"),
        ("nothing", "no perturbation 'nothing'$"),
        ("aspirin", "2 rows of 'aspirin': give the number of one instead, such as 2, 3"),
        (5, "no row 5: its rows are 0 to 4"),
        (-6, "no row -6"),
        (1.0, "by a name or a number, not by float"),
        (True, "by a name or a number, not by bool"),
    ],
)
def test_what_is_not_there_is_said(map_, asked, said):
    with pytest.raises(InputError, match=said):
        map_[asked]


def test_neighbors_are_those_of_the_function(map_):
    for asked in ("TP53", 3, -1):
        row = NAMES.index(asked) if isinstance(asked, str) else asked % 5
        expected = neighbors_of(map_, row, 2, farthest=1)
        pd.testing.assert_frame_equal(map_.neighbors(asked, 2, farthest=1).table, expected.table)
    assert len(map_.neighbors("TP53").table) == 8


def test_a_table_has_the_labels_as_its_index(map_):
    table = map_.to_frame()
    np.testing.assert_array_equal(table.to_numpy(), map_.embeddings)
    assert table.index.names == ["perturbation", "dose"]
    np.testing.assert_array_equal(table.loc[("aspirin", 10.0)].to_numpy(), map_.embeddings[3])
    assert list(table.columns[:2]) == ["feature_0", "feature_1"]
    plain = map_of(np.eye(2), ["a", "b"]).to_frame()
    assert plain.loc["b"].tolist() == [0, 1]


def test_a_map_is_no_sequence(rng):
    with pytest.raises(TypeError, match="not iterable"):
        list(make_map(rng, 3))


def test_a_notebook_shows_tables(rng, map_):
    wells = make_wells(rng)
    found = map_.neighbors("TP53", 3)
    for shown, words in (
        (map_, "TP53"), (wells, "DMSO"), (found, "percentile"),
        (pair_histogram(map_.embeddings, bins=5), "1.0</td>"),
    ):  # fmt: skip
        html = shown._repr_html_()
        assert "<table" in html
        assert words in html
        assert html.startswith(f"<p>{repr(shown).splitlines()[0].replace(chr(39), '&#x27;')}</p>")


def test_labels_are_shown_and_not_obeyed():
    html = map_of(np.eye(2), ["<script>x</script>", "b"])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_score_is_shown_by_benchmark():
    wells = make_wells(np.random.default_rng(0), (6, 6, 6), 4, effect=2.0)
    result = score(wells, metrics=["consistency"])
    html = result._repr_html_()
    assert html.startswith("<p>PerturbationMap(3 perturbations")
    assert html.count("<table") == 1
    assert "Replicate consistency" in html
