"""Average precision of replicates: whether wells find each other before controls and others."""

import pandas as pd

from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics import (
    AveragePrecisionResult,
    MeanAveragePrecisionResult,
    mean_average_precision,
)
from wellgram.metrics.compared_wells import compared_by_cosine
from wellgram.metrics.precision_by_profile import PairedProfiles
from wellgram.metrics.profile_ranks import ComparedProfiles, ComparedSome
from wellgram.suite.benchmarks.precision_measures import (
    PrecisionMeasure,
    measured_wells,
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
    profiles: dict[str, AveragePrecisionResult] = {}
    compared = compared_by_cosine(task.aligned)
    for k, measure in enumerate(measures):
        share = part_of(progress, k / len(measures), 1 / len(measures))
        known = profiles.get(measure.within or "")
        try:
            ranked = _ranked(task, measure, compared, known, part_of(share, 0, 1 / 2))
            results[measure.name] = mean_average_precision(
                ranked,
                perturbation_keys(task),
                null=task.average_precision_null,
                seed=task.seed,
                progress=part_of(share, 1 / 2, 1 / 2),
            )
            profiles[measure.name] = ranked
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


def _ranked(
    task: Task,
    measure: PrecisionMeasure,
    compared: ComparedProfiles,
    known: AveragePrecisionResult | None,
    progress: Progress | None,
) -> AveragePrecisionResult:
    """Return the average precision of each well by a measure.

    `known` is that of the measure whose positives include those of this one.
    """
    some = measured_wells(task, measure)
    metadata = task.aligned.metadata
    if len(some) < len(metadata):
        metadata, compared = (
            metadata.iloc[some].reset_index(drop=True),
            ComparedSome(compared, some),
        )
    scored = (metadata["in_map"] & ~metadata["is_control"]).to_numpy(bool)
    paired = PairedProfiles.of(metadata, measure.rules, scored)
    profiles = paired.ranked(compared, "cosine", known=known, progress=progress)
    if profiles.table["average_precision"].isna().all():
        raise NotApplicable(f"no well has both positives and negatives ({profiles.rules})")
    return profiles


AVERAGE_PRECISION = Benchmark(
    "average-precision",
    "Average precision of replicates",
    _check,
    _run,
    present_precision,
    compares_wells=True,
)
