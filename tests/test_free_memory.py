"""What takes more memory than is free is refused before it is taken, with both numbers."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg
from wellgram import InputError
from wellgram.backends import free_memory as of_system
from wellgram.backends.free_memory import check_room, free_bytes
from wellgram.errors import NotEnoughMemory

GB = 10**9


@pytest.fixture
def one_gigabyte(monkeypatch):
    """Have the system say that 1 GB is free."""
    monkeypatch.setattr(of_system, "free_bytes", lambda: GB)


@pytest.fixture
def rows(rng):
    return rng.standard_normal((40, 4)).astype(np.float32)


@pytest.fixture
def wells(rng):
    """Wells of ten perturbations and controls in two batches."""
    names = np.array([f"g{k % 10}" for k in range(80)], object)
    names[::4] = "NTC"
    batches = np.arange(80) // 40
    return wg.Wells.from_arrays(rng.standard_normal((80, 4)), names, control="NTC", batch=batches)


def precisions(wells):
    return wg.average_precision(wells, pos_sameby="perturbation", neg_diffby="perturbation")


MANY = 4_000_000_000

ASKED = {
    "neighbors": lambda wells, x: wg.neighbors(np.ones((30_000, 2), np.float32), 29_999),
    "histogram": lambda wells, x: wg.pair_histogram(x, bins=2**31 - 1),
    "matrix": lambda wells, x: wg.cosine_matrix(np.ones((30_000, 2), np.float32)),
    "consistency": lambda wells, x: wg.consistency(wells, draws=MANY),
    "consistency of sizes": lambda wells, x: wg.consistency(wells, null="permutation", draws=MANY),
    "angles": lambda wells, x: wg.consistency(wells, measure="angle", draws=MANY),
    "magnitude": lambda wells, x: wg.magnitude(wells, draws=MANY),
    "precision": lambda wells, x: wg.mean_average_precision(precisions(wells), null_size=MANY),
    "labels": lambda wells, x: wg.mean_average_precision(
        precisions(wells), null="labels", null_size=MANY
    ),
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_what_a_caller_asks_too_much_of_is_refused(wells, rows, one_gigabyte, asked):
    with pytest.raises(
        NotEnoughMemory, match=r"takes [\d.,]+ GB of memory or more, but 1\.0 GB are free; .+=\)$"
    ):
        ASKED[asked](wells, rows)


def test_resamples_are_refused(rows, one_gigabyte):
    map_ = wg.PerturbationMap(rows, pd.DataFrame({"perturbation": [f"g{k}" for k in range(40)]}))
    pairs = pd.DataFrame({"entity1": ["g0", "g1", "g2"], "entity2": ["g3", "g4", "g5"]})
    with pytest.raises(NotEnoughMemory, match=r"4,000,000,000 draws takes .*\(.*resamples=\)$"):
        wg.relationship_recall(map_, {"known": pairs}, resamples=MANY)


def test_draws_that_have_no_numbers_are_refused(wells):
    for refused in (
        lambda: wg.consistency(wells, draws=10**12),
        lambda: wg.magnitude(wells, draws=10**12),
        lambda: wg.mean_average_precision(precisions(wells), null_size=10**12),
    ):
        with pytest.raises(InputError, match=r"draws must be in \[0, 2\^32\), not 1000000000000"):
            refused()


def test_the_table_of_neighbors_is_refused_but_not_its_arrays(rows, monkeypatch):
    found = wg.neighbors(rows, 3)
    monkeypatch.setattr("wellgram.pairs.neighbor_tables._BYTES_OF_A_ROW", GB)
    monkeypatch.setattr(of_system, "free_bytes", lambda: GB)
    with pytest.raises(NotEnoughMemory, match=r"a table of 240 neighbors takes 240\.0 GB .*arrays"):
        _ = found.table
    assert found.nearest.shape == (40, 3)


def test_what_fits_exactly_is_not_refused(one_gigabyte):
    check_room(GB, "this", "ask for less")
    with pytest.raises(NotEnoughMemory, match=r"this takes 1\.0 GB .*; ask for less$"):
        check_room(GB + 1, "this", "ask for less")


def test_a_system_that_says_nothing_refuses_nothing(monkeypatch):
    monkeypatch.setattr(of_system, "free_bytes", lambda: None)
    check_room(10**15, "this", "ask for less")


@pytest.fixture
def system(tmp_path, monkeypatch):
    """The files of a system, by their paths; those that are not named are absent."""

    def write(files):
        real = of_system.Path
        monkeypatch.setattr(of_system, "Path", lambda path: real(f"{tmp_path}{path}"))
        monkeypatch.setattr(of_system, "_CGROUPS", tmp_path / "sys/fs/cgroup")
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


MACHINE = {"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable: 7000 kB\nSwapFree: 1000 kB\n"}


def test_the_machine_counts_with_its_swap(system):
    system(MACHINE)
    assert free_bytes() == 8000 * 1024


@pytest.mark.parametrize("limited", ["job", "job/step"])
def test_a_control_group_counts_and_those_that_it_lies_in(system, limited):
    files = {
        "proc/self/cgroup": "0::/job/step\n",
        "sys/fs/cgroup/job/memory.max": "max\n",
        "sys/fs/cgroup/job/memory.current": "1\n",
        f"sys/fs/cgroup/{limited}/memory.max": "5000\n",
        f"sys/fs/cgroup/{limited}/memory.current": "3000\n",
        f"sys/fs/cgroup/{limited}/memory.stat": "anon 2500\ninactive_file 300\nactive_file 100\n",
    }
    system(MACHINE | files)
    assert free_bytes() == 5000 - 3000 + 300 + 100


def test_a_control_group_of_the_first_version_counts(system):
    group = "sys/fs/cgroup/memory/job"
    files = {
        "proc/self/cgroup": "4:memory:/job\n3:cpuset:/\n",
        f"{group}/memory.limit_in_bytes": "5000\n",
        f"{group}/memory.usage_in_bytes": "3000\n",
        f"{group}/memory.stat": "total_inactive_file 300\ninactive_file 7\ntotal_active_file 100\n",
    }
    system(MACHINE | files)
    assert free_bytes() == 5000 - 3000 + 300 + 100
