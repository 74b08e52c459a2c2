"""Drug targets: whether a compound is most like the knock-outs of its targets."""

from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics import drug_targets
from wellgram.metrics.target_lists import check_targets
from wellgram.suite.benchmarks.intervals import RESAMPLES
from wellgram.suite.benchmarks.targets_presentation import present_targets
from wellgram.suite.contract import Benchmark, Findings, Task
from wellgram.wells import PerturbationMap


def _check(task: Task) -> None:
    if task.targets is None:
        raise NotApplicable("no table of compounds and their targets given")
    check_targets(task.targets)


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    assert task.targets is not None
    result = drug_targets(map_, task.targets, seed=task.seed, resamples=RESAMPLES)
    tables = {"drug_targets": result.table, "drug_target_compounds": result.items}
    return Findings(result, result.table, tables)


DRUG_TARGETS = Benchmark("drug-targets", "Drug targets", _check, _run, present_targets)
