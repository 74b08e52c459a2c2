"""The whole job: wells in, a map and the outcome of every benchmark out."""

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from typing import Any, get_args

import pandas as pd

from wellgram.align import Alignment
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.machine import environment, peak_memory
from wellgram.backends.protocol import Progress
from wellgram.distributed import Client, takes_client
from wellgram.errors import (
    DeviceMemoryError,
    IdenticalRowsWarning,
    InputError,
    NotApplicable,
)
from wellgram.input_kinds import check_wells
from wellgram.io.relationships import named_sources
from wellgram.maps.build import Aggregation, MapDtype, build_map
from wellgram.metrics import covariate_wells
from wellgram.metrics.batch_strata import SetNull
from wellgram.metrics.gene_set_tests import GeneSets
from wellgram.metrics.identical_rows import IdenticalRows, RowDigests
from wellgram.metrics.precision_by_group import GroupNull
from wellgram.metrics.recall import Null, Same
from wellgram.metrics.rows_of_pairs import Sources
from wellgram.stream import WellStream
from wellgram.suite.benchmarks import BENCHMARKS
from wellgram.suite.contract import Outcome, Part, Skipped, Step, Task
from wellgram.suite.copies import checked_copies
from wellgram.suite.score_result import RunRecord, ScoreResult
from wellgram.suite.unfinished import UnfinishedRun
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
    consistency_null: SetNull = "batches",
    magnitude_null: SetNull = "batches",
    average_precision_null: GroupNull = "rankings",
    dtype: MapDtype = "float32",
    allow_duplicates: bool = False,
    seed: int = 0,
    backend: str | None = None,
    step: Step = _silent,
    progress: Progress | None = None,
    unfinished: UnfinishedRun | None = None,
    spill_folder: str | None = None,
    client: Client | None = None,
) -> ScoreResult:
    """Align and aggregate wells into a map, and run every benchmark that the data allows.

    What is not run is in the result, with the reason. Wells are compared where they are aligned: in
    memory up to 2 GB, and otherwise in a file of float32 that is gone when the run ends.

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
    consistency_null, magnitude_null
        ``"batches"`` or ``"permutation"``: see `consistency` and `magnitude`. Where a screen has
        several batches, the result has figures against the other null too.
    average_precision_null
        ``"rankings"`` or ``"labels"``: see `mean_average_precision`. The latter takes about a
        second for a group of 36 wells.
    aggregate, dtype
        See `build_map`.
    allow_duplicates
        Whether to score a batch that has the same embeddings as another. Otherwise it is refused,
        since its wells would count as replicates of themselves.
    seed
        Of all that is drawn.
    backend
        See `set_backend`.
    step
        Called with the name of every step; for progress bars.
    progress
        Called with the share of all steps that is done; False for no bar in a terminal or notebook.
    unfinished
        Where what each benchmark found is kept until the run ends, and taken from if an earlier run
        was interrupted.
    spill_folder
        Where aligned wells of a stream go that are too many for memory, 4 bytes a well and feature;
        None: where the system has temporary files.
    client
        A ``distributed.Client``, whose workers read the wells of a stream, compare the rows of the
        map, and draw random sets: see `wellgram.distributed.using`.

    Raises
    ------
    InputError
        If an input cannot be used. What the labels alone can tell is checked before any work.

    Warns
    -----
    IdenticalRowsWarning
        If wells have the same embedding as another.
    """
    check_wells(wells)
    check_metrics(metrics or ())
    for option, value, known in (
        ("consistency_null", consistency_null, get_args(SetNull)),
        ("magnitude_null", magnitude_null, get_args(SetNull)),
        ("average_precision_null", average_precision_null, get_args(GroupNull)),
    ):
        if value not in known:
            raise InputError(f"unknown {option}={value!r}; choose {' or '.join(known)}")
    task = Task(
        wells,
        align,
        named_sources(sources),
        same,
        null,
        targets,
        gene_sets,
        seed,
        same_separator,
        consistency_null,
        magnitude_null,
        average_precision_null,
        spill_folder,
    )
    tasks = {"": task} | {
        column: replace(task, wells=covariate_wells(wells, column), align=None)
        for column in covariates
    }
    with ExitStack() as ending:
        ending.callback(task.end)
        wanted = list(BENCHMARKS) if metrics is None else metrics
        skipped = {column: _skipped(of, wanted) for column, of in tasks.items()}
        if task.spills and any(
            benchmark.compares_wells and name not in skipped[""]
            for name, benchmark in BENCHMARKS.items()
        ):
            _ = task.spill  # so that too little room is told before any embedding is read
        seconds: dict[str, float] = {}
        steps = sum(1 + len(BENCHMARKS) - len(left_out) for left_out in skipped.values())
        step = _sharing(step, progress, steps)
        digests = RowDigests.of_wells(len(wells))
        map_ = _map_of(task, aggregate, dtype, _timed(step, seconds, ""), digests)
        identical = IdenticalRows.of(digests.rows)
        copies = checked_copies(wells, identical, allow_duplicates)
        outcomes = _outcomes(task, map_, skipped[""], _timed(step, seconds, ""), unfinished, "")
        covariate_outcomes = {}
        for column in covariates:
            timed = _timed(step, seconds, column)
            of_number = _map_of(tasks[column], aggregate, dtype, timed)
            covariate_outcomes[column] = _outcomes(
                tasks[column], of_number, skipped[column], timed, unfinished, column
            )
        record = replace(
            _record(wells, len(identical.shared), seconds, seed),
            notes=[words for words in (copies, task.zero_words) if words],
            taken_up=[] if unfinished is None else unfinished.taken_up,
        )
        return ScoreResult(map_, outcomes, record, covariate_outcomes)


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


