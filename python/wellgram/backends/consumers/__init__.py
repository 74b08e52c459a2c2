"""What a pass over all pairs can do with the cosines it meets.

A consumer is defined here once, in NumPy: ``start`` makes a state, ``absorb`` adds a batch of
cosines to it, ``merge`` joins two states and ``finish`` turns one into the answer. The reference
backend runs these definitions; compiled backends have twins of the same name, and hand areas of the
matrix to a definition without one. States merge in any order, so the answer does not depend on
threads or on how a pass was cut. Sums are kept as integers (`FIXED_POINT`), so that not even their
last bit does; but the square of a float64 may be rounded once or twice, by the place of a pair in
the pass, which can move it by one unit of that integer.

The cosines of a pass are finite: rows of NaN are for its callers to refuse.
"""

from wellgram.backends.consumers.consumer import Consumer, Cosines, Counts, Extent, Met, State
from wellgram.backends.consumers.cosine_sums import FIXED_POINT, RowMoments, WithinGroups
from wellgram.backends.consumers.counts import CountBelow, Histogram
from wellgram.backends.consumers.matrix import Matrix
from wellgram.backends.consumers.nearest import Nearest, NearestFound
from wellgram.backends.consumers.ranks import Bracket, Bracketed, Ranked, Ranks

__all__ = [
    "FIXED_POINT",
    "Bracket",
    "Bracketed",
    "Consumer",
    "Cosines",
    "CountBelow",
    "Counts",
    "Extent",
    "Histogram",
    "Matrix",
    "Met",
    "Nearest",
    "NearestFound",
    "Ranked",
    "Ranks",
    "RowMoments",
    "State",
    "WithinGroups",
]
