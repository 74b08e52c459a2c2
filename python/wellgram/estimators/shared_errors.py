"""Errors and warnings of ours that are scikit-learn's too, where scikit-learn is loaded.

It catches its own classes. They cannot be bases of ours without importing it, so what is both is
made when it is raised.
"""

import sys
from functools import cache
from typing import Any

from wellgram.errors import NotFitted


def not_fitted(estimator: object) -> NotFitted:
    """Return the error of an estimator that was not fitted, scikit-learn's NotFittedError too."""
    message = (
        f"This {type(estimator).__name__} instance is not fitted yet; call its fit before this"
    )
    return _of_both(message) if "sklearn" in sys.modules else NotFitted(message)


def _of_both(message: str) -> NotFitted:
    error: NotFitted = _not_fitted_class()(message)
    return error


@cache
def _not_fitted_class() -> Any:
    from sklearn.exceptions import NotFittedError

    def reduce(self: Exception) -> tuple[Any, tuple[Any, ...]]:
        return _of_both, self.args  # a class that is made has no name to be found by

    made = {"__doc__": NotFitted.__doc__, "__module__": __name__, "__reduce__": reduce}
    return type("NotFitted", (NotFitted, NotFittedError), made)


def conversion_warning() -> type[Warning]:
    """Return the category of warnings that an argument was taken for what it only nearly is."""
    if "sklearn" not in sys.modules:
        return UserWarning
    from sklearn.exceptions import DataConversionWarning

    category: type[Warning] = DataConversionWarning
    return category
