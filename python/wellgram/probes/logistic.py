"""Multinomial logistic regression with an L2 penalty, in coordinates that suit it.

The second derivatives at equal odds are, for class c of share s and in the principal axes of the
features, ``s (1 - s) variance + penalty / n``: a diagonal, which L-BFGS takes as its metric. The
penalty does not mind a rotation, and the intercept takes up a shift. The search begins on the line
from zero along that metric's first step, which is the line of the discriminants; how far is found
on a sample of rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wellgram.backends import get_backend, takes_backend
from wellgram.backends.long_calls import interruptible
from wellgram.backends.protocol import Codes, Floats, Rows, SoftmaxLoss
from wellgram.errors import InputError
from wellgram.nulls import stream_of
from wellgram.probes.class_moments import ClassMoments
from wellgram.probes.classifier import LinearClassifier
from wellgram.probes.lbfgs import Minimum, minimize

_SAMPLE_ROWS = 4096
_LENGTHS = np.geomspace(2**-6, 2, 15)
"""The lengths of the first step that are tried on a sample, by the square root of 2"""


@dataclass(frozen=True)
class LogisticFit:
    """A fitted logistic regression, and how the search went."""

    classifier: LinearClassifier
    objective: float
    """The mean log loss and the penalty over n: scikit-learn's objective over C n"""
    iterations: int
    evaluations: int
    """How often loss and gradient of all rows were taken"""
    weights: Floats
    """(k, d + 1) in the coordinates of the search, to begin another search at"""


class Logistic:
    """Logistic regressions of the same rows, for any number of penalties.

    The objective is ``mean(log loss) + penalty / (2 n) |w|^2``, the intercept not penalised: that
    of scikit-learn's ``LogisticRegression(C=1 / penalty)``, divided by C n.

    Parameters
    ----------
    x
        (n, d), float32 or float64; products are in this type.
    codes, classes
        The class of each row (n,), and how many there are: two or more, none of them empty.
    backend
        Which takes the moments, and loss and gradient: see `wellgram.set_backend`.
    """

    @takes_backend
    def __init__(self, x: Rows, codes: Codes, classes: int, *, backend: str | None = None) -> None:
        moments = ClassMoments.of(x, codes, classes)
        size = len(moments.mean)
        self._variances, self._axes = interruptible(size, np.linalg.eigh, moments.covariance)
        self._variances = np.maximum(self._variances, 0)
        self._mean, self._shares, self._n = moments.mean, moments.shares, len(x)
        self._gradient = -(moments.deviations * self._shares[:, None]) @ self._axes
        centred = x - self._mean.astype(x.dtype)
        rotated = interruptible(size, np.matmul, centred, self._axes.astype(x.dtype))
        run = get_backend()
        self._loss = _mean(run.softmax_loss(rotated, codes, classes), len(x))
        size = min(len(x), _SAMPLE_ROWS)
        some = run.random_subsets([len(x)], [size], 1, seed=0, stream=stream_of("first step"))[0]
        self._sample = _mean(run.softmax_loss(rotated[some], codes[some], classes), size)
        self._noise = 8 * float(np.finfo(x.dtype).eps)

    def fit(
        self,
        penalty: float,
        *,
        start: LogisticFit | None = None,
        tolerance: float = 1e-6,
        iterations: int = 500,
        stop: Callable[[Minimum], bool] | None = None,
    ) -> LogisticFit:
        """Return the regression of least objective.

        Parameters
        ----------
        penalty
            Above 0; 1 / C of scikit-learn.
        start
            A fit to begin at, of another penalty.
        tolerance
            It ends when the objective is expected to fall by less than this share of itself.
        iterations
            At most so many.
        stop
            Told of every iteration; ends the search by returning true.

        Raises
        ------
        InputError
            If the penalty is not above 0.
        """
        if not penalty > 0:
            raise InputError(f"the penalty of a logistic probe must be above 0, not {penalty}")
        weight = penalty / self._n
        metric = 1 / self._curvature(weight)
        begin = self._begin(weight, metric) if start is None else start.weights
        found = minimize(
            lambda w: _penalised(self._loss, w, weight),
            begin,
            metric,
            tolerance=tolerance,
            iterations=iterations,
            noise=self._noise,
            stop=stop,
        )
        weights, intercept = found.point[:, :-1] @ self._axes.T, found.point[:, -1]
        return LogisticFit(
            LinearClassifier.shifted(weights, intercept, self._mean),
            found.value,
            found.iterations,
            found.evaluations,
            found.point,
        )

    def _curvature(self, weight: float) -> Floats:
        """Return the diagonal (k, d + 1) of the second derivatives at equal odds."""
        spread = (self._shares * (1 - self._shares))[:, None]
        return np.hstack([spread * self._variances + weight, spread])

    def _begin(self, weight: float, metric: Floats) -> Floats:
        """Return the best of some steps from zero, by the loss of a sample of rows."""
        base = np.zeros_like(metric)
        base[:, -1] = np.log(self._shares)
        step = np.zeros_like(metric)
        step[:, :-1] = -self._gradient * metric[:, :-1]
        best, least = base, np.inf
        for length in _LENGTHS:
            point = base + length * step
            value, _ = _penalised(self._sample, point, weight)
            if value > least:  # along a line the objective is convex
                break
            best, least = point, value
        return best


def _mean(loss: SoftmaxLoss, rows: int) -> SoftmaxLoss:
    """Return the loss and its gradient over so many rows, of their sums."""

    def at(weights: Floats) -> tuple[float, Floats]:
        value, gradient = loss(weights)
        gradient /= rows
        return value / rows, gradient

    return at


def _penalised(loss: SoftmaxLoss, weights: Floats, weight: float) -> tuple[float, Floats]:
    """Return the objective and its gradient."""
    value, gradient = loss(weights)
    inner = weights[:, :-1]
    gradient[:, :-1] += weight * inner
    return value + weight / 2 * float(np.vdot(inner, inner)), gradient
