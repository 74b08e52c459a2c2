"""The whole job: wells in, a map and its scores out."""

import json
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from wellgram.align import Alignment
from wellgram.backends import get_backend
from wellgram.backends.machine import environment, peak_memory
from wellgram.backends.protocol import Progress
from wellgram.distributed import Client, takes_client
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.io import write_map
from wellgram.io.places import placing_folder
from wellgram.maps.build import Aggregation, MapDtype, build_map
from wellgram.metrics import RecallResult, covariate_wells
from wellgram.metrics.gene_set_tests import GeneSets
from wellgram.metrics.recall import Null
from wellgram.plots import save_png
from wellgram.stream import WellStream
from wellgram.suite.benchmarks import BENCHMARKS
from wellgram.suite.contract import Part, Task
from wellgram.suite.report import write_report
from wellgram.wells import PerturbationMap, Wells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METRICS = tuple(benchmark.name for benchmark in BENCHMARKS)

Step = Callable[[str], AbstractContextManager[Progress]]
"""Announces a step of the work and yields a callback for the share done."""


@contextmanager
def _silent(_: str) -> Iterator[Progress]:
    yield lambda _: None


@dataclass(frozen=True, repr=False)
class ScoreResult:
    """A map, what each benchmark that could be run found, and a summary of the run."""

    map_: PerturbationMap
    parts: Mapping[str, Part]
    """By the names of `METRICS`; what is not there is in the summary with the reason"""
    summary: dict[str, Any]
    covariates: Mapping[str, Mapping[str, Part]] = field(default_factory=dict)
    """What the benchmarks found of a number of each well alone, by its column"""

    @property
    def recall(self) -> RecallResult | None:
        """The recall of known pairs; None where nothing was known."""
        return self.parts["recall"].result if "recall" in self.parts else None

    def __repr__(self) -> str:
        found = (
            repr(self.parts[name].result) if name in self.parts else f"{name}: {self.summary[name]}"
            for name in METRICS
        )
        return "\n".join([repr(self.map_), *found])

    def save(self, folder: str | Path) -> None:
        """Write ``map.parquet``, ``summary.json``, ``report.html``, and tables and figures.

        Each benchmark that was run has its tables (``.csv``) and figures (``.png``). Files appear
        together or not at all; at a URL, one by one.
        """
        drawn: dict[str, Axes] = {}
        with placing_folder(folder) as out:
            write_map(self.map_, out / "map.parquet")
            for part in self.parts.values():
                for name, table in part.tables.items():
                    save_csv(table, out / f"{name}.csv")
                for name, figure in part.figures.items():
                    drawn[name] = figure.draw()
                    save_png(drawn[name], out / f"{name}.png")
            summary = json.dumps(self.summary, indent=2, allow_nan=False)
            (out / "summary.json").write_text(summary + "\n", encoding="utf-8")
            write_report(out / "report.html", self.summary, self.parts, self.covariates, drawn)


