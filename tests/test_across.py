"""Neighbours in other groups, against all cosines."""

import numpy as np
import pytest

from wellgram import InputError, available_backends
from wellgram.pairs import neighbors_across


@pytest.mark.parametrize("backend", available_backends())
@pytest.mark.parametrize("n", [7, 300])
def test_neighbours_are_the_nearest_of_other_groups(rng, n, backend):
    x = rng.normal(size=(n, 5))
    groups = rng.integers(0, 4, n)
    groups[:2] = 0, 1
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines = unit @ unit.T
    cosines[groups[:, None] == groups] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :3]
    best = np.take_along_axis(cosines, order, axis=1)
    found = neighbors_across(x, groups, 3, backend=backend)
    np.testing.assert_array_equal(found.nearest, np.where(np.isfinite(best), order, -1))
    there = np.isfinite(best)
    np.testing.assert_allclose(found.nearest_cosines[there], best[there], rtol=1e-12)


def test_progress_reaches_the_whole(rng):
    shares = []
    neighbors_across(rng.normal(size=(3000, 64)), np.arange(3000) % 3, progress=shares.append)
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)


def test_one_group_has_no_others(rng):
    with pytest.raises(InputError, match="one group"):
        neighbors_across(rng.normal(size=(4, 3)), np.zeros(4, np.int64))
