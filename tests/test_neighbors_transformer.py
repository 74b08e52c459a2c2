"""Graphs of neighbors as scikit-learn's transformer: its own checks, and its graphs."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.manifold import Isomap
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neighbors import KNeighborsTransformer as Peer
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

import wellgram as wg
from wellgram import InputError, NotFitted

METRICS = ("euclidean", "cosine", "correlation")
MODES = ("distance", "connectivity")
ZERO = {"check_estimators_dtypes": "its rows, of few whole numbers, are zero or of one value"}
"""The check of scikit-learn that fails where rows need a direction"""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("metric", METRICS)
def test_scikit_learns_checks(metric, mode):
    expected = {} if metric == "euclidean" else ZERO
    transformer = wg.KNeighborsTransformer(n_neighbors=2, metric=metric, mode=mode)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = estimator_checks.check_estimator(
            transformer, expected_failed_checks=expected, on_fail=None
        )
    of = {
        status: {r["check_name"] for r in results if r["status"] == status}
        for status in ("failed", "xfail", "passed", "skipped")
    }
    assert not of["failed"], [r["exception"] for r in results if r["status"] == "failed"]
    assert of["xfail"] == set(expected)
    assert of["skipped"] <= {"check_array_api_input"}  # needs an environment variable of SciPy
    assert len(of["passed"]) > 35


def assert_same_matrix(found, expected):
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    # scikit-learn takes distances from products: a row is up to 1e-7 from itself.
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-9, atol=2e-7)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("metric", METRICS)
def test_graphs_are_those_of_scikit_learn(rng, metric, mode):
    x, new = rng.normal(size=(150, 6)), rng.normal(size=(20, 6))
    options = {"n_neighbors": 4, "metric": metric, "mode": mode}
    peer = Peer(algorithm="brute", **options)
    own = wg.KNeighborsTransformer(**options)
    assert_same_matrix(own.fit_transform(x), peer.fit_transform(x))
    assert_same_matrix(own.transform(new), peer.transform(new))
    assert own.n_samples_fit_ == peer.n_samples_fit_


def test_a_row_itself_comes_before_rows_that_are_equal():
    x = np.repeat(np.eye(3), 3, axis=0)
    graph = wg.KNeighborsTransformer(n_neighbors=2).fit_transform(x)
    rows = graph.indices.reshape(9, 3)
    assert rows[:, 0].tolist() == list(range(9))
    assert rows[4].tolist() == [4, 3, 5]
    assert not graph.data.any()


def test_one_connection_is_a_row_itself(rng):
    transformer = wg.KNeighborsTransformer(n_neighbors=1, mode="connectivity")
    np.testing.assert_array_equal(
        transformer.fit_transform(rng.normal(size=(5, 2))).toarray(), np.eye(5)
    )


def test_it_is_a_step_before_estimators_of_graphs(rng):
    x = rng.normal(size=(80, 5)) + 5 * (np.arange(80) < 40)[:, None]
    y = np.arange(80) < 40
    nearest = KNeighborsClassifier(n_neighbors=3, metric="precomputed")
    pipeline = make_pipeline(wg.KNeighborsTransformer(n_neighbors=4), nearest)
    assert pipeline.fit(x, y).score(x, y) == 1
    flat = [
        make_pipeline(step(n_neighbors=6), Isomap(n_neighbors=6, metric="precomputed"))
        for step in (wg.KNeighborsTransformer, Peer)
    ]
    flat_rows = [pipeline.fit_transform(x[:40]) for pipeline in flat]
    np.testing.assert_allclose(np.abs(flat_rows[0]), np.abs(flat_rows[1]), atol=1e-6)


def test_it_is_copied_and_sent(rng):
    x = rng.normal(size=(30, 4))
    fitted = wg.KNeighborsTransformer(n_neighbors=3, metric="cosine").fit(x)
    sent = pickle.loads(pickle.dumps(fitted))
    assert_same_matrix(sent.transform(x), fitted.transform(x))
    assert not clone(fitted).is_fitted
    assert repr(fitted) == "KNeighborsTransformer(n_neighbors=3, metric='cosine')"


def test_columns_are_named_as_scikit_learn_names_them(rng):
    x = rng.normal(size=(3, 2))
    own = wg.KNeighborsTransformer(n_neighbors=1).fit(x)
    assert own.get_feature_names_out().tolist() == (
        Peer(n_neighbors=1).fit(x).get_feature_names_out().tolist()
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_neighbors": 0}, "n_neighbors must be 1 or more, not 0"),
        ({"mode": "both"}, "mode must be 'distance' or 'connectivity', not 'both'"),
        ({"metric": "l1"}, "unknown metric 'l1'"),
    ],
)
def test_parameters_that_cannot_be_used(rng, options, words):
    with pytest.raises(InputError, match=words):
        wg.KNeighborsTransformer(**options).fit(rng.normal(size=(5, 2)))


def test_more_neighbors_than_rows(rng):
    x = rng.normal(size=(5, 2))
    assert wg.KNeighborsTransformer(n_neighbors=4).fit_transform(x).nnz == 25
    with pytest.raises(InputError, match=r"n_neighbors <= n_samples_fit.*ask for fewer"):
        wg.KNeighborsTransformer(n_neighbors=5).fit_transform(x)


def test_a_row_without_a_distance_is_named(rng):
    x = rng.normal(size=(5, 2))
    x[3] = 0
    with pytest.raises(InputError, match=r"row 3 has no distance by cosine; leave"):
        wg.KNeighborsTransformer(n_neighbors=2, metric="cosine").fit_transform(x)


def test_it_is_fitted_before_it_transforms(rng):
    with pytest.raises(NotFitted):
        wg.KNeighborsTransformer().transform(rng.normal(size=(5, 2)))
