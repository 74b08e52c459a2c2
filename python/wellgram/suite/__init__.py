"""The whole job: wells in, a map, every benchmark of it, and a report out."""

from wellgram.suite.benchmarks import BENCHMARKS
from wellgram.suite.contract import (
    Benchmark,
    Figure,
    Findings,
    Headline,
    Outcome,
    Part,
    Presentation,
    Skipped,
    Task,
)
from wellgram.suite.mapping import map_from_wells
from wellgram.suite.score_result import RunRecord, ScoreResult
from wellgram.suite.scoring import score

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "Figure",
    "Findings",
    "Headline",
    "Outcome",
    "Part",
    "Presentation",
    "RunRecord",
    "ScoreResult",
    "Skipped",
    "Task",
    "map_from_wells",
    "score",
]
