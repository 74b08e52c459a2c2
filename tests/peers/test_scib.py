"""Mixing of batches, against scib-metrics on the same neighbours."""

import numpy as np
import pytest

from wellgram.metrics.batch_measures import mixing
from wellgram.metrics.mixing import kbet, lisi, nearest_with_self, scaled_lisi, silhouettes


@pytest.fixture(scope="module")
def scib():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_PLATFORMS", "cpu")
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own, of the libraries it imports
            return pytest.importorskip(
                "scib_metrics",
                reason="scib-metrics is absent (pip install scib-metrics)",
                exc_type=ImportError,
            )


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(0)
    n = 400
    batch, label = rng.integers(0, 5, n), rng.integers(0, 9, n)
    x = rng.normal(size=(n, 10)) + 0.7 * rng.normal(size=(5, 10))[batch]
    x += rng.normal(size=(9, 10))[label]
    return x / np.linalg.norm(x, axis=1, keepdims=True), batch, label


@pytest.fixture(scope="module")
def neighbors(scib, sample):
    from scib_metrics.nearest_neighbors import NeighborsResults

    near, apart = nearest_with_self(sample[0], 60)
    return near, apart, NeighborsResults(indices=near, distances=apart)


def test_kbet_is_theirs(scib, sample, neighbors):
    near, _, theirs = neighbors
    assert kbet(near, sample[1]) == scib.kbet(theirs, sample[1])[0]


def test_lisi_is_theirs(scib, sample, neighbors):
    near, apart, theirs = neighbors
    for codes in sample[1:]:
        ours = lisi(near, apart, codes)
        # They compute in float32, and end a bisection where the entropy is right to 1e-5.
        np.testing.assert_allclose(ours, scib.lisi_knn(theirs, codes), rtol=1e-4)
        scaled = scib.ilisi_knn(theirs, codes)
        assert scaled_lisi(ours, codes) == pytest.approx(scaled, rel=1e-4)
        assert 1 - scaled_lisi(ours, codes) == pytest.approx(
            scib.clisi_knn(theirs, codes), rel=1e-4
        )


def test_silhouettes_are_theirs(scib, sample):
    x, batch, label = sample
    ours = (1 + silhouettes(x, label).mean()) / 2
    assert ours == pytest.approx(scib.silhouette_label(x, label), rel=1e-5)  # theirs is float32
    found = mixing(x, label, batch, np.zeros(len(x), np.int64))
    whole = scib.silhouette_batch(x, np.zeros(len(x)), batch)
    assert found["silhouette_batch"] == pytest.approx(whole, rel=1e-5)
    assert found["silhouette_label"] == pytest.approx(ours, rel=1e-12)
