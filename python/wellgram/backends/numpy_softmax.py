"""`Kernels.softmax_loss` of the processor backends: NumPy's products, by chunks of rows."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from wellgram.backends.protocol import Codes, Floats, Rows, SoftmaxLoss
from wellgram.backends.thread_count import threads

_CHUNK_BYTES = 1 << 23
"""Of a chunk's scores: large enough for the products, small enough for the caches"""


def softmax_loss(x: Rows, codes: Codes, classes: int) -> SoftmaxLoss:
    """See `Kernels.softmax_loss`."""
    return _Chunks(x, codes, classes)


class _Chunks:
    """Rows with a one at their end, for the intercept; a thread has the scores of a chunk."""

    def __init__(self, x: Rows, codes: Codes, classes: int) -> None:
        self._x = np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)
        self._codes, self._classes = codes, classes
        self._rows = max(64, _CHUNK_BYTES // (classes * x.dtype.itemsize))

    def __call__(self, weights: Floats) -> tuple[float, Floats]:
        right = weights.astype(self._x.dtype).T
        if len(self._x) <= self._rows:  # too little to share out
            loss, slope = self._chunk(right, 0)
            return loss, slope.astype(np.float64)
        loss, gradient = 0.0, np.zeros_like(weights)
        # A product on one thread each, so that one thread's softmax goes beside another's product.
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads()) as pool:
            firsts = range(0, len(self._x), self._rows)
            for part, slope in pool.map(lambda first: self._chunk(right, first), firsts):
                loss += part
                gradient += slope
        return loss, gradient

    def _chunk(self, right: Rows, first: int) -> tuple[float, Rows]:
        """Return the sums of loss and gradient over a chunk of rows."""
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
