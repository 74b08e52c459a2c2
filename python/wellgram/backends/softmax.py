"""The multinomial log loss of linear scores, and its gradient, by blocks of rows."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.backends.threads import threads

_BLOCK_BYTES = 1 << 23
"""Of a block's scores: large enough for the products, small enough for the caches"""


class SoftmaxLoss:
    """The mean log loss of scores ``x w[:, :-1]' + w[:, -1]``, of weights w (k, d + 1).

    Its gradient is ``(p - y)' [x, 1] / n``: two products and a softmax per row. Products are in the
    type of x, losses are added up in float64, and gradients of blocks too. Scores (n, k) are never
    held: a thread has a block of them.

    Parameters
    ----------
    x
        (n, d), float32 or float64.
    codes
        (n,): the class of each row.
    classes
        The number of classes k.
    """

    def __init__(self, x: Rows, codes: Codes, classes: int) -> None:
        self._x = np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)
        self._codes = codes
        self._rows = max(64, _BLOCK_BYTES // (classes * x.dtype.itemsize))

    def __call__(self, weights: Floats) -> tuple[float, Floats]:
        """Return the loss and its gradient (k, d + 1)."""
        right = weights.astype(self._x.dtype).T
        if len(self._x) <= self._rows:  # too little to share out
            loss, slope = self._block(right, 0)
            return loss / len(self._x), slope.astype(np.float64) / len(self._x)
        loss, gradient = 0.0, np.zeros_like(weights)
        # A product on one thread each, so that one thread's softmax goes beside another's product.
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads()) as pool:
            firsts = range(0, len(self._x), self._rows)
            for part, slope in pool.map(lambda first: self._block(right, first), firsts):
                loss += part
                gradient += slope
        return loss / len(self._x), gradient / len(self._x)

    def _block(self, right: Rows, first: int) -> tuple[float, Rows]:
        """Return the sums of loss and gradient over a block of rows."""
        x, codes = (of[first : first + self._rows] for of in (self._x, self._codes))
        own = np.arange(len(x)), codes
        scores = x @ right
        scores -= scores.max(axis=1, keepdims=True)
        correct = scores[own].astype(np.float64)
        np.exp(scores, out=scores)
        totals = scores.sum(axis=1)
        loss = float((np.log(totals.astype(np.float64)) - correct).sum())
        scores[own] -= totals
        return loss, scores.T @ (x / totals[:, None])
