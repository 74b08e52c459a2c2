"""The stand-ins for scib-metrics' silhouettes and kBET beside the originals."""

import warnings

import numpy as np
import pandas as pd
import pytest

from helpers.accelerated import Pair, outcome, quiet_profile, same_error

with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own, of the libraries it imports
    patch.setenv("JAX_PLATFORMS", "cpu")
    scib = pytest.importorskip(
        "scib_metrics",
        reason="scib-metrics is absent (pip install scib-metrics)",
        exc_type=ImportError,
    )

from scib_metrics.nearest_neighbors import NeighborsResults


@pytest.fixture(scope="module")
def silhouettes():
    return Pair("utils._silhouette:silhouette_samples")


@pytest.fixture(scope="module")
def acceptance():
    return Pair(":kbet")


def sample(n=400, d=8, seed=0):
    """Rows, the class and the batch of each."""
    rng = np.random.default_rng(seed)
    label, batch = rng.integers(6, size=n), rng.integers(3, size=n)
    rows = rng.normal(size=(n, d)) + rng.normal(size=(6, d))[label] + 0.3 * batch[:, None]
    return rows, label, batch


def around(n=400, k=30, seed=0):
    """Neighbors at random, and the batch of each row, of which one is more often."""
    rng = np.random.default_rng(seed)
    batch = rng.integers(4, size=n) * rng.integers(2, size=n)
    near = rng.integers(n, size=(n, k))
    return NeighborsResults(indices=near, distances=np.sort(rng.random((n, k)), axis=1)), batch


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("other", ["nearest", "mean_other", "furthest"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_silhouettes_are_equal(silhouettes, metric, other, dtype):
    rows, label, _ = sample()
    label[3] = 40  # a class of one
    theirs, ours = silhouettes(rows.astype(dtype), label, 100, metric, other)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6)  # theirs is float32


@pytest.mark.parametrize("kind", [str, np.int8, pd.Series])
def test_labels_of_other_kinds(silhouettes, kind):
    rows, label, _ = sample()
    labels = pd.Series(label) if kind is pd.Series else label.astype(kind)
    theirs, ours = silhouettes(rows, labels)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6)


def test_all_that_is_made_of_silhouettes_is_equal():
    import wellgram.accel

    rows, label, batch = sample()
    calls = {
        "silhouette_label": (rows, label),
        "silhouette_batch": (rows, label, batch),
        "bras": (rows, label, batch),
        "isolated_labels": (rows, label, batch),
    }
    before = {name: getattr(scib, name)(*arguments) for name, arguments in calls.items()}
    with wellgram.accel.accelerated(also="scib-metrics"), quiet_profile() as found:
        after = {name: getattr(scib, name)(*arguments) for name, arguments in calls.items()}
    assert {call.declined for call in found.calls} == {None}
    for name, theirs in before.items():
        assert type(after[name]) is type(theirs), name
        assert after[name] == pytest.approx(theirs, abs=1e-6), name


def test_kbet_is_equal(acceptance):
    neighbors, batch = around()
    for batches in (batch, batch.astype(str), pd.Series(batch)):
        theirs, ours = acceptance(neighbors, batches)
        assert type(ours[0]) is type(theirs[0])
        assert ours[0] == theirs[0]
        for mine, other in zip(ours[1:], theirs[1:], strict=True):
            assert mine.dtype == other.dtype
            # Theirs is float32, a statistic a sum of some terms of it.
            np.testing.assert_allclose(mine, other, rtol=2e-6, atol=2e-6)


def test_a_level_that_a_p_value_equals_is_left_to_the_original(acceptance):
    neighbors, batch = around()
    level = float(acceptance.original(neighbors, batch)[2][0])
    theirs = acceptance.original(neighbors, batch, level)
    why, ours = acceptance.declines(neighbors, batch, level)
    assert why == "a p-value is the level but for rounding"
    assert ours[0] == theirs[0]


SILHOUETTES = {
    "a list of labels": lambda x, c, _: (x, c.tolist()),
    "a category without rows": lambda x, c, _: (x, pd.Categorical(c, range(9))),
    "categories": lambda x, c, _: (x, pd.Series(pd.Categorical(c))),
    "missing labels": lambda x, c, _: (x, np.where(c > 2, c, np.nan)),
    "one class": lambda x, c, _: (x, np.zeros_like(c)),
    "fewer labels": lambda x, c, _: (x, c[1:]),
    "another metric": lambda x, c, _: (x, c, 100, "manhattan"),
    "another class to compare with": lambda x, c, _: (x, c, 100, "euclidean", "any"),
    "whole numbers": lambda x, c, _: ((10 * x).astype(int), c),
    "a NaN": lambda x, c, _: (np.where(x > 2, np.nan, x), c),
    "a row of zeros": lambda x, c, _: (x * (np.arange(len(x)) != 3)[:, None], c, 100, "cosine"),
    "beyond float32": lambda x, c, _: (x * 1e30, c),
    "squares of squares beyond float32": lambda x, c, _: (x * 1e12, c, 100, "cosine"),
}


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("case", SILHOUETTES)
def test_outside_of_the_domain_the_original_answers(silhouettes, case):
    arguments = SILHOUETTES[case](*sample(200))
    theirs = outcome(silhouettes.original, *arguments)
    why, ours = silhouettes.declines(*arguments)
    if not same_error(theirs, ours):
        assert why
        np.testing.assert_array_equal(ours, theirs)


def renumbered(neighbors, indices):
    return NeighborsResults(indices=indices, distances=neighbors.distances)


NEIGHBORS = {
    "one batch": lambda near, batch: (near, np.zeros_like(batch)),
    "missing batches": lambda near, batch: (near, np.where(batch > 0, batch, np.nan)),
    "categories": lambda near, batch: (near, pd.Categorical(batch, range(7))),
    "fewer batches": lambda near, batch: (near, batch[1:]),
    "a level as a whole number": lambda near, batch: (near, batch, 1),
    "no such row": lambda near, batch: (renumbered(near, near.indices + 1), batch),
    "rows from the end": lambda near, batch: (renumbered(near, near.indices - 400), batch),
}


@pytest.mark.parametrize("case", NEIGHBORS)
def test_other_neighbors_go_to_the_original(acceptance, case):
    arguments = NEIGHBORS[case](*around())
    theirs = outcome(acceptance.original, *arguments)
    why, ours = acceptance.declines(*arguments)
    if not same_error(theirs, ours):
        assert why
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(mine, other)
