"""Average precision of replicates: whether wells find each other before controls and others."""

import pandas as pd

from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics import (
    MeanAveragePrecisionResult,
    average_precision,
    mean_average_precision,
)
from wellgram.suite.benchmarks.precision_measures import (
    PrecisionMeasure,
    compared_wells,
    measures_of,
    perturbation_keys,
)
from wellgram.suite.benchmarks.precision_presentation import PRECISION, present_precision
from wellgram.suite.benchmarks.replicate_records import replicate_findings
from wellgram.suite.contract import Benchmark, Findings, Task
from wellgram.wells import PerturbationMap


def _check(task: Task) -> None:
    metadata = task.wells.metadata
    treated = metadata["in_map"] & ~metadata["is_control"]
    if treated.all() or not metadata["is_control"].any():
        raise NotApplicable("there are no control wells")
    if not metadata.loc[treated, perturbation_keys(task)].duplicated().any():
        raise NotApplicable("no perturbation has two wells")
    task.check_fits()


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    measures = measures_of(task)
    results: dict[str, MeanAveragePrecisionResult] = {}
    for k, measure in enumerate(measures):
        share = part_of(progress, k / len(measures), 1 / len(measures))
        try:
            results[measure.name] = _measured(task, measure, share)
        except NotApplicable:
            if not results:  # without the first there are no replicates, or no controls of a batch
                raise
    first, *others = results
    tables = {name: result.table for name, result in results.items()}
    records = [
        replicate_findings(task, result, PRECISION, name).records.assign(measure=name)
        for name, result in results.items()
    ]
    written = {"average_precision": tables[first]}
    if others:
        apart = [tables[name].assign(measure=name) for name in others]
        written["average_precision_apart"] = pd.concat(apart, ignore_index=True)
    return Findings(results[first], pd.concat(records, ignore_index=True), written)


def _measured(
    task: Task, measure: PrecisionMeasure, progress: Progress | None
) -> MeanAveragePrecisionResult:
    wells = compared_wells(task, measure)
    metadata = wells.metadata
    profiles = average_precision(
        wells,
        pos_sameby=measure.pos_sameby,
        pos_diffby=measure.pos_diffby,
        neg_sameby=measure.neg_sameby,
        neg_diffby=measure.neg_diffby,
        scored=(metadata["in_map"] & ~metadata["is_control"]).to_numpy(bool),
        progress=part_of(progress, 0, 1 / 2),
    )
    if profiles.table["average_precision"].isna().all():
        raise NotApplicable(f"no well has both positives and negatives ({profiles.rules})")
    return mean_average_precision(
        profiles,
        perturbation_keys(task),
        null=task.average_precision_null,
        seed=task.seed,
        progress=part_of(progress, 1 / 2, 1 / 2),
    )


AVERAGE_PRECISION = Benchmark(
    "average-precision", "Average precision of replicates", _check, _run, present_precision
)
