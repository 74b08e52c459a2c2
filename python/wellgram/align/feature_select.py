"""Selection of features by the operations of pycytominer: the same columns remain."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align.affine import AnySample
from wellgram.align.cellprofiler_blocklist import noisy_features
from wellgram.align.chosen_features import ChosenFeatures
from wellgram.align.feature_values import FeatureSums, ValuesInMemory
from wellgram.align.sample import RowSample, Sample
from wellgram.align.well_columns import well_column
from wellgram.errors import InputError
from wellgram.feature_rules.feature_correlations import CorrelationMethod
from wellgram.feature_rules.repeated_values import with_repeated_values

Operation = Literal[
    "variance_threshold",
    "frequency_threshold",
    "correlation_threshold",
    "drop_na_columns",
    "blocklist",
    "drop_outliers",
    "noise_removal",
]

_USUAL = ("variance_threshold", "correlation_threshold", "drop_na_columns", "blocklist")

_STREAMED = {
    "variance_threshold",
    "correlation_threshold",
    "drop_na_columns",
    "blocklist",
    "drop_outliers",
}
"""Operations that follow from sums and extremes"""


class FeatureSelect(ChosenFeatures):
    """Keep the features that ``feature_select`` of pycytominer 1.7.1 keeps.

    Operations come one after another, each on the features that the ones before left:

    ``variance_threshold``
        drops features with a variance (ddof 0) of `min_variance` or less.
    ``frequency_threshold``
        drops features whose second most frequent value occurs less than `freq_cut` times as often
        as the most frequent one, or whose different values are fewer than `unique_cut` of all.
    ``correlation_threshold``
        looks at each pair of features with a correlation above `corr_threshold`, and drops the one
        with the larger sum of absolute correlations with all features. A correlation below
        ``-corr_threshold`` drops nothing.
    ``drop_na_columns``
        drops features with more than `na_cutoff` of their values missing. Wells have no missing
        values (see ``missing=`` of `read_wells`), rows may.
    ``blocklist``
        drops features by name. Features without names are not blocked by the default list.
    ``drop_outliers``
        drops features with an absolute value above `outlier_cutoff`.
    ``noise_removal``
        drops features whose standard deviation (ddof 0) within a group of wells is above
        `noise_removal_stdev_cutoff` in the mean over groups.

    All wells are looked at, controls or not; no label but that of the groups is used. Of a stream,
    features are chosen by sums in float64: where rounding could decide, another of two features may
    be kept. ``frequency_threshold``, ``noise_removal`` and correlations of ranks need all wells in
    memory.

    Parameters
    ----------
    operation
        The operations, one or several in turn; None: variance_threshold, correlation_threshold,
        drop_na_columns and blocklist, as most recipes have it.
    min_variance, freq_cut, unique_cut, corr_threshold, na_cutoff, outlier_cutoff
        See the operations.
    corr_method
        "pearson", or "spearman" for the correlation of ranks.
    blocklist
        Names of features; None: the 55 noisy features of CellProfiler that pycytominer has (Way
        2019, doi 10.6084/m9.figshare.10255811).
    noise_removal_perturb_groups
        The column of the wells' metadata that groups them.
    noise_removal_stdev_cutoff
        Must be given where ``noise_removal`` is among the operations.

    Examples
    --------
    >>> import pandas as pd, wellgram as wg
    >>> table = pd.DataFrame({"a": [1.0, 2, 3, 5], "b": [2.0, 4, 6, 11], "c": [0.0, 3, 1, 2]})
    >>> wg.FeatureSelect().fit(table).get_feature_names_out()
    array(['b', 'c'], dtype=object)
    """

    name = "feature-select"
    takes_missing = True

    def __init__(
        self,
        operation: Operation | Sequence[Operation] | None = None,
        *,
        min_variance: float = 1e-6,
        freq_cut: float = 0.05,
        unique_cut: float = 0.01,
        corr_threshold: float = 0.9,
        corr_method: CorrelationMethod = "pearson",
        na_cutoff: float = 0.05,
        blocklist: Sequence[str] | None = None,
        outlier_cutoff: float = 500.0,
        noise_removal_perturb_groups: str = "perturbation",
        noise_removal_stdev_cutoff: float | None = None,
    ) -> None:
        self.operation = operation
        self.min_variance = min_variance
        self.freq_cut = freq_cut
        self.unique_cut = unique_cut
        self.corr_threshold = corr_threshold
        self.corr_method = corr_method
        self.na_cutoff = na_cutoff
        self.blocklist = blocklist
        self.outlier_cutoff = outlier_cutoff
        self.noise_removal_perturb_groups = noise_removal_perturb_groups
        self.noise_removal_stdev_cutoff = noise_removal_stdev_cutoff
        self.check_params()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        known = get_args(Operation)
        for operation in self._operations():
            if operation not in known:
                raise InputError(f"unknown operation {operation!r}; choose {', '.join(known)}")
        if not self._operations():
            raise InputError(f"operation is empty; choose {', '.join(known)}")
        for name in ("freq_cut", "unique_cut", "corr_threshold", "na_cutoff"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be within [0, 1], not {getattr(self, name)}")
        for name in ("min_variance", "outlier_cutoff"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be 0 or more, not {getattr(self, name)}")
        methods = get_args(CorrelationMethod)
        if self.corr_method not in methods:
            raise InputError(f"corr_method must be one of {methods}, not {self.corr_method!r}")
        if isinstance(self.blocklist, str):
            raise InputError(f"blocklist takes a list of names: [{self.blocklist!r}]")
        cutoff = self.noise_removal_stdev_cutoff
        if "noise_removal" in self._operations() and (cutoff is None or not cutoff >= 0):
            raise InputError(
                "noise_removal needs noise_removal_stdev_cutoff, a number of 0 or more, not "
                f"{cutoff!r}"
            )

    def _operations(self) -> list[str]:
        if self.operation is None:
            return list(_USUAL)
        return [self.operation] if isinstance(self.operation, str) else list(self.operation)

    @property
    def streams(self) -> bool:
        """Whether it can be fitted to wells that are read in chunks: by most operations."""
        ranks = self.corr_method == "spearman" and "correlation_threshold" in self._operations()
        return set(self._operations()) <= _STREAMED and not ranks

    @property
    def remedy(self) -> str:
        """What to do where no feature is left."""
        return "look at the thresholds of its operations"

    def check_columns(self, sample: AnySample) -> None:
        """Raise unless the wells have the groups of noise_removal."""
        if "noise_removal" in self._operations():
            self._groups(sample)

    def _groups(self, sample: Sample) -> "pd.Series[Any]":
        return well_column(sample, [self.noise_removal_perturb_groups], "group", "noise_removal")

    def chosen(self, sample: Sample) -> NDArray[np.bool_]:
        """Return which features are kept, a mask (d,)."""
        values = ValuesInMemory(sample) if isinstance(sample, RowSample) else FeatureSums(sample)
        kept = np.ones(sample.width, bool)
        for operation in self._operations():
            if kept.any():
                kept[kept] = ~self._dropped(operation, values, kept, sample)
        return kept

    def _dropped(
        self, operation: str, values: FeatureSums, kept: NDArray[np.bool_], sample: Sample
    ) -> NDArray[np.bool_]:
        """Tell which of the kept features an operation drops."""
        if operation == "variance_threshold":
            return values.low_variance(kept, self.min_variance)
        if operation == "correlation_threshold":
            return values.correlated(kept, self.corr_threshold, self.corr_method)
        if operation == "drop_outliers":
            return values.outliers(kept, self.outlier_cutoff)
        if operation == "blocklist":
            return self._blocked(sample)[kept]
        if operation == "drop_na_columns":
            return values.missing(kept, self.na_cutoff)
        assert isinstance(values, ValuesInMemory)  # streams are refused by name before
        if operation == "frequency_threshold":
            return with_repeated_values(
                values.columns(kept), self.freq_cut, self.unique_cut, drops_constant=False
            )
        assert self.noise_removal_stdev_cutoff is not None
        codes = pd.factorize(self._groups(sample))[0]
        return values.deviations(kept, codes) > self.noise_removal_stdev_cutoff

    def _blocked(self, sample: Sample) -> NDArray[np.bool_]:
        if sample.features is None:
            if self.blocklist is not None:
                raise InputError(
                    "blocklist names features, but these have no names; give a DataFrame, or wells "
                    "that were read from columns, or leave blocklist out"
                )
            return np.zeros(sample.width, bool)
        blocked = noisy_features() if self.blocklist is None else frozenset(self.blocklist)
        return np.array([name in blocked for name in sample.features])
