"""The map in two dimensions: its two principal components."""

import pandas as pd

from wellgram.backends.protocol import Progress
from wellgram.metrics import pca_projection
from wellgram.suite.benchmarks.projection_presentation import present_projection
from wellgram.suite.benchmarks.similarity_benchmark import LEAST_FEATURES
from wellgram.suite.contract import Benchmark, Findings, Task
from wellgram.wells import PerturbationMap


def _check(task: Task) -> None:
    task.check_features(LEAST_FEATURES)


def _run(task: Task, map_: PerturbationMap, progress: Progress) -> Findings:
    result = pca_projection(map_)
    records = pd.DataFrame({"axis": [1, 2], "variance_share": result.explained})
    return Findings(result, records, {"projection": result.table})


PROJECTION = Benchmark("projection", "The map in two dimensions", _check, _run, present_projection)
