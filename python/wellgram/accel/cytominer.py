"""Aggregation, consensus and normalisation of pycytominer, on matrices instead of tables."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.align.spectrum import standard_scale
from wellgram.backends import get_backend
from wellgram.backends.protocol import Floats

_EDGE = 1e-12
"""Of weights: theirs and ours differ by less, as both are sums of a few float64"""
_NORMAL = 1.4826
"""By which pycytominer multiplies a median absolute deviation"""


def of_profiles(
    population_df: Any,
    strata: Any,
    features: Any,
    image_features: Any,
    operation: Any,
    compute_object_count: Any,
    subset_data_df: Any,
    **options: Any,
) -> None:
    """Decline counts of objects and subsets, and strata that are no columns."""
    if compute_object_count or subset_data_df is not None:
        raise Declined("objects are to be counted, or a subset to be taken")
    _grouped(population_df, strata)


def aggregate(
    population_df: pd.DataFrame,
    strata: Any,
    features: Any = "infer",
    image_features: bool = False,
    operation: str = "median",
    output_file: Any = None,
    output_type: Any = "csv",
    compute_object_count: bool = False,
    object_feature: str = "Metadata_ObjectNumber",
    subset_data_df: Any = None,
    compression_options: Any = None,
    float_format: Any = None,
) -> Any:
    """Return the mean or median of the features of each stratum."""
    from pycytominer.cyto_utils import check_aggregate_operation, infer_cp_features

    operation = check_aggregate_operation(operation)
    if isinstance(features, str) and features == "infer":
        features = infer_cp_features(population_df, image_features=image_features)
    names = _names(features, strata)
    table = _strata_means(population_df, strata, names, operation)
    table = table.drop(columns=[c for c in ("ImageNumber", "ObjectNumber") if c in table])
    return _written(table, output_file, output_type, compression_options, float_format)


def _strata_means(
    table: pd.DataFrame, strata: list[str], names: list[str], operation: str
) -> pd.DataFrame:
    grouped = _grouped(table, strata)
    rows = _matrix(table, names, narrow=True)
    code, keys = grouped.ngroup().to_numpy(np.int64), _keys(grouped, strata)
    run = get_backend()
    if operation == "median":
        found = run.group_medians(rows, code, len(keys))
    else:
        sums, counts = run.group_sums(rows, code, len(keys))
        found = sums / counts[:, None]
    return pd.concat([keys, pd.DataFrame(found, columns=names)], axis="columns")


def consensus(
    profiles: Any,
    replicate_columns: Any,
    operation: str = "median",
    features: Any = "infer",
    output_file: Any = None,
    output_type: Any = "csv",
    compression_options: Any = None,
    float_format: Any = None,
    modz_args: Any = None,
) -> Any:
    """Return the mean, the median, or the weighted mean of the replicates of each stratum."""
    from pycytominer.cyto_utils import (
        check_consensus_operation,
        infer_cp_features,
        load_profiles,
    )

    operation = check_consensus_operation(operation)
    profiles = load_profiles(profiles)
    _grouped(profiles, replicate_columns)
    if isinstance(features, str) and features == "infer":
        features = infer_cp_features(profiles)
    names = _names(features, replicate_columns)
    if operation == "modz":
        table = _modz(profiles, replicate_columns, names, modz_args or {})
    else:
        table = _strata_means(profiles, replicate_columns, names, operation)
        table = table.drop(columns=[c for c in ("ImageNumber", "ObjectNumber") if c in table])
    return _written(table, output_file, output_type, compression_options, float_format)


def _modz(
    profiles: pd.DataFrame, strata: list[str], names: list[str], options: dict[str, Any]
) -> pd.DataFrame:
    """Return means weighted by how well each replicate correlates with the others."""
    from pycytominer.cyto_utils.modz import modz_base

    method = str(options.get("method", "spearman")).lower()
    least, digits = float(options.get("min_weight", 0.01)), int(options.get("precision", 4))
    if method not in ("spearman", "pearson"):
        raise Declined(f"correlation {method!r} is not supported")
    grouped = _grouped(profiles, strata)
    rows = _matrix(profiles, names)
    code, keys = grouped.ngroup().to_numpy(np.int64), _keys(grouped, strata)
    ranks = _ranked(rows) if method == "spearman" else rows
    if len(names) < 2 or (np.ptp(ranks, axis=1) == 0).any():
        raise Declined("a profile is the same in all features, and correlates with none")
    unit, _ = get_backend().unit_rows(ranks - ranks.mean(axis=1, keepdims=True))
    order = np.argsort(code, kind="stable")
    found = np.empty((len(keys), len(names)))
    for g, own in enumerate(np.split(order, np.cumsum(np.bincount(code))[:-1])):
        if len(own) == 1:
            found[g] = rows[own[0]]
            continue
        correlation = (unit[own] @ unit[own].T).clip(min=0)
        np.fill_diagonal(correlation, 0)
        weights = np.maximum(correlation.sum(axis=1) / (len(own) - 1), least)
        total = weights.sum()
        weights = np.full(len(own), 1 / len(own)) if total == 0 else weights / total
        edges = np.abs(weights * 10.0**digits % 1 - 0.5)
        if (edges < _EDGE * 10.0**digits).any():  # rounding could turn either way: as theirs does
            some = profiles.iloc[own][names]
            found[g] = modz_base(some, method=method, min_weight=least, precision=digits)
        else:
            found[g] = weights.round(digits) @ rows[own]
    return pd.concat([keys, pd.DataFrame(found, columns=names)], axis="columns")


def _ranked(rows: Floats) -> Floats:
    """Return the rank of each value in its row; equal values share the mean of theirs."""
    order = rows.argsort(axis=1)
    in_order = np.take_along_axis(rows, order, axis=1)
    if (in_order[:, 1:] == in_order[:, :-1]).any():
        from scipy.stats import rankdata

        return np.asarray(rankdata(rows, axis=1))
    np.put_along_axis(in_order, order, np.arange(rows.shape[1])[None, :], axis=1)
    return in_order


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
    names, labels = _names(features, ()), _names(meta_features, ())
    if not profiles.columns.is_unique or set(names) & set(labels):
        raise Declined("a column is there twice, or is a feature and a label")
    rows = _matrix(profiles, names)
    chosen = rows if samples == "all" else _matrix(profiles.query(samples), names)
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
    return _written(table, output_file, output_type, compression_options, float_format)


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


def _grouped(table: Any, strata: Any) -> Any:
    """Return the strata of a table, which are columns of their own."""
    if not isinstance(table, pd.DataFrame) or not table.columns.is_unique or not len(table):
        raise Declined("profiles are no table, or a column is there twice")
    if not isinstance(strata, list) or not strata or not set(strata) <= set(table.columns):
        raise Declined("strata are no list of columns")
    if len(set(strata)) < len(strata) or any(
        isinstance(table[name].dtype, pd.CategoricalDtype) for name in strata
    ):
        raise Declined("a stratum is there twice, or categorical")
    return table[strata].groupby(strata, dropna=False)


def _keys(grouped: Any, strata: list[str]) -> pd.DataFrame:
    keys: pd.DataFrame = grouped.size().reset_index()[strata]
    return keys


def _names(features: Any, strata: Any) -> list[str]:
    if not isinstance(features, list) or not all(isinstance(name, str) for name in features):
        raise Declined("features are no list of names")
    if len(set(features)) < len(features) or set(features) & set(strata):
        raise Declined("a feature is there twice, or is a stratum")
    return features


def _matrix(table: pd.DataFrame, names: list[str], *, narrow: bool = False) -> Floats:
    """Return features as finite float64 rows, or decline; narrow numbers too where asked for."""
    if not names or not set(names) <= set(table.columns) or not len(table):
        raise Declined("there are no features, or no rows")
    if not all(_is_number(kind, narrow) for kind in table[names].dtypes):
        raise Declined("a feature is no plain number")
    rows = np.array(table[names].to_numpy(np.float64), order="C")  # of our own, to be overwritten
    bad, _ = get_backend().row_faults(rows)
    if bad.any():
        raise Declined("a value is missing or infinite")
    return rows


def _is_number(kind: Any, narrow: bool) -> bool:
    # What pandas computes of float32 it keeps in float32.
    return isinstance(kind, np.dtype) and kind.kind in "iuf" and (narrow or kind.itemsize == 8)


def _written(table: pd.DataFrame, file: Any, kind: Any, compression: Any, float_format: Any) -> Any:
    """Return the table, or the name of the file that it was written to."""
    from pycytominer.cyto_utils import output

    if file is None:
        return table
    return output(
        df=table,
        output_filename=file,
        output_type=kind,
        compression_options=compression,
        float_format=float_format,
    )
