"""Rows as whole numbers for a screen's products, and how far those are from cosines.

A row x has a scale S, at which its greatest value is 32,639: q = round(S x) = 256 h + l, with h and
l of 8 bits, and x~ = q / S. Products of 8 bits are exact in int32, so a screen knows

    v = (65536 h.h' + 256 (h.l' + l.h')) / (S S'),

which leaves out of x~.y~ only l.l' / (S S'). Measured in float64, of each row: its length |x|, the
residual r = |x - x~|, and a = |l| / S. Sought is c, the chain of float32 that a pass without
a screen meets. With u = 2^-24, d features, and L, R, A the greatest length, residual and a of all,

    |x.y - x~.y~|  = |(x - x~).y + x~.(y - y~)| <= r_x |y| + |x~| r_y <= (L + R) (r_x + r_y)
    |x~.y~ - v|    = |l.l'| / (S S')            <= a_x a_y
    |c - x.y|     <= d u / (1 - d u) |x| |y|    <= d u / (1 - d u) L^2
    |v - float32|  and its comparison           <= 32 u M^2,  M = L + R + A

by Cauchy-Schwarz. The last: |256 h| / S <= |x~| + a <= M, and a <= M, so the two summands of v are
at most M^2 and 2 M^2 in size; six roundings of either are 18 u M^2, and sums with a bound take a
few more. So a cosine is within s_x + s_y + a_x a_y of v, where the slack of a row is

    s = (L + R) r + (d u / (1 - d u) L^2 + 32 u M^2) / 2.

It is 2.5e-4 in all at 1,024 features.
"""

from dataclasses import dataclass

import numpy as np

from wellgram.backends.gpu.arrays import Matrix, Vector, stride_of
from wellgram.backends.gpu.card import ROWS, Card
from wellgram.backends.protocol import Floats

MOST_FEATURES = 66_000
"""Of more, a sum of 2 d products of 127 by 128 might leave int32"""

MOST_LENGTH = 2.0
"""Screens are for rows of length 1, or near, or zero"""

WHOLE_ROWS = 256
"""For a library rows are laid to multiples of so many, so that products have few shapes"""

bound_factor = 1.0
"""1 but in tests, which make bounds too small to see that they would notice"""

_UNIT = 2.0**-24


@dataclass(frozen=True)
class WholeRows:
    """Rows on the card, as they are and as whole numbers, and what was measured of each."""

    floats: Matrix
    numbers: Matrix
    """h, l, h of each row, `part` bytes each; below the last there are rows of zeros"""
    part: int
    units: Vector
    """1 / S (float32)"""
    lengths: Floats
    residuals: Floats
    lows: Floats

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.floats.rows

    @property
    def unit(self) -> bool:
        """Whether all have the length that screens are for; not so where one has a NaN."""
        return bool((self.lengths <= MOST_LENGTH).all())


def whole(card: Card, rows: int) -> int:
    """Return how many rows are multiplied of so many that there are."""
    step = WHOLE_ROWS if card.driver.can_multiply("int8") else 1
    return -(-rows // step) * step


def whole_rows(card: Card, x: Matrix) -> WholeRows:
    """Return float32 rows with their whole numbers."""
    part = stride_of(x.columns, np.dtype(np.int8))
    laid = whole(card, x.rows)
    numbers = card.matrix(laid, 3 * part, np.int8, zero=laid > x.rows)
    units, lengths = card.vector(x.rows, np.float32), card.vector(3 * x.rows, np.float64)
    shape = (x, x.rows, x.columns, x.stride, numbers, numbers.stride, part)
    card.launch("quantise", x.rows, *shape, units, lengths, each=ROWS)
    measured = card.read(lengths).reshape(3, -1) * (1 + 1e-9)  # rounded up, with room
    return WholeRows(x, numbers, part, units, *measured)


@dataclass(frozen=True)
class Marks:
    """What kernels know of rows in float32: units, slacks and a."""

    units: Vector
    slacks: Vector
    lows: Vector

    def of(self, first: int) -> tuple[int, int, int]:
        """Return where those of a row and of the rows behind it begin."""
        return (
            self.units.address + 4 * first,
            self.slacks.address + 4 * first,
            self.lows.address + 4 * first,
        )


def marks_of(card: Card, x: WholeRows, y: WholeRows) -> tuple[Marks, Marks]:
    """Return the marks of rows that are compared with one another."""
    sides = (x,) if x is y else (x, y)
    length, residual, low = (
        max(float(part.max(initial=0)) for part in parts)
        for parts in zip(*((s.lengths, s.residuals, s.lows) for s in sides), strict=True)
    )
    steps = x.floats.columns * _UNIT
    most = length + residual + low
    shared = (steps / (1 - steps) * length**2 + 32 * _UNIT * most**2) / 2
    made = [
        Marks(
            side.units,
            card.numbers(_up((length + residual) * side.residuals + shared), np.float32),
            card.numbers(_up(side.lows, bound_factor**0.5), np.float32),
        )
        for side in sides
    ]
    return made[0], made[-1]


def _up(bounds: Floats, factor: float | None = None) -> Floats:
    """Return bounds that stay ones when they are rounded to float32 and added there.

    They have room for products below the range of float32 too.
    """
    return (bounds * (1 + 2.0**-20) + 1e-30) * (bound_factor if factor is None else factor)
