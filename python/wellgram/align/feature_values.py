"""What a selection of features looks at: variances, correlations, extremes, missing values."""

from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align.sample import RowSample, Sample
from wellgram.backends.protocol import Codes, Floats, Moments, Rows
from wellgram.feature_rules.feature_correlations import (
    CorrelationMethod,
    above_threshold,
    correlated_features,
    plainly_correlated,
)
from wellgram.feature_rules.undecided import Undecided
from wellgram.feature_rules.value_ranges import (
    with_low_variance,
    with_missing_values,
    with_outliers,
)

_NEAR = 1e-9
"""Of a variance: theirs and ours differ by less"""
_LEAST_DEVIATION = 1e-9
"""Of a feature's size: what varies less may vary by rounding alone"""

Mask = NDArray[np.bool_]


class FeatureSums:
    """What follows from sums and extremes of the features; each takes a pass over a stream.

    Methods give masks of those features that `kept` says are left.
    """

    def __init__(self, sample: Sample) -> None:
        self._sample = replace(sample, codes=np.zeros_like(sample.codes), names=None)

    @cached_property
    def _moments(self) -> Moments:
        """Means and variances, with what correlations need: one pass."""
        return self._sample.moments(self._sample.codes, "smaller").pooled()

    def low_variance(self, kept: Mask, least: float) -> Mask:
        """Tell the features whose variance is not above the least."""
        return np.asarray(~(self._variances()[kept] > least))

    def correlated(self, kept: Mask, threshold: float, method: CorrelationMethod) -> Mask:
        """Tell of correlated pairs the feature that correlates more with all others."""
        return above_threshold(pd.DataFrame(self._correlations(kept)), threshold)

    def outliers(self, kept: Mask, cutoff: float) -> Mask:
        """Tell the features with a value further from zero than the cutoff."""
        return self._sample.largest(self._sample.codes)[kept] > cutoff

    def missing(self, kept: Mask, cutoff: float) -> Mask:
        """Tell that none has missing values: wells that are read have none."""
        return np.zeros(int(kept.sum()), bool)

    def _variances(self) -> Floats:
        moments = self._moments
        with np.errstate(over="ignore"):
            return np.asarray(moments.squares() / moments.count * np.square(moments.unit))

    def _correlations(self, kept: Mask) -> Floats:
        scatter = self._scatter()[np.ix_(kept, kept)]
        lengths = np.sqrt(np.diag(scatter))
        with np.errstate(invalid="ignore"):  # of what does not vary
            return np.asarray(scatter / lengths / lengths[:, None])

    def _scatter(self) -> Floats:
        return self._moments.scatter()


class ValuesInMemory(FeatureSums):
    """The same of features whose values are at hand, so that rounding never decides.

    Sums decide where they can. Where a value is missing, or something is near to a threshold, it is
    computed as pycytominer does.
    """

    def __init__(self, sample: RowSample) -> None:
        super().__init__(sample)
        self._rows = sample.rows
        self._held = np.ones(sample.width, bool)
        self._columns: Rows | None = None

    @cached_property
    def _moments(self) -> Moments:
        """Means and variances, which take a tenth of the time that correlations take."""
        return self._sample.moments(self._sample.codes, "variances").pooled()

    def _scatter(self) -> Floats:
        return self._sample.moments(self._sample.codes, "smaller").pooled().scatter()

    @cached_property
    def _whole(self) -> bool:
        return bool(np.isfinite(self._rows.sum(axis=0)).all())

    def columns(self, kept: Mask) -> Rows:
        """Return a row for each of the kept features; those of the last call hold them."""
        if self._columns is None:
            self._columns = np.ascontiguousarray(self._rows.T)
        if not np.array_equal(kept, self._held):
            self._columns = self._columns[kept[self._held]]
            self._held = kept.copy()
        return self._columns

    def low_variance(self, kept: Mask, least: float) -> Mask:
        """Tell the features whose variance is not above the least."""
        if self._whole and least > 0:
            variances = self._variances()[kept]
            near = np.abs(variances - least) <= _NEAR * (variances + least)
            if not (near | self._hardly_varying(kept)).any():
                return np.asarray(variances <= least)
        try:
            return with_low_variance(self.columns(kept), least)
        except Undecided:
            rows = self._rows[:, kept]
            variances = np.nanvar(rows, axis=0)
            if least == 0:  # as scikit-learn has it: a rounded mean gives what is constant one
                ranges = np.nanmax(rows, axis=0) - np.nanmin(rows, axis=0)
                variances = np.nanmin(np.array([variances, ranges]), axis=0)
            return np.asarray(~(variances > least))

    def correlated(self, kept: Mask, threshold: float, method: CorrelationMethod) -> Mask:
        """Tell of correlated pairs the feature that correlates more with all others."""
        if kept.sum() < 2:
            return np.zeros(int(kept.sum()), bool)
        if self._whole and method == "pearson" and not self._hardly_varying(kept).any():
            try:
                return plainly_correlated(self._correlations(kept), threshold)
            except Undecided:
                pass
        table = pd.DataFrame(self._rows[:, kept])
        try:
            with np.errstate(invalid="ignore", divide="ignore"):  # of what does not vary
                return correlated_features(table, self.columns(kept), threshold, method)
        except Undecided:
            return above_threshold(table.corr(method), threshold)

    def outliers(self, kept: Mask, cutoff: float) -> Mask:
        """Tell the features with a value further from zero than the cutoff."""
        if not self._whole:
            return with_outliers(self.columns(kept), cutoff)
        furthest = np.maximum(self._rows.max(axis=0), -self._rows.min(axis=0))
        return np.asarray(furthest > cutoff)[kept]

    def missing(self, kept: Mask, cutoff: float) -> Mask:
        """Tell the features of whose values more than a share is missing."""
        if self._whole:
            return super().missing(kept, cutoff)
        return with_missing_values(self.columns(kept), cutoff)

    def deviations(self, kept: Mask, codes: Codes) -> Floats:
        """Return the standard deviation of each feature within groups, the mean over groups."""
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
        total = np.zeros(int(kept.sum()))
        for group in np.split(order, starts[1:]):
            total += self._rows[group][:, kept].std(axis=0, dtype=np.float64)
        return np.asarray(total / len(starts))

    def _hardly_varying(self, kept: Mask) -> Mask:
        """Tell the features whose deviation is tiny beside their size."""
        moments = self._moments
        deviations = np.sqrt(moments.squares() / moments.count)
        return np.asarray(deviations <= _LEAST_DEVIATION * np.abs(moments.mean))[kept]
