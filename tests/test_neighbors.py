"""The most and the least similar of every row; equal to sorting the matrix."""

import numpy as np
import pandas as pd
import pytest

from wellgram import InputError, PerturbationMap, cosine_matrix, neighbors


@pytest.fixture
def rng():
    return np.random.default_rng(6)


def by_sorting(matrix, k, sign, own):
    """The k first of each row by cosine (sign: 1 descending), smaller index first among equals."""
    ranked = -sign * matrix.astype(np.float64)
    if own:
        np.fill_diagonal(ranked, np.inf)
    order = np.argsort(ranked, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(matrix, order, axis=1)


MAPS = {
    "random": np.random.default_rng(0).normal(size=(700, 6)),
    "duplicates": np.repeat(np.random.default_rng(1).normal(size=(12, 3)), 6, axis=0),
    "all equal": np.ones((40, 2)),
    "two directions": np.random.default_rng(2).choice([-1.0, 1.0], size=(90, 1)),
}


@pytest.mark.parametrize("precision", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("x", MAPS.values(), ids=MAPS)
def test_neighbors_are_those_of_the_sorted_matrix(x, precision):
    matrix = cosine_matrix(x, dtype=precision)
    found = neighbors(x, 9, farthest=4, dtype=precision)
    for sign, index, cosines in (
        (1, found.nearest, found.nearest_cosines),
        (-1, found.farthest, found.farthest_cosines),
    ):
        order, values = by_sorting(matrix, index.shape[1], sign, own=True)
        np.testing.assert_array_equal(cosines, values)
        np.testing.assert_array_equal(index, order)


def test_partners_of_another_map(rng):
    x, y = rng.normal(size=(33, 5)), rng.normal(size=(500, 5))
    matrix = cosine_matrix(x, other=y)
    found = neighbors(x, 500, farthest=1, other=y)
    order, values = by_sorting(matrix, 500, 1, own=False)
    np.testing.assert_array_equal(found.nearest, order)
    np.testing.assert_array_equal(found.nearest_cosines, values)
    np.testing.assert_array_equal(found.farthest[:, 0], matrix.argmin(axis=1))


@pytest.mark.parametrize("threads", ["1", "2", "7"])
def test_threads_change_nothing(rng, monkeypatch, threads):
    x = np.round(rng.normal(size=(900, 4)), 1)  # with ties
    expected, _ = by_sorting(cosine_matrix(x), 25, 1, own=True)
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", threads)
    np.testing.assert_array_equal(neighbors(x).nearest, expected)


def make_map(rng, n=20):
    labels = pd.DataFrame(
        {"dose": np.arange(n) % 2 / 4, "perturbation": [f"C{k // 2}" for k in range(n)]}
    )
    return PerturbationMap(rng.normal(size=(n, 4)), labels)


def test_the_table_has_labels_ranks_and_sides(rng):
    map_ = make_map(rng)
    found = neighbors(map_, 3, farthest=2)
    table = found.table
    assert list(table) == [
        *("perturbation", "dose", "row", "side", "rank"),
        *("neighbor", "neighbor_dose", "neighbor_row", "cosine"),
    ]
    assert len(table) == 20 * 5
    mine = table[(table["row"] == 4) & (table["side"] == "farthest")]
    assert mine["rank"].tolist() == [1, 2]
    assert mine["neighbor_row"].tolist() == found.farthest[4].tolist()
    assert mine["neighbor"].tolist() == [f"C{k // 2}" for k in found.farthest[4]]
    assert (mine["perturbation"] == "C2").all()
    assert repr(found) == "Neighbors of 20 rows: 3 most and 2 least similar of each"
    assert found.plot().get_xlabel() == "rank"


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_the_table_is_saved(rng, tmp_path, name):
    found = neighbors(make_map(rng), 2)
    found.save(tmp_path / name)
    read = pd.read_csv if name.endswith("csv") else pd.read_parquet
    pd.testing.assert_frame_equal(
        read(tmp_path / name), found.table, check_dtype=False, check_exact=False
    )


def test_what_cannot_be_used_is_named(rng, tmp_path):
    x = rng.normal(size=(10, 3))
    with pytest.raises(InputError, match="11 neighbors are asked for, but every row has 9"):
        neighbors(x, 11)
    with pytest.raises(InputError, match="25 neighbors are asked for, but every row has 7"):
        neighbors(x, 1, farthest=25, other=x[:7])
    with pytest.raises(InputError, match="every row has 0 partners"):
        neighbors(x[:0], 1)
    with pytest.raises(InputError, match="positive"):
        neighbors(x, 0)
    with pytest.raises(InputError, match="positive"):
        neighbors(x, -1)
    with pytest.raises(InputError, match=r"\.parquet or \.csv"):
        neighbors(x, 1).save(tmp_path / "table.txt")
