"""The log loss of linear scores: two products, and between them a softmax, some rows at a time."""

from dataclasses import dataclass

import numpy as np

from wellgram.backends.gpu.arrays import Matrix, Vector
from wellgram.backends.gpu.card import ROWS, Card
from wellgram.backends.gpu.card_arrays import CardRows
from wellgram.backends.gpu.products import Operand, engine_of
from wellgram.backends.protocol import Codes, Floats, SoftmaxLoss

SCORE_BYTES = 1 << 25
"""Of the scores that are held at once: so that they stay in the second-level cache of a large card,
and keep all of it busy"""

_MOST_ROWS = 1 << 14
"""At once, however few the classes: so many slopes are added up in the type of rows"""


class SoftmaxPrimitives:
    """The loss of linear scores."""

    card: Card

    def softmax_loss(self, x: CardRows, codes: Codes, classes: int) -> SoftmaxLoss:
        """See `Kernels.softmax_loss`; rows stay on the card, also as columns."""
        return _Loss(self.card, x, codes, classes)


@dataclass(frozen=True)
class _Part:
    """Rows whose scores are held at once, as factors of both products, with a one at their end."""

    first: int
    rows: Operand
    columns: Operand


class _Loss:
    def __init__(self, card: Card, x: CardRows, codes: Codes, classes: int) -> None:
        self._card, self._classes, self._features = card, classes, x.shape[1]
        self._dtype, self._engine = x.dtype, engine_of(card, x.dtype, False)
        self._codes = card.numbers(codes, np.int64)
        fit = SCORE_BYTES // (classes * x.dtype.itemsize) // ROWS * ROWS
        at_once = min(max(ROWS, fit), _MOST_ROWS)
        self._parts = [
            self._part(begin + first, chunk.cut(first, min(first + at_once, chunk.rows)))
            for begin, chunk in card.chunks(x)
            for first in range(0, chunk.rows, at_once)
        ]

    def _part(self, first: int, x: Matrix) -> _Part:
        rows = self._card.matrix(x.rows, x.columns + 1, x.dtype)
        columns = self._card.matrix(x.columns + 1, x.rows, x.dtype)
        self._card.launch(
            f"with_ones<{x.c_type}>",
            x.rows * rows.stride,
            *(x, x.rows, x.columns, x.stride, rows, rows.stride, columns, columns.stride),
        )
        return _Part(first, self._engine.factor(rows, True), self._engine.factor(columns, False))

    def __call__(self, weights: Floats) -> tuple[float, Floats]:
        card, shape = self._card, (self._classes, self._features + 1)
        right = self._engine.factor(card.lay(weights.astype(self._dtype)), False)
        losses = card.vector(self._codes.size, np.float64)
        gradient = card.vector(shape[0] * shape[1], np.float64, zero=True)
        for part in self._parts:
            self._add(part, right, losses, gradient)
            card.pace()
        return float(card.read(losses).sum()), card.read(gradient).reshape(shape)

    def _add(self, part: _Part, right: Operand, losses: Vector, gradient: Vector) -> None:
        """Write the losses of a part's rows, and add its gradient."""
        card, engine = self._card, self._engine
        scores = engine.product(part.rows, right)
        slopes = card.matrix(self._classes, scores.rows, scores.dtype)
        card.launch(
            f"softmax_slopes<{scores.c_type}>",
            scores.rows,
            *(scores, scores.rows, scores.columns, scores.stride, part.first, self._codes, losses),
            *(slopes, slopes.stride),
            each=ROWS,
        )
        made = engine.product(engine.factor(slopes, True), part.columns)
        cells = (made, made.rows, made.columns, made.stride)
        card.launch(f"add_cells<{made.c_type}>", gradient.size, *cells, gradient)
