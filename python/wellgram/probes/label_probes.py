"""Probes as classifiers by scikit-learn's conventions: fitted to rows and their labels."""

import warnings
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from wellgram.backends import takes_backend
from wellgram.backends.checks import unmasked
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError
from wellgram.estimators import UNCHANGED, Estimator, Request, as_features, conversion_warning
from wellgram.estimators.call_sites import level_outside
from wellgram.probes.classifier import LinearClassifier
from wellgram.probes.closed_form import lda, ridge
from wellgram.probes.logistic import Logistic


class LabelProbe(Estimator, ABC):
    """A linear classifier of rows (n, d), fitted to the label of each: see its subclasses.

    Attributes
    ----------
    classes_
        The labels (k,), sorted.
    classifier_
        The `LinearClassifier` of their codes.
    n_features_in_
        How many features d it was fitted on.
    feature_names_in_
        Their names (d,), where it was fitted to a DataFrame whose columns are named by text.
    """

    classes_: NDArray[Any]
    classifier_: LinearClassifier
    takes = {"score": ("sample_weight",)}  # noqa: RUF012 - never changed
    _estimator_type = "classifier"  # by which scikit-learn knew one before 1.6

    @takes_backend
    def fit(self, X: ArrayLike, y: ArrayLike, *, backend: str | None = None) -> Self:
        """Fit to rows and their labels.

        Parameters
        ----------
        X
            Rows (n, d), float32 or float64; other numbers become float64.
        y
            The label of each row (n,): numbers or text, of two classes at the least.
        backend
            See `wellgram.set_backend`.

        Raises
        ------
        InputError
            If the rows or labels cannot be used, or a parameter cannot.
        """
        rows = as_features(X)
        classes, codes = _classes(y, len(rows), type(self).__name__)
        self.classifier_ = self.fitted(rows, codes, len(classes))
        self.classes_ = classes
        self.learn_features(rows.shape[1], X)
        return self

    @abstractmethod
    def fitted(self, rows: Rows, codes: Codes, classes: int) -> LinearClassifier:
        """Return the classifier of rows (n, d) whose classes are codes (n,), all of them there."""

    def decision_function(self, X: ArrayLike) -> Rows:
        """Return the score of each class, (m, k), or of the second over the first, (m,), of two.

        Raises
        ------
        NotFitted
            If it has not been fitted.
        InputError
            If the features are not those of the fit.
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the label (m,) with the highest score of each row, the first of equals.

        Raises
        ------
        NotFitted
            If it has not been fitted.
        InputError
            If the features are not those of the fit.
        """
        rows = self._rows(X)
        labels: NDArray[Any] = self.classes_[self.classifier_.predict(rows)]
        return labels

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of rows whose label is predicted; of their weights (n,), if given.

        Raises
        ------
        NotFitted
            If it has not been fitted.
        InputError
            If the features are not those of the fit.
        """
        hits = self.predict(X) == np.asarray(y)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        return float(np.average(hits, weights=weights))

    def set_score_request(self, *, sample_weight: Request = UNCHANGED) -> Self:
        """Ask scikit-learn's pipelines and searches for the weights that ``score`` takes.

        Parameters
        ----------
        sample_weight
            True: to be handed on; False: not; a name: that under which they are given.

        Raises
        ------
        RuntimeError
            If metadata routing is not enabled (``sklearn.set_config``).
        """
        return self.ask_for("score", sample_weight=sample_weight)

    def _rows(self, X: ArrayLike) -> Rows:
        self.check_fitted()
        self.check_names(X)
        rows = as_features(X)
        self.check_count(rows.shape[1])
        return rows

    def _scores(self, X: ArrayLike) -> Rows:
        rows = self._rows(X)
        return self.classifier_.scores(rows)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
        )


class OddsProbe(LabelProbe):
    """A probe whose scores are log odds."""

    def predict_proba(self, X: ArrayLike) -> Rows:
        """Return the probability of each class, (m, k): the softmax of the scores.

        Raises
        ------
        NotFitted
            If it has not been fitted.
        InputError
            If the features are not those of the fit.
        """
        scores = self._scores(X)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


class RidgeProbe(LabelProbe):
    """Ridge regression on classes: see `wellgram.probes.ridge`.

    Parameters
    ----------
    penalty
        Above 0; alpha of scikit-learn's ``RidgeClassifier``.

    Examples
    --------
    >>> import numpy as np
    >>> from wellgram.probes import RidgeProbe
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [5.0, 6.0], [6.0, 5.0]])
    >>> RidgeProbe().fit(x, ["A549", "A549", "U2OS", "U2OS"]).predict([[4, 4]])
    array(['U2OS'], dtype='<U4')
    """

    def __init__(self, penalty: float = 1.0) -> None:
        self.penalty = penalty

    def fitted(self, rows: Rows, codes: Codes, classes: int) -> LinearClassifier:
        """Return the classifier of rows (n, d) whose classes are codes (n,), all of them there."""
        return ridge(rows, codes, classes, self.penalty)


class LDAProbe(OddsProbe):
    """Linear discriminants: see `wellgram.probes.lda`.

    Parameters
    ----------
    shrinkage
        Of the covariance within classes towards its mean variance, above 0 and up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from wellgram.probes import LDAProbe
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [5.0, 6.0], [6.0, 5.0]])
    >>> LDAProbe(0.5).fit(x, ["A549", "A549", "U2OS", "U2OS"]).predict_proba([[3, 3]])
    array([[0.5, 0.5]])
    """

    def __init__(self, shrinkage: float = 0.05) -> None:
        self.shrinkage = shrinkage

    def fitted(self, rows: Rows, codes: Codes, classes: int) -> LinearClassifier:
        """Return the classifier of rows (n, d) whose classes are codes (n,), all of them there."""
        return lda(rows, codes, classes, self.shrinkage)


class LogisticProbe(OddsProbe):
    """Multinomial logistic regression with an L2 penalty: see `wellgram.probes.Logistic`.

    Parameters
    ----------
    penalty
        Above 0; 1 / C of scikit-learn's ``LogisticRegression``.
    tolerance
        The search ends when the objective is expected to fall by less than this share of itself.
    iterations
        At most so many.

    Examples
    --------
    >>> import numpy as np
    >>> from wellgram.probes import LogisticProbe
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [5.0, 6.0], [6.0, 5.0]])
    >>> LogisticProbe().fit(x, ["A549", "A549", "U2OS", "U2OS"]).predict([[1, 1], [5, 5]])
    array(['A549', 'U2OS'], dtype='<U4')
    """

    def __init__(
        self, penalty: float = 1.0, *, tolerance: float = 1e-6, iterations: int = 500
    ) -> None:
        self.penalty = penalty
        self.tolerance = tolerance
        self.iterations = iterations

    def fitted(self, rows: Rows, codes: Codes, classes: int) -> LinearClassifier:
        """Return the classifier of rows (n, d) whose classes are codes (n,), all of them there."""
        problem = Logistic(rows, codes, classes)
        fit = problem.fit(self.penalty, tolerance=self.tolerance, iterations=self.iterations)
        return fit.classifier


def _classes(y: Any, rows: int, who: str) -> tuple[NDArray[Any], Codes]:
    """Return the labels there are, sorted, and the code of each row's.

    Raises
    ------
    InputError
        If labels are absent, not one per row, missing, no classes, or all the same.
    """
    if y is None:
        raise InputError(f"{who} requires y to be passed, but the target y is None; give labels")
    labels = np.asarray(unmasked(y, "y"))
    if labels.ndim == 2 and labels.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected; give y.ravel()",
            conversion_warning(),
            stacklevel=level_outside(),
        )
        labels = labels.ravel()
    if labels.shape != (rows,):
        raise InputError(f"y has shape {labels.shape}; expected a label per row: ({rows},)")
    if labels.dtype.kind == "c":
        raise InputError("Complex data not supported: y must be labels of classes")
    missing = pd.isna(labels)
    if labels.dtype.kind == "f":
        missing |= ~np.isfinite(labels)
    if missing.any():
        bad = int(np.flatnonzero(missing)[0])
        raise InputError(f"Input y contains NaN or infinity at row {bad}; label it or leave it out")
    if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        raise InputError(
            "Unknown label type: continuous. y holds numbers that are not whole; give the labels "
            "of classes"
        )
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        only = f"one class, {classes[0]!r}" if len(classes) else "no labels"
        raise InputError(f"y holds {only}; labels of two classes at least are needed")
    return classes, codes.astype(np.int64)
