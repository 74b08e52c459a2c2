"""What the suite feeds to backends: sizes at which kernels break, and rows, codes and maps."""

import numpy as np

from wellgram.backends import reference
from wellgram.backends.consumers import Bracket
from wellgram.backends.protocol import AffineMaps

# Around the widths of vectors (2 to 16 values) and one of real embeddings.
DIMENSIONS = (1, 3, 15, 16, 17, 31, 33, 384)

# No row, one, two, primes, and both sides of the height of a tile (4 to 32 rows).
SHAPES = [
    (0, 3),
    (1, 1),
    (2, 31),
    (7, 16),
    (13, 384),
    (31, 15),
    (32, 16),
    (33, 17),
    (97, 1),
    (150, 384),
    (257, 3),
    (331, 33),
]

THRESHOLDS = (-0.3, -0.05, 0.0, 0.05, 0.3, 2.0)

EVERYTHING = Bracket(-2, 2, 1 << 30)
"""Keeps every cosine of a pass."""


def labelled(rng, n, d, dtype, groups=6, origin=3.0):
    """Rows off the origin; the first group has one row, the last none, and some rows no group."""
    x = (rng.normal(size=(n, d)) + origin).astype(dtype)
    codes = rng.integers(0, groups - 1, n)
    codes[codes == 0] = -1
    codes[:1] = 0
    return x, codes, groups


def unit(rng, n, d, dtype):
    return reference.unit_rows(rng.normal(size=(n, d)).astype(dtype))[0]


def all_cosines(x, y=None):
    """Every cosine of a pass in float64, ascending."""
    return met_values(reference, x, y)


def met_values(backend, x, y=None, **options):
    """The very cosines that a pass meets, ascending."""
    return np.sort(backend.scan_pairs(x, [EVERYTHING], y, **options)[0].values)


def some_maps(rng, d, k, ranks, basis=True, origin=0.0):
    b = len(ranks)
    return AffineMaps(
        shift=rng.normal(size=d) + origin,
        basis=rng.normal(size=(d, k)) if basis else None,
        offset=rng.normal(size=(b, k)),
        scale=rng.uniform(0.5, 2, (b, k)),
        factors=tuple(rng.normal(size=(k, r)) for r in ranks),
        gains=tuple(rng.normal(size=r) for r in ranks),
    )
