"""Magnitude: whether wells of a perturbation are far from the controls."""

from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics import magnitude
from wellgram.suite.benchmarks.replicate_presentation import present_replicates
from wellgram.suite.benchmarks.replicate_records import replicate_findings
from wellgram.suite.contract import Benchmark, Findings, Presentation, Task
from wellgram.wells import PerturbationMap

_SCORE, _NAME = "energy_distance", "magnitude"


def _check(task: Task) -> None:
    if not task.wells.metadata["is_control"].any():
        raise NotApplicable("there are no control wells")
    if task.labels["n_wells"].max() < 5:
        raise NotApplicable("no perturbation has five wells")
    task.check_fits()


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    result = magnitude(task.aligned, seed=task.seed, progress=progress)
    return replicate_findings(task, result, _SCORE, _NAME)


def _present(task: Task, findings: Findings) -> Presentation:
    text = "The energy distance of a perturbation's wells from up to 1,000 controls"
    return present_replicates(findings, _SCORE, _NAME, text)


MAGNITUDE = Benchmark("magnitude", "Magnitude", _check, _run, _present)
