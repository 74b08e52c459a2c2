"""Average precision of replicates: whether wells find each other before the controls."""

from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics import average_precision, mean_average_precision
from wellgram.suite.benchmarks.replicate_presentation import present_replicates
from wellgram.suite.benchmarks.replicate_records import replicate_findings
from wellgram.suite.contract import Benchmark, Findings, Presentation, Task
from wellgram.wells import KEYS, PerturbationMap

_SCORE, _NAME = "mean_average_precision", "average_precision"


def _check(task: Task) -> None:
    metadata = task.wells.metadata
    treated = metadata["in_map"] & ~metadata["is_control"]
    if treated.all() or not metadata["is_control"].any():
        raise NotApplicable("there are no control wells")
    keys = [key for key in KEYS if key in metadata]
    if not metadata.loc[treated, keys].duplicated().any():
        raise NotApplicable("no perturbation has two wells")
    task.check_fits()


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    metadata = task.aligned.metadata
    profiles = average_precision(
        task.aligned,
        pos_sameby=[key for key in KEYS if key in metadata],
        neg_sameby="batch" if "batch" in metadata else (),
        neg_diffby="is_control",
        scored=(metadata["in_map"] & ~metadata["is_control"]).to_numpy(bool),
        progress=part_of(progress, 0, 1 / 2),
    )
    result = mean_average_precision(
        profiles, seed=task.seed, progress=part_of(progress, 1 / 2, 1 / 2)
    )
    return replicate_findings(task, result, _SCORE, _NAME)


def _present(task: Task, findings: Findings) -> Presentation:
    within = " of its batch" if "batch" in task.wells.metadata else ""
    text = (
        f"How well each well finds the other wells of its perturbation before the controls{within}"
    )
    return present_replicates(findings, _SCORE, _NAME, text)


AVERAGE_PRECISION = Benchmark(
    "average-precision", "Average precision of replicates", _check, _run, _present
)
