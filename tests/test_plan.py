"""The planner's arithmetic; how far it is off on a machine, benchmarks/plan.py says."""

import pytest

from wellgram import InputError
from wellgram.studies import Rates, plan

SCREEN = {"wells": 2_200_000, "features": 1024, "perturbations": 17_063, "batches": 176}


def stage(made, name, column):
    return made.table.set_index("stage").loc[name, column]


def test_each_stage_takes_its_work_over_the_rate():
    rates = Rates(labels=1e5, read=1e8, scatter=1e10, decompose=1e9, products=1e11)
    made = plan(**SCREEN, threads=4, neighbors=0, rates=rates)
    n, d, p = 2_200_000, 1024, 17_063
    assert stage(made, "labels", "seconds") == n / 1e5
    expected = n * d * 4 / 4e8 + 2 * (n / 8) * d**2 / 4e10
    assert stage(made, "pass over wells", "seconds") == pytest.approx(expected)
    assert stage(made, "alignment", "seconds") == pytest.approx(177 * d**3 / 4e9)
    assert stage(made, "pairs", "seconds") == pytest.approx(p**2 * d / 4e11)
    assert made.seconds == pytest.approx(made.table["seconds"][:-1].sum())


def test_one_process_moves_nothing():
    made = plan(**SCREEN)
    assert stage(made, "whole", "bytes_moved") == 0
    assert stage(made, "whole", "bytes_read") == 2_200_000 * 1024 * 4
    assert stage(made, "whole", "worker_memory") == 0


def test_machines_share_the_passes_and_get_the_map_each():
    few, many = plan(**SCREEN, machines=2), plan(**SCREEN, machines=8)
    assert stage(many, "pass over wells", "seconds") < stage(few, "pass over wells", "seconds")
    assert stage(many, "alignment", "seconds") == stage(few, "alignment", "seconds")
    moved = [stage(made, "pairs", "bytes_moved") for made in (few, many)]
    assert moved[1] == 4 * moved[0]
    assert stage(many, "whole", "worker_memory") == stage(few, "whole", "worker_memory")


def test_few_controls_cost_their_rows_not_a_covariance_each():
    many, few = plan(**SCREEN, controls=0.5), plan(**SCREEN, controls=0.01)
    assert few.memory < many.memory


def test_a_plan_reads_well():
    shown = repr(plan(**SCREEN, machines=8))
    assert "pass over wells" in shown
    assert "9.01 GB" in shown  # of embeddings read


@pytest.mark.parametrize("name", ["wells", "features", "perturbations", "batches", "threads"])
def test_a_number_that_is_not_positive_is_named(name):
    with pytest.raises(InputError, match=f"{name} must be 1 or more, not 0"):
        plan(**{**SCREEN, name: 0})
