"""What a pass that a screen can serve finds."""

import numpy as np

from wellgram.backends.consumers import Bracket, CountBelow, Histogram, Nearest
from wellgram.pairs import scan_pairs

SHAPES = [(2, 1), (5, 2), (40, 3), (70, 17), (333, 64), (150, 301), (40, 3000)]
"""Rows and features"""


def states(x, other=None, **options):
    """The states of consumers that decide, together and alone; values kept are in no order."""
    partners = (len(x) - 1 if other is None else len(other)) or 1
    consumers = [
        CountBelow((-0.2, 0.0, 0.1, 0.5, 0.9999)),
        Histogram(bins=7),
        Histogram(bins=500),
        Bracket(-0.01, 0.02, 1 << 23),
        Nearest(min(5, partners), min(3, partners)),
    ]
    found = [*scan_pairs(x, consumers, other=other, **options).states]
    for consumer in (consumers[0], consumers[-1]):
        found += scan_pairs(x, [consumer], other=other, **options).states
    return [(s.counts.tobytes(), np.sort(s.values).tobytes()) for s in found]