@takes_client
def score(
    wells: Wells | WellStream,
    align: Alignment | None = None,
    *,
    sources: Mapping[str, pd.DataFrame] | None = None,
    same: Sequence[str] = (),
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

    What is not run is in the summary, with the reason. Replicates are compared where there are any
    and their aligned wells fit into 8 GB.

    Parameters
    ----------
    wells
        The wells, in memory or as a stream.
    align
        An alignment such as `TVN`; None for none.
    sources, same, null
        Known pairs: see `relationship_recall`.
    targets
        Compounds and their targets: see `drug_targets`.
    gene_sets
        See `gene_set_separation`.
    metrics
        Which benchmarks to run, of ``"recall"``, ``"drug-targets"``, ``"gene-set-separation"``,
        ``"consistency"``, ``"magnitude"``, ``"average-dtype"``, ``"gene-set-similarity"``,
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
        Told of every step; for progress bars.
    client
        A ``distributed.Client``, whose workers read the wells of a stream, compare the rows of the
        map, and draw random sets: see `wellgram.distributed.using`.

    Raises
    ------
    InputError
        If an input cannot be used. What the labels alone can tell is checked before any work.
    """
    get_backend(backend)
    for name in metrics or ():
        if name not in METRICS:
            raise InputError(f"unknown metric {name!r}; choose {', '.join(METRICS)}")
    task = Task(wells, align, sources or {}, same, null, targets, gene_sets, seed, backend)
    numbers = {
        name: replace(task, wells=covariate_wells(wells, name), align=None) for name in covariates
    }
    wanted = METRICS if metrics is None else metrics
    lacking = {name: _lacking(one, wanted) for name, one in {"": task, **numbers}.items()}
    seconds: dict[str, float] = {}

    def run(name: str, one: Task) -> _Run:
        return _run(one, aggregate, dtype, lacking[name], _timed(step, seconds, name))

    whole = run("", task)
    alone = {name: run(name, one) for name, one in numbers.items()}
    summary = _summary(wells, whole.map_, whole.records(), seconds, seed, backend)
    if alone:
        summary["covariates"] = {name: one.records() for name, one in alone.items()}
    return ScoreResult(
        whole.map_, whole.parts, summary, {name: one.parts for name, one in alone.items()}
    )


@dataclass(frozen=True)
class _Run:
    """A map, what was found on it, and what was not looked for."""

    map_: PerturbationMap
    parts: dict[str, Part]
    skipped: dict[str, str]

    def records(self) -> dict[str, Any]:
        """Return what each benchmark found, or why there is nothing, as JSON has it."""
        return {
            name: _records(self.parts[name].records)
            if name in self.parts
            else f"skipped: {self.skipped[name]}"
            for name in METRICS
        }


def _lacking(task: Task, wanted: Sequence[str]) -> dict[str, str]:
    """Return why benchmarks cannot be run; those not named can."""
    reasons = {
        benchmark.name: benchmark.missing(task) if benchmark.name in wanted else "not asked for"
        for benchmark in BENCHMARKS
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _run(
    task: Task, aggregate: Aggregation, dtype: MapDtype, lacking: dict[str, str], step: Step
) -> _Run:
    with step("align and aggregate") as progress:
        map_ = build_map(
            task.wells,
            task.align,
            aggregate=aggregate,
            dtype=dtype,
            backend=task.backend,
            progress=progress,
        )
    parts, skipped = {}, dict(lacking)
    for benchmark in BENCHMARKS:
        if benchmark.name in skipped:
            continue
        try:
            with step(benchmark.step) as progress:
                parts[benchmark.name] = benchmark.run(task, map_, progress)
        except InputError as problem:  # found out only now: what has been done is kept
            skipped[benchmark.name] = str(problem)
    return _Run(map_, parts, skipped)


def _timed(step: Step, seconds: dict[str, float], alone: str) -> Step:
    """Return steps that note their seconds, and say which number they are of, if of one."""

    @contextmanager
    def timed(name: str) -> Iterator[Progress]:
        began = time.perf_counter()
        said = f"{name}, {alone} alone" if alone else name
        with step(said) as progress:
            yield progress
        seconds[said] = round(time.perf_counter() - began, 4)

    return timed


def _summary(
    wells: Wells | WellStream,
    map_: PerturbationMap,
    found: Mapping[str, Any],
    seconds: Mapping[str, float],
    seed: int,
    backend: str | None,
) -> dict[str, Any]:
    run = get_backend(backend)
    return {
        "screen": {
            "wells": len(wells),
            "features": wells.features,
            "batches": len(wells.batches()[1]) if "batch" in wells.metadata else 0,
            "batch column": wells.origin.get("batch", "batch"),
            "control wells": int(wells.metadata["is_control"].sum()),
            "controls": wells.origin.get("control", "is_control"),
        },
        "map": {
            "perturbations": len(map_),
            "features": map_.embeddings.shape[1],
            **dict(map_.provenance),
        },
        **found,
        "seconds": dict(seconds),
        "peak_memory_bytes": peak_memory(),
        "run": {"backend": run.name, "as": run.describe(), "seed": seed},
        "environment": environment(),
    }


def _records(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the rows of a table; JSON has no NaN, so what is missing becomes None."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
