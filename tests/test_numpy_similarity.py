"""Similarities that the compiled core counts have the bits of NumPy's."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from wellgram.backends import numpy_similarity

pytestmark = pytest.mark.skipif(
    not numpy_similarity.is_compiled(), reason="the compiled core is absent"
)

KINDS = ["cosines", "correlations", "euclidean", "manhattan", "chebyshev"]
WIDTHS = [1, 2, 7, 8, 9, 15, 60, 127, 128, 129, 136, 143, 257, 300, 1025]
"""Around where NumPy's sums change their order"""


def counted(similarity, values, absolute):
    """Return how many of all rows are above each value (n, v) of each row, by the core."""
    n, v = values.shape
    each = np.arange(n)
    ordered = np.sort(values.astype(np.float64), axis=1)
    counts = similarity.counts_above(
        each,
        each,
        np.arange(n + 1) * v,
        ordered.ravel(),
        np.zeros((1, n), np.int32),
        np.ones((1, n), np.int32),
        absolute=absolute,
    )
    return counts.reshape(n, v)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", WIDTHS)
def test_counts_are_those_of_pairs_to_the_bit(kind, d, dtype):
    """A value in the last place off would be counted, or would not."""
    if kind == "correlations" and d < 3:
        pytest.skip("two numbers or less have no correlation but 1")
    n = 45
    similarity = getattr(numpy_similarity, kind)(
        np.random.default_rng(d).normal(size=(n, d)).astype(dtype)
    )
    i, j = np.divmod(np.arange(n * n), n)
    values = similarity.pairs(i, j).reshape(n, n)
    for absolute in (False, True):
        compared = np.abs(values) if absolute else values
        ordered = np.sort(compared, axis=1)
        expected = (compared[:, np.newaxis, :] > ordered[:, :, np.newaxis]).sum(axis=2)
        np.testing.assert_array_equal(counted(similarity, compared, absolute), expected)


def test_pairs_are_similarities():
    x = np.random.default_rng(0).normal(size=(30, 50))
    i, j = np.divmod(np.arange(900), 30)
    apart = {kind: cdist(x, x, metric).ravel() for kind, metric in {
        "cosines": "cosine", "correlations": "correlation", "euclidean": "euclidean",
        "manhattan": "cityblock", "chebyshev": "chebyshev"}.items()}  # fmt: skip
    for kind, distance in apart.items():
        expected = 1 - distance if kind in KINDS[:2] else 1 / (1 + distance)
        values = getattr(numpy_similarity, kind)(x).pairs(i, j)
        np.testing.assert_allclose(values, expected, atol=1e-12)  # SciPy adds up otherwise
