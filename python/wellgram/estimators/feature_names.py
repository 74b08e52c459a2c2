"""Names of features: those of a DataFrame's columns, remembered and compared."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.estimators.call_sites import level_outside

Names = NDArray[np.object_]

_MOST_NAMED = 5


def names_of(X: Any) -> Names | None:
    """Return the names (d,) of a DataFrame's columns; None where they are not text.

    Raises
    ------
    TypeError
        If some are text and others are not, as scikit-learn has it.
    """
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    names = np.empty(len(columns), object)
    names[:] = list(columns)
    are_text = [isinstance(name, str) for name in names]
    if any(are_text) and not all(are_text):
        other = names[are_text.index(False)]
        raise TypeError(
            "Feature names are only supported if all input features have string names, but one is "
            f"{other!r}; rename the columns, for example X.columns = X.columns.astype(str)"
        )
    return names if len(names) and all(are_text) else None


def compare_names(X: Any, fitted: Names | None, who: str) -> None:
    """Raise unless columns have the names, in the order, that an estimator was fitted on.

    Where one of the two has no names, a warning says so.

    Raises
    ------
    InputError
        If names differ; in scikit-learn's words.
    """
    names = names_of(X)
    if names is None or fitted is None:
        if names is not None:
            warnings.warn(
                f"X has feature names, but {who} was fitted without feature names",
                stacklevel=level_outside(),
            )
        if fitted is not None:
            warnings.warn(
                f"X does not have valid feature names, but {who} was fitted with feature names",
                stacklevel=level_outside(),
            )
        return
    if np.array_equal(names, fitted):
        return
    unseen, missing = sorted(set(names) - set(fitted)), sorted(set(fitted) - set(names))
    message = "The feature names should match those that were passed during fit.\n"
    if unseen:
        message += f"Feature names unseen at fit time:\n{_listed(unseen)}"
    if missing:
        message += f"Feature names seen at fit time, yet now missing:\n{_listed(missing)}"
    if not (unseen or missing):
        message += "Feature names must be in the same order as they were in fit.\n"
    raise InputError(message)


def _listed(names: list[str]) -> str:
    more = ["- ...\n"] if len(names) > _MOST_NAMED else []
    return "".join([*(f"- {name}\n" for name in names[:_MOST_NAMED]), *more])


def chosen_names(given: Any, fitted: Names | None, count: int) -> Names:
    """Return the names of features that go in: those given, those of the fit, or x0, x1 and so on.

    Raises
    ------
    InputError
        If those given are not those of the fit, or not as many.
    """
    if given is None:
        return numbered("x", count) if fitted is None else fitted
    names = np.asarray(given, dtype=object)
    if fitted is not None and not np.array_equal(names, fitted):
        raise InputError("input_features is not equal to feature_names_in_")
    if len(names) != count:
        raise InputError(
            f"input_features should have length equal to number of features ({count}), "
            f"got {len(names)}"
        )
    return names


def numbered(prefix: str, count: int) -> Names:
    """Return names (count,): the prefix and a number, from 0."""
    return np.array([f"{prefix}{i}" for i in range(count)], object)
