"""A few kills of a Dask cluster; ``tests/faults/dask_kills.py`` makes as many as one likes."""

import pytest

pytest.importorskip("distributed", reason="distributed is not installed")

from faults.dask_kills import run


def test_workers_that_are_all_killed_change_no_bit():
    ended = run("neighbors", ["all workers"], kills=2, seed=3)
    assert ended == {"neighbors, all workers: same bits": 2}


def test_a_scheduler_that_is_killed_is_named_or_was_not_needed_any_more():
    (end,) = run("consistency", ["scheduler"], kills=1, seed=3)
    assert end.startswith(
        (
            "consistency, scheduler: same bits",
            "consistency, scheduler: ClusterError: the Dask scheduler at tcp://127.0.0.1:",
        )
    )
