"""``wellgram plan``: what a screen takes, before any of it is run."""

from typing import Annotated

import typer

from wellgram.backends.thread_count import threads as threads_here
from wellgram.cli.terminal import results, step, words_table
from wellgram.studies.benchmark_stages import STAGES
from wellgram.studies.machine_rates import Rates, measured_rates
from wellgram.studies.planning import plan as planned


def plan(
    wells: Annotated[int, typer.Option(help="How many wells the screen has.")],
    features: Annotated[int, typer.Option(help="How many features a well has.")],
    perturbations: Annotated[int, typer.Option(help="How many rows the map has.")],
    batches: Annotated[int, typer.Option(help="How many batches.")] = 1,
    controls: Annotated[float, typer.Option(help="Which share of the wells are controls.")] = 0.125,
    kinds: Annotated[
        int | None,
        typer.Option(
            help="How many kinds of random sets: numbers of wells by batch; by default four for "
            "each batch."
        ),
    ] = None,
    machines: Annotated[
        int, typer.Option(help="Machines with a worker each; 0: this process alone.")
    ] = 0,
    threads: Annotated[
        int | None, typer.Option(help="Of each machine; by default as many as this one has.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(STAGES)}; may be repeated. By default all."),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure what this machine does, in some seconds.")
    ] = False,
) -> None:
    """Predict what a screen takes, for each stage: time, bytes read and moved, memory.

    Recall and the neighbors of a map are the stage of its pairs. Rates are those of one machine
    with AVX-512, or with --measure those of this one; files are not read to measure them.
    """
    rates = Rates()
    if measure:
        with step("measure"):
            rates = measured_rates(features)
    made = planned(
        wells, features, perturbations, batches=batches, controls=controls, machines=machines,
        threads=threads or threads_here(), benchmarks=list(STAGES) if metric is None else metric,
        kinds=kinds, rates=rates,
    )  # fmt: skip
    columns = list(made.table.columns)
    rows = [
        [
            str(row["stage"]),
            f"{row['seconds']:,.1f}",
            *(f"{row[c] / 1e9:,.2f}" for c in columns[2:]),
        ]
        for row in made.table.to_dict("records")
    ]
    head = ["stage", "seconds", *(f"{name.replace('_', ' ')}, GB" for name in columns[2:])]
    results.print(words_table("Plan", head, rows))
