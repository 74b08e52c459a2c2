"""Commands that are killed leave old results whole or new ones, and nothing else."""

from kills import kill_all

_KILLS = 20


def test_nothing_is_lost_mixed_or_left_behind():
    counts, faults = kill_all(_KILLS, seed=0)
    assert faults == []
    assert sum(counts[f"{name}: kills"] for name in ("SIGKILL", "SIGTERM", "SIGINT")) == _KILLS
