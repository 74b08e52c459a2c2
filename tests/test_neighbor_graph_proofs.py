"""Rows of which float32 cannot tell the nearest: what it leaves open is found by other means."""

import numpy as np
import pytest

import wellgram as wg
from helpers.nearest_rows import nearest_by_sorting
from wellgram.graphs import search
from wellgram.graphs.measures import measure_of
from wellgram.graphs.row_store import StoredRows
from wellgram.graphs.search import Search, Side

METRICS = ("cosine", "euclidean", "correlation")
RNG = np.random.default_rng(3)
HARD = {
    "equal rows": np.repeat(RNG.integers(1, 9, size=(20, 6)), 40, axis=0).astype(np.float64),
    "a narrow cone": RNG.normal(size=(400, 12)) + 1e6,
    "differences of 1e-9": 1 + 1e-9 * RNG.normal(size=(300, 9)),
    "a few far away": RNG.normal(size=(400, 9)) * np.exp(4 * RNG.normal(size=(400, 1))),
}
TIED = RNG.integers(1, 3, size=(700, 5)).astype(np.float64)


@pytest.fixture
def left_open(monkeypatch):
    """How many rows each stage leaves open."""
    counts = []
    settle = search.Search._settle

    def counted(self, found, *rest):
        settle(self, found, *rest)
        counts.append(int((found.rows[:, 0] < 0).sum()))

    monkeypatch.setattr(search.Search, "_settle", counted)
    return counts


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("x", HARD.values(), ids=HARD)
def test_hard_rows_have_their_nearest(x, metric):
    graph = wg.neighbor_graph(x, 15, metric=metric)
    expected, distances = nearest_by_sorting(x, 15, metric)
    if metric == "euclidean" or x is HARD["a few far away"]:
        np.testing.assert_array_equal(graph.nearest, expected)
    else:  # the order of distances that differ by roundings of rows of length 1 is nobody's
        apart = nearest_by_sorting(x, len(x) - 1, metric)
        place = np.argsort(apart[0], axis=1)
        there = np.array(
            [place[i][np.searchsorted(np.delete(np.arange(len(x)), i), graph.nearest[i])]
             for i in range(len(x))]
        )  # fmt: skip
        found = np.take_along_axis(apart[1], there, axis=1)
        np.testing.assert_allclose(found, distances, rtol=1e-6, atol=1e-28)
    np.testing.assert_allclose(graph.nearest_distances, distances, rtol=1e-6, atol=1e-28)


def test_ties_go_by_row_number_however_many_there_are(left_open):
    """Squares of whole numbers are exact, so hundreds of rows are equally far."""
    graph = wg.neighbor_graph(TIED, 15, metric="euclidean")
    np.testing.assert_array_equal(graph.nearest, nearest_by_sorting(TIED, 15, "euclidean")[0])
    assert len(left_open) == 3
    assert left_open[-1] > 0  # so distances to all others were needed


def test_rows_of_a_narrow_cone_are_found_about_their_centre(left_open):
    wg.neighbor_graph(HARD["a narrow cone"], 15)
    assert left_open == [400, 0]


def test_usual_rows_are_proven_at_once(left_open, rng):
    wg.neighbor_graph(rng.normal(size=(3000, 64)).astype(np.float32), 15)
    assert left_open == [0]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_values_whose_squares_are_no_numbers(rng, metric, scale):
    x = rng.normal(size=(120, 6))
    graph = wg.neighbor_graph(x * scale, 5, metric=metric)
    expected, distances = nearest_by_sorting(x, 5, metric)
    np.testing.assert_array_equal(graph.nearest, expected)
    unit = scale if metric == "euclidean" else 1
    np.testing.assert_allclose(graph.nearest_distances / unit, distances, rtol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_no_cosine_errs_by_more_than_the_bound(rng, metric):
    """The proof rests on it: what a pass meets is near the order by distance in float64."""
    x = (rng.normal(size=(300, 40)) + 3 * rng.normal(size=40)).astype(np.float32)
    measure = measure_of(metric)
    stored = StoredRows.of(x)
    kept = stored.learn(measure)
    side = Side(x, kept)
    job = Search(measure, 1, side, side, itself=False)
    rows, others = (job._unit(side, form, "float32") for form in (measure.left, measure.right))
    met = rows.span(0, 300).astype(np.float64) @ others.span(0, 300).T.astype(np.float64)
    wide = [form(x.astype(np.float64)) for form in (measure.left, measure.right)]
    left, right = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in wide)
    roundings = measure.width(40) + search._ROUNDINGS
    assert np.abs(met - left @ right.T).max() < roundings * 2.0**-24
    if metric == "euclidean":  # right vectors are equally long, or the order would be another
        np.testing.assert_allclose(np.linalg.norm(wide[1], axis=1), measure.reach, rtol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_products_are_of_float64_where_others_may_round_more(rng, metric, monkeypatch):
    """As on cards, whose tensor cores have a bound of their own."""
    monkeypatch.setattr(search, "_ROUND_AS_FLOAT32", frozenset())
    types = set()
    scan = search.scan

    def noted(rows, others, *args, **options):
        types.update({rows.dtype.name, rows.dtype.name if others is None else others.dtype.name})
        return scan(rows, others, *args, **options)

    monkeypatch.setattr(search, "scan", noted)
    x = rng.normal(size=(500, 20)).astype(np.float32)
    graph = wg.neighbor_graph(x, 7, metric=metric)
    np.testing.assert_array_equal(graph.nearest, nearest_by_sorting(x, 7, metric)[0])
    assert types == {"float64"}


def test_a_bound_made_too_small_is_noticed(monkeypatch):
    """Without a margin, rows are taken that float32 does not tell apart."""
    x = 1 + 1e-4 * np.random.default_rng(5).normal(size=(2000, 8))
    monkeypatch.setattr(search, "_ROUNDINGS", -8)
    found = wg.neighbor_graph(x, 5).nearest
    assert (found != nearest_by_sorting(x, 5, "cosine")[0]).any()
