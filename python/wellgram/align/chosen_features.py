"""Corrections that keep some of the features, as they are."""

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from wellgram.align.affine import AnySample
from wellgram.align.estimator import Alignment
from wellgram.align.sample import Sample, check_width
from wellgram.backends.protocol import Rows
from wellgram.errors import InputError
from wellgram.estimators.feature_names import Names, chosen_names


class ChosenFeatures(Alignment):
    """Keeps some of the features, as they are.

    Attributes
    ----------
    kept_
        Which features are kept, a mask (d,).
    """

    kept_: NDArray[np.bool_]

    def fit_sample(self, sample: Sample) -> None:
        """Choose features of a sample."""
        kept = self.chosen(sample)
        if not kept.any():
            raise InputError(
                f"{self.name} leaves none of the {len(kept)} features; {self.remedy}, or do "
                "without it"
            )
        self.kept_ = kept

    @abstractmethod
    def chosen(self, sample: Sample) -> NDArray[np.bool_]:
        """Return which features are kept, a mask (d,)."""

    @property
    @abstractmethod
    def remedy(self) -> str:
        """What to do where no feature is left."""

    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample with the features that are kept."""
        kept = self.kept_
        check_width(sample.width, len(kept))

        def taken(rows: Rows, codes: NDArray[np.int64]) -> Rows:
            return rows if kept.all() else rows[:, kept]

        return sample.mapped(taken, sample.codes, self.n_features_out)

    @property
    def least_rows(self) -> int:
        """How many rows it is fitted on at the least."""
        return 2

    @property
    def keeps_features(self) -> bool:
        """Whether each feature that comes out is the one that went in at its place: some are."""
        return False

    @property
    def n_features_out(self) -> int:
        """How many features k come out, once it is fitted."""
        return int(self.kept_.sum())

    def get_feature_names_out(self, input_features: object = None) -> Names:
        """Return the names (k,) of the features that are kept.

        See `Alignment.get_feature_names_out`.
        """
        self.check_fitted()
        fitted = getattr(self, "feature_names_in_", None)
        return chosen_names(input_features, fitted, self.n_features_in_)[self.kept_]
