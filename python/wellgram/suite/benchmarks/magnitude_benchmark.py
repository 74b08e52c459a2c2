"""Magnitude: whether wells of a perturbation are far from the controls."""

from dataclasses import replace

from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics.energy_distance import ScoredMagnitude
from wellgram.suite.benchmarks.null_comparison import OTHER, comparison_words, has_several_batches
from wellgram.suite.benchmarks.replicate_presentation import present_replicates
from wellgram.suite.benchmarks.replicate_records import replicate_findings
from wellgram.suite.contract import Benchmark, Findings, Presentation, Task
from wellgram.wells import PerturbationMap

_SCORE, _NAME = "energy_distance", "magnitude"
_FEW_DRAWS = 99
"""Of the null that is shown beside: enough for a share at p = 0.05, too few for a discovery rate"""


def _check(task: Task) -> None:
    if not task.wells.metadata["is_control"].any():
        raise NotApplicable("there are no control wells")
    if task.labels["n_wells"].max() < 5:
        raise NotApplicable("no perturbation has five wells")
    task.check_fits()


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    chosen = task.magnitude_null
    scored = ScoredMagnitude.of(task.aligned, seed=task.seed, progress=part_of(progress, 0, 1 / 5))
    result = scored.against(
        chosen, nested=True, seed=task.seed, progress=part_of(progress, 1 / 5, 7 / 10)
    )
    findings = replicate_findings(task, result, _SCORE, _NAME)
    if not has_several_batches(task):
        return findings
    null = OTHER[chosen]
    other = scored.against(
        null,
        draws=_FEW_DRAWS,
        nested=True,
        seed=task.seed,
        progress=part_of(progress, 9 / 10, 1 / 10),
    )
    table = findings.tables[_NAME].assign(**{f"p_value_{null}": other.table["p_value"]})
    return replace(findings, tables={_NAME: table})


def _present(task: Task, findings: Findings) -> Presentation:
    text = "The energy distance of a perturbation's wells from up to 1,000 controls"
    table, null = findings.tables[_NAME], task.magnitude_null
    note = ""
    if f"p_value_{OTHER[null]}" in table:
        far, other = (
            int((table[name] <= 0.05).sum()) for name in ("p_value", f"p_value_{OTHER[null]}")
        )
        what = "far from the controls at p = 0.05"
        note = comparison_words(task, table, null, far, other, what)
    return present_replicates(findings, _SCORE, _NAME, text, note)


MAGNITUDE = Benchmark("magnitude", "Magnitude", _check, _run, _present, compares_wells=True)
