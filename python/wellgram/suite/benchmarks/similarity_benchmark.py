"""Similarity within gene sets: cosines of members, and whether a clustering finds the sets."""

from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics import gene_set_similarity, gene_sets_of_pairs
from wellgram.suite.benchmarks.similarity_presentation import present_similarity
from wellgram.suite.contract import Benchmark, Findings, Task
from wellgram.wells import PerturbationMap

LEAST_FEATURES = 3
"""With fewer features, directions say nothing: a number scored as an embedding has two"""


def _check(task: Task) -> None:
    if not (task.gene_sets or task.sources):
        raise NotApplicable("no gene sets or known pairs given")
    task.check_features(LEAST_FEATURES)


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    gene_sets = task.gene_sets or gene_sets_of_pairs(task.sources, map_.labels["perturbation"])
    result = gene_set_similarity(map_, gene_sets, null=task.null)
    return Findings(result, result.table, {"gene_set_similarity": result.table})


GENE_SET_SIMILARITY = Benchmark(
    "gene-set-similarity", "Similarity within gene sets", _check, _run, present_similarity
)
