"""What the suite feeds to backends: sizes at which kernels break, and rows, codes and maps."""

import numpy as np

from helpers.oracle import reference
from helpers.own_consumers import LargestPerRow, SumAbove
from wellgram.backends.consumers import (
    Bracket,
    CountBelow,
    Extent,
    Histogram,
    Matrix,
    Met,
    Nearest,
    Ranks,
    RowMoments,
    WithinGroups,
)
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

# Rows of a map and of another, if any: both sides of the height of a tile, much and little of each.
SIZES = [(150, None), (331, None), (40, 130), (200, 7), (1, 30), (1, None), (0, None)]

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


def classified(rng, n, d, k, dtype):
    """Rows off the origin, their classes, of which some may be empty, and weights of scores."""
    x = (rng.normal(size=(n, d)) + 1).astype(dtype)
    codes = np.minimum(rng.integers(0, k, n), rng.integers(0, k, n))
    return x, codes, rng.normal(size=(k, d + 1)) / np.sqrt(d + 1)


def unit(rng, n, d, dtype):
    return reference.unit_rows(rng.normal(size=(n, d)).astype(dtype))[0]


def x_and_y(rng, n, m, d, dtype):
    """Unit rows x (n, d) and, unless m is None, y (m, d)."""
    return unit(rng, n, d, dtype), None if m is None else unit(rng, m, d, dtype)


def extent_of(x, y=None):
    return Extent(len(x), None if y is None else len(y))


def pairs_of(x, y=None):
    """The rows i and j of every pair of a pass."""
    if y is None:
        return np.triu_indices(len(x), k=1)
    return np.indices((len(x), len(y))).reshape(2, -1)


def met(backend, x, y=None, **options):
    """The very cosines of a pass, with the rows they belong to."""
    i, j = pairs_of(x, y)
    return Met(backend.pair_cosines(x, i, j, y, **options), i, j, y is None)


def one_of_each(extent, dtype):
    """A consumer of each kind, and two without twins; the same on every call.

    But for a matrix of its own, of sevens.
    """
    rng = np.random.default_rng(7)
    n, m = extent.rows, extent.columns
    codes = rng.integers(-1, 5, n)
    return [
        CountBelow((-0.2, 0.1)),
        Histogram(bins=9),
        Bracket(-0.1, 0.1, 1 << 30),
        Ranks(rng.uniform(-1, 1, 300), ((0.2, 0.3), (-2, -0.5)), 1 << 30),
        Ranks(np.array([-1.0, 0.0, 0.5, 1.0])),
        Nearest(11, 6),
        RowMoments(),
        WithinGroups(codes, None if m is None else rng.integers(-1, 5, m)),
        Matrix(np.full((n, n if m is None else m), 7, dtype)),
        SumAbove(0.1),
        LargestPerRow(np.arange(0, n, 2)),
    ]


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
