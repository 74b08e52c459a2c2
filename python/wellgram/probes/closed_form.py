"""Probes in closed form: ridge regression on classes, and linear discriminants."""

import numpy as np

from wellgram.backends.long_calls import interruptible
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.errors import InputError
from wellgram.probes.class_moments import ClassMoments
from wellgram.probes.classifier import LinearClassifier


def ridge(x: Rows, codes: Codes, classes: int, penalty: float) -> LinearClassifier:
    """Return the ridge regression of each class's indicator (1 or 0) on the features.

    ``w = (S + penalty I)^-1 X'Y`` with X centred, S its scatter matrix, Y the indicators; the
    intercept is not penalised. As scikit-learn's ``Ridge(alpha=penalty)``, whose classifier has
    targets of 1 and -1 and hence the same predictions.

    Parameters
    ----------
    x, codes, classes
        Rows (n, d), the class of each, and how many classes there are, none of them empty.
    penalty
        Above 0.

    Raises
    ------
    InputError
        If the penalty is not above 0.
    """
    _check(penalty > 0, f"the penalty of a ridge probe must be above 0, not {penalty}")
    moments = ClassMoments.of(x, codes, classes)
    products = moments.deviations * moments.counts[:, None]
    penalised = moments.scatter + penalty * np.eye(len(moments.mean))
    weights = _solved(penalised, products)
    return LinearClassifier.shifted(weights, moments.shares, moments.mean)


def lda(x: Rows, codes: Codes, classes: int, penalty: float) -> LinearClassifier:
    """Return linear discriminants: classes are normal, of one covariance.

    ``w = C^-1 m``, ``b = -m C^-1 m / 2 + log share``, with C the covariance within classes (ddof 0)
    shrunk towards its mean variance: ``(1 - penalty) C + penalty tr(C) / d I``. As scikit-learn's
    ``LinearDiscriminantAnalysis(solver="lsqr", shrinkage=penalty)`` but for the scaling that it
    gives features before it shrinks.

    Parameters
    ----------
    x, codes, classes
        Rows (n, d), the class of each, and how many classes there are, none of them empty.
    penalty
        The shrinkage, above 0 and up to 1.

    Raises
    ------
    InputError
        If the shrinkage is out of range, or rows do not differ within classes.
    """
    _check(0 < penalty <= 1, f"the shrinkage of discriminants must be in (0, 1], not {penalty}")
    moments = ClassMoments.of(x, codes, classes)
    within = moments.within
    mean = float(np.trace(within)) / len(within)
    _check(
        mean > 1e-12 * float(np.trace(moments.covariance)) / len(within),
        "rows of a class are all alike, so there is no covariance to tell classes apart by; "
        "choose the ridge probe",
    )
    shrunk = (1 - penalty) * within + penalty * mean * np.eye(len(within))
    # About the mean of all rows: fewer digits cancel.
    weights = _solved(shrunk, moments.deviations)
    halves = np.einsum("kd,kd->k", weights, moments.deviations) / 2
    return LinearClassifier.shifted(weights, np.log(moments.shares) - halves, moments.mean)


def _solved(matrix: Floats, rows: Floats) -> Floats:
    """Return the rows (k, d) times the inverse of a symmetric matrix (d, d)."""
    solution = interruptible(len(matrix), np.linalg.solve, matrix, rows.T)
    return np.asarray(solution.T, np.float64)


def _check(good: bool, otherwise: str) -> None:
    if not good:
        raise InputError(otherwise)