def _map_of(
    task: Task,
    aggregate: Aggregation,
    dtype: MapDtype,
    step: Step,
    digests: RowDigests | None = None,
) -> PerturbationMap:
    """Return the map; the wells' digests are taken in the pass that makes it."""
    wells = task.wells if digests is None else task.wells.watched_by(digests)
    with step("align and aggregate") as progress:
        map_ = build_map(wells, task.align, aggregate=aggregate, dtype=dtype, progress=progress)
        if digests is not None and not digests.complete:
            wells.fold(digests)
    return map_


def _outcomes(
    task: Task,
    map_: PerturbationMap,
    skipped: Mapping[str, Skipped],
    step: Step,
    unfinished: UnfinishedRun | None,
    column: str,
) -> dict[str, Outcome]:
    """Return the outcome of every benchmark."""
    outcomes: dict[str, Outcome] = {}
    for name, benchmark in BENCHMARKS.items():
        if name in skipped:
            outcomes[name] = skipped[name]
            continue
        kept_as = f"{name}, {column} alone" if column else name
        findings = None if unfinished is None else unfinished.load(kept_as)
        try:
            # Identical rows are told of once, for all benchmarks.
            with step(benchmark.step) as progress, warnings.catch_warnings():
                warnings.simplefilter("ignore", IdenticalRowsWarning)
                if findings is None:
                    findings = benchmark.run(task, map_, progress)
                    if unfinished is not None:
                        unfinished.save(kept_as, findings)
                outcomes[name] = Part(findings, benchmark.present(task, findings))
        except (NotApplicable, DeviceMemoryError) as problem:  # the others are run all the same
            outcomes[name] = Skipped(str(problem))
    return outcomes


def _sharing(step: Step, progress: Progress | None, steps: int) -> Step:
    """Return steps that also tell the share of all steps that is done, taken for equally long."""
    if progress is None:
        return step
    done = count()

    @contextmanager
    def shared(name: str) -> Iterator[Progress]:
        begun = next(done)

        def tell(share: float) -> None:
            report(share)
            progress((begun + share) / steps)

        with step(name) as report:
            yield tell
        progress((begun + 1) / steps)

    return shared


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


def _record(
    wells: Wells | WellStream,
    identical: int,
    seconds: Mapping[str, float],
    seed: int,
) -> RunRecord:
    run = get_backend()
    screen: dict[str, Any] = {
        "wells": len(wells),
        "features": wells.features,
        "batches": len(wells.batches()[1]) if "batch" in wells.metadata else 0,
        "batch column": wells.origin.get("batch", "batch"),
        "control wells": int(wells.metadata["is_control"].sum()),
        "controls": wells.origin.get("control", "is_control"),
        "feature columns": list(wells.feature_columns),
        "wells with the embedding of another": identical,
    }
    if "files" in wells.origin:
        screen["files"] = wells.origin["files"]
    return RunRecord(screen, seconds, peak_memory(), seed, run.name, run.describe(), environment())
