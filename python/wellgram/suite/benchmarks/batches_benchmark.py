"""Batch effects: what is left of batches in single wells, before and after alignment."""

from wellgram.backends.protocol import Progress
from wellgram.metrics import batch_effects
from wellgram.metrics.batch_effects_panel import shared_wells
from wellgram.suite.benchmarks.batches_presentation import present_batches
from wellgram.suite.benchmarks.similarity_benchmark import LEAST_FEATURES
from wellgram.suite.contract import Benchmark, Findings, Task
from wellgram.wells import PerturbationMap


def _check(task: Task) -> None:
    task.check_features(LEAST_FEATURES)
    shared_wells(task.wells)
    task.check_fits()


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    aligned = None if task.align is None else task.all_aligned
    result = batch_effects(task.wells, aligned, seed=task.seed)
    return Findings(result, result.table, {"batch_effects": result.table})


BATCH_EFFECTS = Benchmark(
    "batch-effects", "Batch effects", _check, _run, present_batches, compares_wells=True
)
