"""Normalisation of pycytominer, on matrices instead of tables."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.accel.pycytominer.feature_columns import feature_names
from wellgram.accel.pycytominer.profile_tables import finite_rows, written
from wellgram.align.spectrum import standard_scale
from wellgram.backends import get_backend
from wellgram.backends.protocol import Floats

_NORMAL = 1.4826
"""By which pycytominer multiplies a median absolute deviation"""


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
    from pycytominer.cyto_utils.features import infer_cp_features
    from pycytominer.cyto_utils.load import load_profiles

    scaled = _scaling(
        *(method, mad_robustize_epsilon, spherize_center, spherize_method, spherize_epsilon)
    )
    if drop_cosmicqc_rows or not isinstance(samples, str):
        raise Declined("rows are to be dropped, or samples are no query")
    profiles = load_profiles(profiles)
    if isinstance(features, str) and features == "infer":
        features = infer_cp_features(profiles, image_features=image_features)
    if isinstance(meta_features, str) and meta_features == "infer":
        meta_features = infer_cp_features(profiles, metadata=True)
    names, labels = feature_names(features, ()), feature_names(meta_features, ())
    if not profiles.columns.is_unique or set(names) & set(labels):
        raise Declined("a column is there twice, or is a feature and a label")
    rows = finite_rows(profiles, names)
    chosen = rows if samples == "all" else finite_rows(profiles.query(samples), names)
    if len(chosen) < 2:
        raise Declined("there are fewer than two samples")
    images = [
        column
        for column in profiles.columns
        if column not in {*names, *labels} and str(column).startswith(("Image_", "ome_arrow_"))
    ]
    moved = pd.DataFrame(scaled(chosen, rows), columns=names, index=profiles.index)
    parts = [profiles.loc[:, labels], profiles.loc[:, images], moved]
    table = pd.concat(parts, axis="columns")
    return written(table, output_file, output_type, compression_options, float_format)


def _scaling(
    method: Any, epsilon: Any, center: Any, sphering: Any, ridge: Any
) -> Callable[[Floats, Floats], Floats]:
    """Return what makes of samples and rows the normalised rows, or decline.

    The rows are overwritten; the samples may be the rows.
    """
    known = {"standardize": _standardized, "robustize": _by_quartiles}
    kind = method.lower() if isinstance(method, str) else None
    if kind in known:
        return known[kind]
    if kind == "mad_robustize" and isinstance(epsilon, float):
        return lambda some, rows: _by_deviations(some, rows, epsilon)
    if kind == "spherize" and center is True and sphering in ("ZCA", "ZCA-cor"):
        turned_back = sphering == "ZCA-cor"
        return lambda some, rows: _sphered(some, rows, float(ridge), correlated=turned_back)
    # The axes of PCA could point either way, as LAPACK has it.
    raise Declined(f"method {method!r} is not supported, or not with these options")


def _standardized(some: Floats, rows: Floats) -> Floats:
    mean, scale = _moments(some)
    rows -= mean
    rows *= scale
    return rows


def _moments(some: Floats) -> tuple[Floats, Floats]:
    """Return the means, and what to multiply with for a standard deviation of 1."""
    group = get_backend().group_moments(some, np.zeros(len(some), np.int64), 1, "variances")[0]
    return group.mean, standard_scale(group.squares() / group.count, group.mean, group.count)


def _by_quartiles(some: Floats, rows: Floats) -> Floats:
    low, high = np.percentile(some, (25.0, 75.0), axis=0)
    width = high - low
    # As scikit-learn has it: what does not vary but for rounding is not scaled.
    width[width < 10 * np.finfo(np.float64).eps] = 1
    rows -= _medians(some)
    rows /= width
    return rows


def _by_deviations(some: Floats, rows: Floats, epsilon: float) -> Floats:
    middle = _medians(some)
    deviation = _medians(np.abs(some - middle)) * _NORMAL
    rows -= middle
    with np.errstate(divide="ignore", invalid="ignore"):  # where the epsilon asked for is 0
        rows /= deviation + epsilon
    return rows


def _medians(some: Floats) -> Floats:
    return np.asarray(get_backend().group_medians(some, np.zeros(len(some), np.int64), 1)[0])


def _sphered(some: Floats, rows: Floats, ridge: float, *, correlated: bool) -> Floats:
    """Return rows whitened by the samples, turned back to where they were.

    The singular values of centred samples follow from those of R of a QR decomposition, as exact
    as their own; directions that the samples do not span get the least value there is.
    """
    mean, scale = _moments(some)
    centred = some - mean
    if correlated:
        if (np.square(centred).sum(axis=0) == 0).any():
            raise Declined("a feature does not vary")
        centred *= scale
    n, d = centred.shape
    small = np.linalg.qr(centred, mode="r") if n > d else centred
    _, values, axes = np.linalg.svd(small, full_matrices=False)
    rank = int((values > values.max() * max(n, d) * np.finfo(np.float64).eps).sum())
    if rank not in (d, n - 1):
        raise Declined("the samples are not of full rank")
    kept, axes = values[:rank], axes[:rank]
    rest = 1 / (kept[-1] + ridge)
    gains = (1 / (kept + ridge) - rest) * np.sqrt(n - 1)
    rows -= mean
    if correlated:
        rows *= scale
    turned = rows @ ((axes.T * gains) @ axes) if 2 * rank > d else ((rows @ axes.T) * gains) @ axes
    rows *= rest * np.sqrt(n - 1)
    rows += turned
    return rows
