"""What scikit-learn asks of everything that is fitted to rows of features."""

from typing import Any

from wellgram.errors import InputError
from wellgram.estimators.feature_names import Names, compare_names, names_of
from wellgram.estimators.metadata_requests import MetadataRequests
from wellgram.estimators.parameters import Parameters
from wellgram.estimators.shared_errors import not_fitted


class Estimator(Parameters, MetadataRequests):
    """Parameters by name, attributes that end in ``_`` once it is fitted, features that it knows.

    Attributes
    ----------
    n_features_in_
        How many features it was fitted on.
    feature_names_in_
        Their names (d,), where it was fitted to a DataFrame whose columns are named by text.
    """

    n_features_in_: int
    feature_names_in_: Names

    @property
    def is_fitted(self) -> bool:
        """Whether it has been fitted."""
        return any(name.endswith("_") for name in vars(self))

    def __sklearn_is_fitted__(self) -> bool:
        return self.is_fitted

    def check_fitted(self) -> None:
        """Raise unless it has been fitted.

        Raises
        ------
        NotFitted
            If not; it is scikit-learn's ``NotFittedError`` too, where scikit-learn is loaded.
        """
        if not self.is_fitted:
            raise not_fitted(self)

    def learn_features(self, count: int, given: Any) -> None:
        """Note how many features it was fitted on, and their names where what was given has any."""
        self.n_features_in_ = count
        names = names_of(given)
        if names is not None:
            self.feature_names_in_ = names
        else:
            vars(self).pop("feature_names_in_", None)

    def check_names(self, given: Any) -> None:
        """Raise unless the columns of what is given have the names that it was fitted on.

        Raises
        ------
        InputError
            If they have others; in scikit-learn's words.
        """
        compare_names(given, getattr(self, "feature_names_in_", None), type(self).__name__)

    def check_count(self, count: int) -> None:
        """Raise unless there are as many features as it was fitted on.

        Raises
        ------
        InputError
            If there are not; in scikit-learn's words.
        """
        if count != self.n_features_in_:
            raise InputError(
                f"X has {count} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input: those that it was fitted on"
            )
