"""The whole job: wells in, a map and the outcome of every benchmark out."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pandas as pd

from wellgram.align import Alignment
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.machine import environment, peak_memory
from wellgram.backends.protocol import Progress
from wellgram.distributed import Client, takes_client
from wellgram.errors import DeviceMemoryError, InputError, NotApplicable
from wellgram.input_kinds import check_wells
from wellgram.io.relationships import named_sources
from wellgram.maps.build import Aggregation, MapDtype, build_map
from wellgram.metrics import covariate_wells
from wellgram.metrics.gene_set_tests import GeneSets
from wellgram.metrics.recall import Null, Same
from wellgram.metrics.rows_of_pairs import Sources
from wellgram.stream import WellStream
from wellgram.suite.benchmarks import BENCHMARKS
from wellgram.suite.contract import Outcome, Skipped, Step, Task
from wellgram.suite.score_result import RunRecord, ScoreResult
from wellgram.wells import PerturbationMap, Wells


@contextmanager
def _silent(_: str) -> Iterator[Progress]:
    yield lambda _: None


@takes_client
@takes_backend
def score(
    wells: Wells | WellStream,
    align: Alignment | None = None,
    *,
    sources: Sources | None = None,
    same: Same = (),
    same_separator: str | None = None,
    targets: pd.DataFrame | None = None,
    gene_sets: GeneSets | None = None,
    metrics: Sequence[str] | None = None,
    covariates: Sequence[str] = (),
    aggregate: Aggregation = "mean",
    null: Null | None = None,
    dtype: MapDtype = "float32",
    seed: int = 0,
    backend: str | None = None,
    step: Step = _silent,
    client: Client | None = None,
) -> ScoreResult:
    """Align and aggregate wells into a map, and run every benchmark that the data allows.

    What is not run is in the result, with the reason. Replicates are compared where there are any
    and their aligned wells fit into 8 GB.

    Parameters
    ----------
    wells
        The wells, in memory or as a stream.
    align
        An alignment such as `TVN`; None for none.
    sources, same, same_separator, null
        Known pairs: see `relationship_recall`, whose ``separator`` the third is.
    targets
        Compounds and their targets: see `drug_targets`.
    gene_sets
        See `gene_set_separation`.
    metrics
        Which benchmarks to run, of ``"recall"``, ``"drug-targets"``, ``"gene-set-separation"``,
        ``"consistency"``, ``"magnitude"``, ``"average-precision"``, ``"gene-set-similarity"``,
        ``"projection"`` and ``"batch-effects"``; all by default.
    covariates
        Numeric columns, such as a cell count, each of which is scored in place of the embedding as
        well: see `covariate_wells`.
    aggregate, dtype
        See `build_map`.
    seed
        Of all that is drawn.
    backend
        See `set_backend`.
    step
        Called with the name of every step; for progress bars.
    client
        A ``distributed.Client``, whose workers read the wells of a stream, compare the rows of the
        map, and draw random sets: see `wellgram.distributed.using`.

    Raises
    ------
    InputError
        If an input cannot be used. What the labels alone can tell is checked before any work.
    """
    check_wells(wells)
    check_metrics(metrics or ())
    task = Task(
        wells, align, named_sources(sources), same, null, targets, gene_sets, seed, same_separator
    )
    tasks = {"": task} | {
        column: replace(task, wells=covariate_wells(wells, column), align=None)
        for column in covariates
    }
    wanted = list(BENCHMARKS) if metrics is None else metrics
    skipped = {column: _skipped(of, wanted) for column, of in tasks.items()}
    seconds: dict[str, float] = {}
    runs = {
        column: _run(of, aggregate, dtype, skipped[column], _timed(step, seconds, column))
        for column, of in tasks.items()
    }
    map_, outcomes = runs.pop("")
    covariate_outcomes = {column: found for column, (_, found) in runs.items()}
    return ScoreResult(map_, outcomes, _record(wells, seconds, seed), covariate_outcomes)


def _skipped(task: Task, wanted: Sequence[str]) -> dict[str, Skipped]:
    """Return the benchmarks that are not to be run; raise for an input that is wrong."""
    skipped = {}
    for name, benchmark in BENCHMARKS.items():
        if name not in wanted:
            skipped[name] = Skipped("not asked for", asked_for=False)
            continue
        try:
            benchmark.check(task)
        except NotApplicable as problem:
            skipped[name] = Skipped(str(problem))
    return skipped


def _run(
    task: Task,
    aggregate: Aggregation,
    dtype: MapDtype,
    skipped: Mapping[str, Skipped],
    step: Step,
) -> tuple[PerturbationMap, dict[str, Outcome]]:
    """Return the map, and the outcome of every benchmark."""
    with step("align and aggregate") as progress:
        map_ = build_map(
            task.wells, task.align, aggregate=aggregate, dtype=dtype, progress=progress
        )
    outcomes: dict[str, Outcome] = {}
    for name, benchmark in BENCHMARKS.items():
        if name in skipped:
            outcomes[name] = skipped[name]
            continue
        try:
            with step(benchmark.step) as progress:
                outcomes[name] = benchmark.part(task, map_, progress)
        except (NotApplicable, DeviceMemoryError) as problem:  # the others are run all the same
            outcomes[name] = Skipped(str(problem))
    return map_, outcomes


def _timed(step: Step, seconds: dict[str, float], column: str) -> Step:
    """Return steps that note their seconds, and name the covariate that they are of."""

    @contextmanager
    def timed(name: str) -> Iterator[Progress]:
        began = time.perf_counter()
        title = f"{name}, {column} alone" if column else name
        with step(title) as progress:
            yield progress
        seconds[title] = round(time.perf_counter() - began, 4)

    return timed


def check_metrics(names: Sequence[str]) -> None:
    """Raise unless all are benchmarks.

    Raises
    ------
    InputError
        Naming the first that is none.
    """
    for name in names:
        if name not in BENCHMARKS:
            raise InputError(f"unknown metric {name!r}; choose {', '.join(BENCHMARKS)}")


def _record(wells: Wells | WellStream, seconds: Mapping[str, float], seed: int) -> RunRecord:
    run = get_backend()
    screen: dict[str, Any] = {
        "wells": len(wells),
        "features": wells.features,
        "batches": len(wells.batches()[1]) if "batch" in wells.metadata else 0,
        "batch column": wells.origin.get("batch", "batch"),
        "control wells": int(wells.metadata["is_control"].sum()),
        "controls": wells.origin.get("control", "is_control"),
        "feature columns": list(wells.feature_columns),
    }
    return RunRecord(screen, seconds, peak_memory(), seed, run.name, run.describe(), environment())
