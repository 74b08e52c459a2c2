"""Replicate consistency: whether wells of a perturbation are more alike than chance has it."""

from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics import consistency
from wellgram.suite.benchmarks.replicate_presentation import present_replicates
from wellgram.suite.benchmarks.replicate_records import replicate_findings
from wellgram.suite.contract import Benchmark, Findings, Presentation, Task
from wellgram.wells import PerturbationMap

_SCORE, _NAME = "mean_cosine", "consistency"


def _check(task: Task) -> None:
    if task.labels["n_wells"].max() < 2:
        raise NotApplicable("no perturbation has two wells")
    task.check_fits()


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    result = consistency(task.aligned, nested=True, seed=task.seed, progress=progress)
    return replicate_findings(task, result, _SCORE, _NAME)


def _present(task: Task, findings: Findings) -> Presentation:
    text = "The mean cosine of all pairs of a perturbation's wells"
    return present_replicates(findings, _SCORE, _NAME, text)


CONSISTENCY = Benchmark("consistency", "Replicate consistency", _check, _run, _present)
