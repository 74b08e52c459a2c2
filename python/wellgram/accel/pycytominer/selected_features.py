"""Selection of features of pycytominer: the same columns remain."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.columns_of_features import (
    feature_columns,
    profile_features,
    with_columns,
)
from wellgram.accel.pycytominer.given_profiles import chosen_samples, loaded_table
from wellgram.accel.pycytominer.profile_tables import written
from wellgram.accel.pycytominer.pycytominer_releases import installed_release
from wellgram.backends.protocol import Floats
from wellgram.feature_rules.feature_correlations import CorrelationMethod, correlated_features
from wellgram.feature_rules.repeated_values import with_repeated_values
from wellgram.feature_rules.undecided import Undecided
from wellgram.feature_rules.value_ranges import (
    with_low_variance,
    with_missing_values,
    with_outliers,
)


def feature_select(
    profiles: Any,
    features: Any = "infer",
    image_features: bool = False,
    samples: Any = "all",
    operation: Any = "variance_threshold",
    output_file: Any = None,
    output_type: Any = "csv",
    na_cutoff: float = 0.05,
    corr_threshold: float = 0.9,
    corr_method: str = "pearson",
    freq_cut: float = 0.05,
    unique_cut: float = 0.01,
    compression_options: Any = None,
    float_format: Any = None,
    blocklist: Any = None,
    blocklist_name: Any = None,
    blocklist_file: Any = None,
    outlier_cutoff: float = 500.0,
    noise_removal_perturb_groups: Any = None,
    noise_removal_stdev_cutoff: Any = None,
    min_variance: float = 1e-6,
) -> Any:
    """Return the profiles without the features that the operations drop, one after another."""
    from pycytominer.cyto_utils import get_blocklist_features
    from pycytominer.operations import noise_removal

    if blocklist_file is not None:
        raise Declined("a file of features to block is deprecated, and warned of")
    operations = [operation] if isinstance(operation, str) else operation
    if not isinstance(operations, list):
        raise Declined("operations are no list")
    profiles = loaded_table(profiles)
    sampled = _Sampled(profiles, samples)
    release = installed_release()

    def low_variance(names: list[str]) -> list[str]:
        if not isinstance(min_variance, float | int) or not min_variance >= 0:
            raise Declined("the least variance is no number from 0")
        low = with_low_variance(sampled.columns(names), min_variance)
        if low.all():
            raise Declined("no feature varies enough")
        return _those(names, low)

    def repeated(names: list[str]) -> list[str]:
        _check_share(freq_cut)
        _check_share(unique_cut)
        columns = sampled.columns(names)
        constant = not release.has_frequency_threshold
        few = with_repeated_values(columns, freq_cut, unique_cut, drops_constant=constant)
        return _those(names, few)

    def missing(names: list[str]) -> list[str]:
        _check_share(na_cutoff)
        return _those(names, with_missing_values(sampled.columns(names), na_cutoff))

    def outliers(names: list[str]) -> list[str]:
        columns = sampled.columns(names)
        if not isinstance(outlier_cutoff, float | int) or (
            columns.dtype.type(outlier_cutoff) != outlier_cutoff
        ):
            raise Declined("the cutoff of outliers is no number, or none of the type of features")
        return _those(names, with_outliers(columns, outlier_cutoff))

    rules: dict[str, Callable[[list[str]], list[str]]] = {
        "variance_threshold": low_variance,
        "frequency_threshold": repeated,
        "correlation_threshold": lambda names: _correlated(
            sampled.table(names), corr_threshold, corr_method
        ),
        "drop_na_columns": missing,
        "drop_outliers": outliers,
        # These two are theirs: they take the time of a list, and of grouped deviations.
        "blocklist": lambda names: _theirs(
            get_blocklist_features,
            population_df=profiles,
            blocklist=blocklist,
            blocklist_name=blocklist_name,
        ),
        "noise_removal": lambda names: _theirs(
            noise_removal,
            population_df=profiles,
            features=names,
            samples=samples,
            noise_removal_perturb_groups=noise_removal_perturb_groups,
            noise_removal_stdev_cutoff=noise_removal_stdev_cutoff,
        ),
    }
    if not release.has_frequency_threshold:
        rules["variance_threshold"] = rules.pop("frequency_threshold")
    if not all(isinstance(name, str) and name in rules for name in operations):
        raise Declined(f"an operation of {operations} is not known")
    names = profile_features(profiles, features, image_features=image_features)
    dropped: set[str] = set()
    for name in operations:
        if not names:
            raise Declined("no feature is left for an operation")
        try:
            dropped.update(rules[name](names))
        except Undecided as reason:
            raise Declined(str(reason)) from None
        names = [feature for feature in names if feature not in dropped]
    table = profiles.drop(list(dropped), axis="columns")
    return written(table, output_file, output_type, compression_options, float_format)


class _Sampled:
    """The profiles that operations look at, and the features of these as a matrix."""

    def __init__(self, profiles: pd.DataFrame, samples: Any):
        self._profiles = profiles
        self._samples = samples
        self._names: list[str] = []
        self._columns: Floats | None = None

    @cached_property
    def _chosen(self) -> NDArray[np.bool_] | None:
        return chosen_samples(self._profiles, self._samples)

    def table(self, names: list[str]) -> pd.DataFrame:
        """Return the features of the profiles that the query chooses."""
        table = with_columns(self._profiles, names)
        return table if self._chosen is None else table.loc[self._chosen]

    def columns(self, names: list[str]) -> Floats:
        """Return a row for each of the features; those of the last call hold the later ones."""
        if self._columns is None:
            self._columns = feature_columns(self.table(names))
        elif names != self._names:
            place = {name: k for k, name in enumerate(self._names)}
            self._columns = self._columns[[place[name] for name in names]]
        self._names = names
        return self._columns


def _check_share(cutoff: Any) -> None:
    """Decline what is no share."""
    if not isinstance(cutoff, float | int) or not 0 <= cutoff <= 1:
        raise Declined("a share is no number from 0 to 1")


def _correlated(table: pd.DataFrame, threshold: Any, method: Any) -> list[str]:
    """Return the names of features that correlate with others."""
    if not isinstance(threshold, float | int) or not 0 <= threshold <= 1:
        raise Declined("the threshold of correlations is no number from 0 to 1")
    if len(table.columns) < 2 or len(table) < 2 or table.columns.name is not None:
        raise Declined("there are fewer than two features or profiles, or columns have a name")
    methods: dict[str, CorrelationMethod] = {"pearson": "pearson", "spearman": "spearman"}
    kind = methods.get(method.lower()) if isinstance(method, str) else None
    if kind is None:
        raise Declined(f"correlation {method!r} is not supported")
    dropped = correlated_features(table, feature_columns(table), threshold, kind)
    return _those(list(table.columns), dropped)


def _those(names: list[str], chosen: Any) -> list[str]:
    """Return the names that are chosen."""
    return [name for name, taken in zip(names, chosen, strict=True) if taken]


def _theirs(function: Callable[..., list[str]], **options: Any) -> list[str]:
    """Return what a function of theirs does, or decline where it raises."""
    try:
        return function(**options)
    except Exception as error:
        raise Declined(f"{function.__name__} raises {type(error).__name__}") from None
