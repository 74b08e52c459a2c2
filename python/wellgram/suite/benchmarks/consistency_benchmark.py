"""Replicate consistency: whether wells of a perturbation are more alike than chance has it."""

from dataclasses import replace

from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics.replicate_consistency import ScoredConsistency
from wellgram.suite.benchmarks.null_comparison import OTHER, comparison_words, has_several_batches
from wellgram.suite.benchmarks.replicate_presentation import present_replicates
from wellgram.suite.benchmarks.replicate_records import replicate_findings
from wellgram.suite.contract import Benchmark, Findings, Presentation, Task
from wellgram.wells import PerturbationMap

_SCORE, _NAME = "mean_cosine", "consistency"
_SHARE = {"batches": 4 / 5, "permutation": 1 / 5}
"""Of the work, by null"""


def _check(task: Task) -> None:
    if task.labels["n_wells"].max() < 2:
        raise NotApplicable("no perturbation has two wells")
    task.check_fits()


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    chosen = task.consistency_null
    scored = ScoredConsistency.of(task.aligned)
    if not has_several_batches(task):
        result = scored.against(chosen, nested=True, seed=task.seed, progress=progress)
        return replicate_findings(task, result, _SCORE, _NAME)
    share = _SHARE[chosen]
    result, other = (
        scored.against(null, nested=True, seed=task.seed, progress=part)
        for null, part in (
            (chosen, part_of(progress, 0, share)),
            (OTHER[chosen], part_of(progress, share, 1 - share)),
        )
    )
    findings = replicate_findings(task, result, _SCORE, _NAME)
    beside = replicate_findings(task, other, _SCORE, _NAME).records
    null = OTHER[chosen]
    records = findings.records.assign(
        **{
            f"{name}_{null}": beside[name]
            for name in ("null_mean", "n_significant", "significant_share")
        }
    )
    table = findings.tables[_NAME].assign(
        **{f"{name}_{null}": other.table[name] for name in ("p_value", "q_value")}
    )
    return replace(findings, records=records, tables={_NAME: table})


def _present(task: Task, findings: Findings) -> Presentation:
    text = "The mean cosine of all pairs of a perturbation's wells"
    null, whole = task.consistency_null, findings.records.iloc[0]
    note = ""
    if f"n_significant_{OTHER[null]}" in whole:
        found, other = (
            int(whole[name]) for name in ("n_significant", f"n_significant_{OTHER[null]}")
        )
        note = comparison_words(task, findings.tables[_NAME], null, found, other, "found")
    return present_replicates(findings, _SCORE, _NAME, text, note)


CONSISTENCY = Benchmark(
    "consistency", "Replicate consistency", _check, _run, _present, compares_wells=True
)
