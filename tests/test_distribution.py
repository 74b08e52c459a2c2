"""The distribution of all pairs: quantiles, histogram, ranks; equal to NumPy on the matrix."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import make_map
from wellgram import (
    InputError,
    cosine_matrix,
    pair_histogram,
    pair_quantiles,
    pair_ranks,
)
from wellgram.pairs import UnitRows, tiling, unit_rows

SHARES = (0.0, 0.05, 0.1, 1 / 3, 0.5, 0.9, 0.95, 1.0)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture(params=[None, "float32", "float64", "bfloat16"])
def precision(request):
    return request.param


def upper(matrix):
    return matrix[np.triu_indices(len(matrix), 1)].astype(np.float64)


MAPS = {
    "two rows": np.array([[1.0, 2.0], [2.0, -1.0]]),
    "one feature": np.array([[1.0], [-2.0], [3.0], [4.0]]),
    "all equal": np.ones((30, 3)),
    "duplicates": np.repeat(np.random.default_rng(0).normal(size=(9, 4)), 5, axis=0),
    "random": np.random.default_rng(1).normal(size=(800, 5)),
}


@pytest.mark.parametrize("x", MAPS.values(), ids=MAPS)
def test_quantiles_are_those_of_the_matrix(x, precision):
    cosines = upper(cosine_matrix(x, dtype=precision))
    got = pair_quantiles(x, SHARES, dtype=precision)
    np.testing.assert_array_equal(got.cosines, np.quantile(cosines, SHARES))
    assert got.pairs == len(cosines)


@pytest.mark.parametrize("x", MAPS.values(), ids=MAPS)
def test_ranks_are_those_of_the_matrix(x, precision):
    matrix = cosine_matrix(x, dtype=precision)
    i, j = np.triu_indices(len(x), 1)
    chosen = np.random.default_rng(2).permutation(len(i))[:400]
    i, j = j[chosen], i[chosen]  # either order
    got = pair_ranks(x, i, j, dtype=precision)
    every, cosines = np.sort(upper(matrix)), matrix[i, j].astype(np.float64)
    np.testing.assert_array_equal(got.table["cosine"], cosines)
    np.testing.assert_array_equal(got.table["below"], np.searchsorted(every, cosines, "left"))
    np.testing.assert_array_equal(got.table["up_to"], np.searchsorted(every, cosines, "right"))
    np.testing.assert_array_equal(got.right_rank, got.table["up_to"] / len(every))
    np.testing.assert_array_equal(got.left_rank, got.table["below"] / len(every))


def test_one_map_against_another(rng):
    x, y = rng.normal(size=(70, 6)), rng.normal(size=(40, 6))
    cosines = cosine_matrix(x, other=y)
    assert cosines.shape == (70, 40)
    np.testing.assert_array_equal(
        pair_quantiles(x, SHARES, other=y).cosines, np.quantile(cosines, SHARES)
    )
    histogram = pair_histogram(x, bins=20, other=y)
    np.testing.assert_array_equal(histogram.counts, np.histogram(cosines, 20, (-1, 1))[0])
    got = pair_ranks(x, [3, 69], [39, 0], other=y).table
    assert got["cosine"].tolist() == [cosines[3, 39], cosines[69, 0]]
    assert got["below"].tolist() == [(cosines < q).sum() for q in got["cosine"]]


def test_the_histogram_is_numpys(rng):
    x = rng.normal(size=(90, 5))
    histogram = pair_histogram(x, bins=37, low=-0.9, high=1.1)
    counts, edges = np.histogram(upper(cosine_matrix(x)).clip(-0.9, 1.1), 37, (-0.9, 1.1))
    np.testing.assert_array_equal(histogram.counts, counts)
    np.testing.assert_allclose(histogram.edges, edges, rtol=1e-15, atol=1e-15)
    assert histogram.counts.sum() == histogram.pairs == 90 * 89 // 2


def test_blocks_of_rows_change_nothing(rng, monkeypatch, precision):
    """A map of many blocks, as one that does not fit, gives the bits of a map of one."""
    x = rng.normal(size=(530, 7))
    i, j = rng.integers(0, 530, (2, 99))
    before = pair_quantiles(x, SHARES, dtype=precision).cosines
    ranks = pair_ranks(x, i, j, dtype=precision).table
    matrix = cosine_matrix(x, dtype=precision)
    monkeypatch.setattr(tiling, "TILE_ROWS", 64)
    monkeypatch.setattr(unit_rows, "_CHUNK_BYTES", 1)
    assert len(UnitRows(x).chunks) == 9
    np.testing.assert_array_equal(pair_quantiles(x, SHARES, dtype=precision).cosines, before)
    pd.testing.assert_frame_equal(pair_ranks(x, i, j, dtype=precision).table, ranks)
    np.testing.assert_array_equal(cosine_matrix(x, dtype=precision), matrix)


def test_labels_of_a_map_are_in_the_table(rng):
    map_ = make_map(rng, dose=np.arange(60) / 2)
    table = pair_ranks(map_, [1, 5], [7, 2]).table
    assert table["perturbation"].tolist() == ["G1", "G5"]
    assert table["other_perturbation"].tolist() == ["G7", "G2"]
    assert table["other_dose"].tolist() == [3.5, 1.0]
    assert {"row", "other_row", "percentile"} <= set(table)


@pytest.mark.parametrize("d", [128, 384, 1024, 1664, 3600])
def test_the_error_of_each_precision_on_real_shapes(rng, d):
    """The bounds are those of the docstring of `scan_pairs`."""
    x = rng.normal(size=(300, d))
    x[150:] = 0.9 * x[:150] + 0.3 * x[150:]  # large cosines err the most
    exact = cosine_matrix(x, dtype="float64")
    np.testing.assert_allclose(exact, _numpy(x), atol=1e-14)
    for precision, largest, typical in (("float32", 5e-6, 3e-8), ("bfloat16", 3e-3, 3e-4)):
        error = np.abs(cosine_matrix(x, dtype=precision).astype(np.float64) - exact)
        assert error.max() <= largest
        assert np.sqrt((error[exact < 0.5] ** 2).mean()) <= typical


def _numpy(x):
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return unit @ unit.T


def test_results_are_shown_drawn_and_saved(rng, tmp_path):
    map_ = make_map(rng, dose=np.arange(60) / 2)
    results = [
        pair_quantiles(map_, 0.5),
        pair_histogram(map_, bins=10),
        pair_ranks(map_, [0], [1]),
    ]
    for result in results:
        assert "1,770 pairs" in repr(result)
        assert result.plot().get_xlabel()
        result.save(tmp_path / "table.csv")
        assert len(pd.read_csv(tmp_path / "table.csv")) == len(result.table)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: pair_quantiles(x, 1.5), r"\[0, 1\], not 1.5"),
        (lambda x: pair_quantiles(x, [0.5, np.nan]), r"\[0, 1\]"),
        (lambda x: pair_quantiles(x[:1], 0.5), "no pairs among 1 rows"),
        (lambda x: pair_quantiles(x[:0], 0.5), "no pairs among 0 rows"),
        (lambda x: pair_quantiles(x, 0.5, other=x[:, :3]), "x has 8 features and other 3"),
        (lambda x: pair_quantiles(x, 0.5, other=x.astype("f4")), "choose a dtype"),
        (lambda x: pair_quantiles(x, 0.5, dtype="half"), "unknown dtype 'half'"),
        (lambda x: pair_quantiles(x[:, :0], 0.5), "without features"),
        (lambda x: pair_quantiles(x[0], 0.5), "must be a matrix"),
        (lambda x: pair_quantiles(x.astype(int), 0.5), "dtype int64"),
        (lambda x: pair_quantiles(np.where(x > 2, np.nan, x), 0.5), "NaN or an Inf"),
        (lambda x: pair_quantiles(x * (np.arange(60) != 7)[:, None], 0.5), "zero .first: row 7"),
        (lambda x: pair_ranks(x, [0, 60], [1, 2]), r"i\[1\] is 60, but there are 60 rows"),
        (lambda x: pair_ranks(x, [0], [-1]), r"j\[0\] is -1"),
        (lambda x: pair_ranks(x, [0, 1], [1]), "2 indices i but 1"),
        (lambda x: pair_ranks(x, [0.5], [1]), "integers"),
        (lambda x: pair_histogram(x, bins=0), "1 <= bins"),
    ],
)
def test_what_cannot_be_used_is_named(rng, call, words):
    with pytest.raises(InputError, match=words):
        call(rng.normal(size=(60, 8)))
