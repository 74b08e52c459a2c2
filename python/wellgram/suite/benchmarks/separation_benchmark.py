"""Separation of gene sets: cosines within a set against those between it and the rest."""

import pandas as pd

from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.metrics import gene_set_separation
from wellgram.suite.benchmarks.intervals import mean_interval, share_interval
from wellgram.suite.benchmarks.separation_presentation import present_separation
from wellgram.suite.contract import Benchmark, Findings, Task
from wellgram.wells import PerturbationMap


def _check(task: Task) -> None:
    if not task.gene_sets:
        raise NotApplicable("no gene sets given")


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    assert task.gene_sets is not None
    table = gene_set_separation(map_, task.gene_sets, null=task.null, progress=progress)
    separation = table["within_mean"] - table["between_mean"]
    records = pd.DataFrame(
        [
            {
                "n_gene_sets": len(table),
                **share_interval("significant", (table["q_value"] <= 0.05).to_numpy()),
                **mean_interval("separation", separation.to_numpy(), task),
            }
        ]
    )
    written = table.assign(genes=table["genes"].map(" ".join))
    return Findings(table, records, {"gene_set_separation": written})


GENE_SET_SEPARATION = Benchmark(
    "gene-set-separation", "Separation of gene sets", _check, _run, present_separation
)
