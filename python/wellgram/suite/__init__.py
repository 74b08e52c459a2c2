"""The whole job: wells in, a map, every benchmark of it, and a report out."""

from wellgram.suite.mapping import map_from_wells
from wellgram.suite.scoring import METRICS, ScoreResult, score

__all__ = ["METRICS", "ScoreResult", "map_from_wells", "score"]
