"""What plans say of the benchmarks of wells, and the command that prints them."""

from dataclasses import asdict

import pytest
from typer.testing import CliRunner

from wellgram import InputError
from wellgram.cli import app
from wellgram.studies import Rates, measured_rates, plan
from wellgram.studies.benchmark_stages import STAGES

SCREEN = {"wells": 200_000, "features": 384, "perturbations": 5_000, "batches": 100}
RATES = Rates(products=1e11, draws=1e9, distances=1e10, network=1e9)


def stage(made, name, column):
    return made.table.set_index("stage").loc[name, column]


def test_each_benchmark_takes_its_work_over_the_rate():
    made = plan(**SCREEN, controls=0.25, threads=4, benchmarks=list(STAGES), kinds=50, rates=RATES)
    n, d, k = 200_000, 384, 30
    assert stage(made, "consistency", "seconds") == pytest.approx(1e4 * 50 * k * d / 4e9)
    distances = (1000 * n + 1000 * 50 * k**2 / 2) * d
    assert stage(made, "magnitude", "seconds") == pytest.approx(distances / 4e10)
    ranked = n * (500 + k) * d / 4e11 + 1e4 * 5000 * k / 4e9
    assert stage(made, "average_precision", "seconds") == pytest.approx(ranked)
    graph = n**2 * d / 4e11 + 16 * n * d / 4e10
    assert stage(made, "neighbor_graph", "seconds") == pytest.approx(graph)
    assert made.seconds == pytest.approx(made.table["seconds"][:-1].sum())


def test_a_map_alone_is_planned_by_default():
    names = ["labels", "pass over wells", "alignment", "pairs", "whole"]
    assert plan(**SCREEN).table["stage"].tolist() == names


def test_workers_share_the_work_and_get_the_wells():
    alone = plan(**SCREEN, benchmarks=["neighbor_graph"], rates=RATES)
    many = plan(**SCREEN, benchmarks=["neighbor_graph"], machines=8, rates=RATES)
    size = 200_000 * 384 * 4
    assert stage(alone, "neighbor_graph", "bytes_moved") == 0
    assert stage(many, "neighbor_graph", "bytes_moved") == 8 * size
    seconds = [stage(made, "neighbor_graph", "seconds") for made in (alone, many)]
    assert seconds[1] < seconds[0] / 4
    assert stage(many, "neighbor_graph", "worker_memory") > size


def test_kinds_are_four_a_batch_unless_they_are_named():
    usual = plan(**SCREEN, benchmarks=["consistency"])
    named = plan(**SCREEN, benchmarks=["consistency"], kinds=400)
    few = plan(**{**SCREEN, "perturbations": 50}, benchmarks=["consistency"])
    assert usual.seconds == named.seconds
    assert few.table.equals(
        plan(**{**SCREEN, "perturbations": 50}, benchmarks=["consistency"], kinds=50).table
    )


def test_an_unknown_benchmark_is_named():
    with pytest.raises(InputError, match=r"unknown benchmark 'recall'; choose of 'consistency'"):
        plan(**SCREEN, benchmarks=["recall"])


def test_no_kinds_are_refused():
    with pytest.raises(InputError, match="kinds must be 1 or more, not 0"):
        plan(**SCREEN, kinds=0)


def test_rates_of_this_machine_are_positive():
    rates, usual = measured_rates(32), Rates()
    for name, value in asdict(rates).items():
        assert value > 0
        assert (value == getattr(usual, name)) == (name in ("labels", "read", "network")), name


def run(*options):
    sizes = ["--wells", "9000", "--features", "64", "--perturbations", "500"]
    return CliRunner().invoke(app, ["plan", *sizes, *options])


def test_the_command_prints_every_stage():
    done = run("--batches", "20", "--machines", "2", "--threads", "8")
    assert done.exit_code == 0, done.output
    for name in ("labels", "pairs", *STAGES, "whole"):
        assert name in done.output
    made = plan(9000, 64, 500, batches=20, machines=2, threads=8, benchmarks=list(STAGES))
    assert f"{made.seconds:,.1f}" in done.output


def test_the_command_plans_some_benchmarks_by_this_machine():
    done = run("--metric", "magnitude", "--measure")
    assert done.exit_code == 0, done.output
    assert "magnitude" in done.output
    assert "neighbor_graph" not in done.output


def test_the_command_names_what_cannot_be():
    done = run("--metric", "recall")
    assert isinstance(done.exception, InputError)
