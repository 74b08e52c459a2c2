"""Normalisation of pycytominer, on matrices instead of tables."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.columns_of_features import (
    feature_columns,
    feature_names,
    profile_features,
    with_columns,
)
from wellgram.accel.pycytominer.feature_scaling import (
    Scaling,
    by_deviation,
    by_median_deviation,
    by_quartiles,
    scaled_features,
)
from wellgram.accel.pycytominer.given_profiles import chosen_samples, loaded_table
from wellgram.accel.pycytominer.inverse_normal_scores import normal_scores
from wellgram.accel.pycytominer.profile_sphering import checked_sphering, sphered_profiles
from wellgram.accel.pycytominer.profile_tables import written
from wellgram.accel.pycytominer.pycytominer_releases import installed_release
from wellgram.backends.protocol import Floats

_NARROW = np.dtype(np.float32)
_Normalized = Callable[[pd.DataFrame, NDArray[np.bool_] | None], Floats]
"""Takes a table of features, and which profiles are samples; returns the normalised rows"""


def normalize(
    profiles: Any,
    features: Any = "infer",
    image_features: bool = False,
    meta_features: Any = "infer",
    samples: str = "all",
    method: str = "standardize",
    drop_cosmicqc_rows: bool = False,
    output_file: Any = None,
    output_type: Any = "csv",
    compression_options: Any = None,
    float_format: Any = None,
    mad_robustize_epsilon: float | None = 1e-18,
    spherize_center: bool = True,
    spherize_method: str = "ZCA-cor",
    spherize_epsilon: float = 1e-6,
    inverse_normal_n_quantiles: int = 1000,
) -> Any:
    """Return the profiles with their features normalised by all of them, or by some samples."""
    kind = method.lower() if isinstance(method, str) else None
    if kind == "spherize":
        rule = _sphering(spherize_method, spherize_center, spherize_epsilon)
    elif kind == "inverse_normal" and installed_release().has_inverse_normal:
        rule = _scoring(inverse_normal_n_quantiles)
    else:
        rule = _scaling(kind, mad_robustize_epsilon)
    if drop_cosmicqc_rows:
        raise Declined("rows are to be dropped")
    profiles = loaded_table(profiles)
    names = profile_features(profiles, features, image_features=image_features)
    if isinstance(meta_features, str) and meta_features == "infer":
        meta_features = [name for name in profiles.columns.tolist() if name.startswith("Metadata_")]
    labels = feature_names(meta_features, names)
    described = with_columns(profiles, labels)
    table = with_columns(profiles, names)
    taken = {*names, *labels}
    images = [
        name
        for name in profiles.columns.tolist()
        if name.startswith(("Image_", "ome_arrow_")) and name not in taken
    ]
    rows = rule(table, chosen_samples(profiles, samples))
    columns = table.columns
    if kind == "spherize" and spherize_method.startswith("PCA"):
        columns = pd.Index([f"PC{k}" for k in range(1, len(names) + 1)])
    normalized = pd.DataFrame(rows, columns=columns, index=table.index, copy=False)
    result = pd.concat([described, profiles[images], normalized], axis="columns")
    return written(result, output_file, output_type, compression_options, float_format)


def _scaling(kind: str | None, epsilon: Any) -> _Normalized:
    """Return how features are scaled one by one, or decline."""
    known: dict[str | None, Callable[[Floats], Scaling]] = {
        "standardize": by_deviation,
        "robustize": by_quartiles,
    }
    if kind == "mad_robustize" and isinstance(epsilon, float | int) and epsilon >= 0:
        known[kind] = by_median_deviation(float(epsilon))
    if kind not in known:
        raise Declined(f"method {kind!r} is not supported, or not with these options")

    def scaled(table: pd.DataFrame, chosen: NDArray[np.bool_] | None) -> Floats:
        if kind == "mad_robustize" and _NARROW in (kinds := {*table.dtypes}) and len(kinds) > 1:
            raise Declined("some features are float32")  # and stay so: pandas keeps each type
        return scaled_features(feature_columns(table), chosen, known[kind]).T

    return scaled


def _scoring(quantiles: Any) -> _Normalized:
    """Return how features become normal scores."""
    return lambda table, chosen: normal_scores(table, feature_columns(table), chosen, quantiles).T


def _sphering(method: Any, centers: Any, epsilon: Any) -> _Normalized:
    """Return how profiles are sphered, or decline."""
    of_scaled = installed_release().spheres_scaled
    sphering = checked_sphering(method, centers, epsilon, of_scaled=of_scaled)
    return lambda table, chosen: sphered_profiles(feature_columns(table), chosen, sphering)
