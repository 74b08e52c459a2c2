"""Loops that the threads of another loop run: every chunk is done, each time."""

import numpy as np

from wellgram.backends import get_backend


def test_groups_that_threads_share_whole_are_the_same_each_time(monkeypatch):
    """Each thread packs the rows of its group in a loop of its own."""
    rng = np.random.default_rng(0)
    rows, codes = rng.normal(size=(6000, 24)), rng.integers(300, size=6000)
    run = get_backend("cpu")
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "1")
    expected = run.group_distances(rows, codes, 300)
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "8")
    for _ in range(20):
        np.testing.assert_array_equal(run.group_distances(rows, codes, 300), expected)
