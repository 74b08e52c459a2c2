"""A linear classifier, however it was fitted."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wellgram.backends.protocol import Codes, Floats, Rows

_CHUNK_BYTES = 1 << 25


@dataclass(frozen=True)
class LinearClassifier:
    """The score of row x for class c is ``x weights[c] + intercept[c]``."""

    weights: Floats
    """(k, d)"""
    intercept: Floats
    """(k,)"""

    @classmethod
    def shifted(cls, weights: Floats, intercept: Floats, shift: Floats) -> "LinearClassifier":
        """Return the classifier of rows, given that of rows less a shift (d,)."""
        return cls(weights, intercept - weights @ shift)

    def predict(self, x: Rows) -> Codes:
        """Return the class (m,) with the highest score of each row, the first of equals."""
        return np.concatenate([np.empty(0, np.int64), *(s.argmax(axis=1) for s in self._scores(x))])

    def scores(self, x: Rows) -> Rows:
        """Return the score (m, k) of each class."""
        empty = np.empty((0, len(self.weights)), x.dtype)
        return np.concatenate([empty, *self._scores(x)])

    def ranks(self, x: Rows, codes: Codes) -> Codes:
        """Return how many classes score above each row's own (m,): 0 where it is found first.

        Of equals, the class of the smaller code is first.
        """
        ranks, first = [np.empty(0, np.int64)], 0
        for scores in self._scores(x):
            own = codes[first : first + len(scores), None]
            mine = np.take_along_axis(scores, own, axis=1)
            before = np.arange(scores.shape[1]) < own
            ranks.append(((scores > mine) | ((scores == mine) & before)).sum(axis=1))
            first += len(scores)
        return np.concatenate(ranks)

    def log_loss(self, x: Rows, codes: Codes) -> float:
        """Return the mean log loss of rows, by the softmax of their scores."""
        loss, first = 0.0, 0
        for scores in self._scores(x):
            scores -= scores.max(axis=1, keepdims=True)
            mine = np.take_along_axis(scores, codes[first : first + len(scores), None], axis=1)
            loss += float((np.log(np.exp(scores).sum(axis=1)) - mine[:, 0]).sum())
            first += len(scores)
        return loss / len(x)

    def _scores(self, x: Rows) -> Iterator[Rows]:
        """Yield the scores of all classes, some rows at a time."""
        right = self.weights.astype(x.dtype).T
        intercept = self.intercept.astype(x.dtype)
        rows = max(1, _CHUNK_BYTES // (len(self.weights) * x.dtype.itemsize))
        for first in range(0, len(x), rows):
            scores: Rows = x[first : first + rows] @ right
            scores += intercept
            yield scores
