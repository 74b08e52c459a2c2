"""Recall of known relationships: whether known pairs lie in the tails of all cosines."""

from dataclasses import replace

from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics import known_pairs, relationship_recall
from wellgram.metrics.recall import null_rows
from wellgram.pairs import pair_histogram
from wellgram.suite.benchmarks.intervals import RESAMPLES
from wellgram.suite.benchmarks.recall_presentation import present_recall
from wellgram.suite.contract import Benchmark, Findings, Task
from wellgram.wells import PerturbationMap

_DRAWN_BINS = 100
"""Of the null, as many as are drawn at most"""


def _check(task: Task) -> None:
    if not (task.sources or task.same):
        raise NotApplicable("no known pairs given")
    known_pairs(
        task.labels,
        task.sources,
        same=task.same,
        separator=task.same_separator,
        null=task.null,
    )


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    rows, _ = null_rows(map_.labels, task.null)
    result = relationship_recall(
        map_,
        task.sources,
        same=task.same,
        separator=task.same_separator,
        null=task.null,
        resamples=RESAMPLES,
        seed=task.seed,
        progress=part_of(progress, 0, 0.5),
    )
    null = pair_histogram(
        map_.embeddings[rows], bins=_DRAWN_BINS, progress=part_of(progress, 0.5, 0.5)
    )
    result = replace(result, null_histogram=null.counts)
    return Findings(result, result.table, {"recall": result.table})


RECALL = Benchmark("recall", "Recall of known relationships", _check, _run, present_recall)
