"""The alignments of efaar_benchmarking, by moments of the controls and one pass over the wells."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.efaar.screen_checks import (
    check_key,
    check_labels,
    check_rows,
    check_spread,
)
from wellgram.align.affine import diagonal_maps
from wellgram.align.parallel import in_parallel
from wellgram.align.spectrum import Spectrum, standard_scale
from wellgram.backends import get_backend
from wellgram.backends.protocol import AffineMaps, Codes, Floats, Moments, Rows

_RIDGE = 0.5
"""What tvn_on_controls adds to the covariance of each batch"""
_LEAST_VARIANCE = 1e-9
"""Of the largest: below it the axes of a covariance are too uncertain to promise 1e-5"""
_LEAST_GAP = 1e-10
"""Of the largest: axes whose variances are as near are mixed by rounding, by 1e-5 and more"""
_LEAST_VALUES = 1 << 24
"""With fewer, the decomposition of scikit-learn, which is of the covariance too, is as fast"""
_LEAST_MARGIN = 1e-9
"""A share of the variance so near to what some axes have could be theirs or need one more"""


def of_wells(
    embeddings: Any,
    metadata: Any,
    pert_col: Any,
    control_key: Any,
    batch_col: Any = None,
) -> None:
    """Decline unless all batches have controls, and embeddings are finite floats."""
    check_rows(embeddings, metadata, (pert_col, batch_col))
    check_labels(metadata, batch_col)
    check_key(control_key)
    control = _controls(metadata, pert_col, control_key)
    batches = metadata[batch_col][control] if batch_col is not None else metadata[pert_col][control]
    every = metadata[batch_col].nunique() if batch_col is not None else 1
    if batches.nunique() != every:
        raise Declined("a batch has no controls")


def of_batches(features: Any, metadata: Any, batch_col: Any) -> None:
    """Decline unless features are finite floats, and every row has a batch."""
    check_rows(features, metadata, (batch_col,))
    check_labels(metadata, batch_col)


def of_pca(features: Any, metadata: Any, variance_or_ncomp: Any, batch_col: Any) -> None:
    """Decline unless scikit-learn would take the covariance apart, or rows in full."""
    check_rows(features, metadata, (batch_col,))
    check_labels(metadata, batch_col)
    n, d = features.shape
    check_amount(n * d, _LEAST_VALUES)
    count = variance_or_ncomp
    whole = isinstance(count, int | np.integer) and 0 < count <= min(n, d)
    share = isinstance(count, float) and 0 < count < 1
    if isinstance(count, bool) or not (count is None or whole or share):
        raise Declined(f"{count!r} is no number of components, or share of the variance")
    if d <= 1000 and n >= 10 * d:
        return
    if max(n, d) > 500 and count is not None and 1 <= count < 0.8 * min(n, d):
        raise Declined("the original takes a randomized decomposition, with draws of no seed")
    if n <= d:
        raise Declined("there are no more rows than features")


def _controls(metadata: pd.DataFrame, pert_col: str, control_key: Any) -> NDArray[np.bool_]:
    """Return which rows are controls."""
    control = metadata[pert_col] == control_key
    if control.dtype != bool:
        raise Declined("a label may be missing in a way of pandas' own")
    return np.asarray(control)


def by_controls(
    embeddings: Rows,
    metadata: pd.DataFrame,
    pert_col: str,
    control_key: str,
    batch_col: str | None = None,
) -> Rows:
    """Standardise each batch by its controls."""
    control = _controls(metadata, pert_col, control_key)
    return _standardized(embeddings, _codes(metadata, batch_col, len(embeddings)), control)


def by_batch(
    features: Rows, metadata: pd.DataFrame | None = None, batch_col: str | None = None
) -> Rows:
    """Standardise each batch."""
    codes = _codes(metadata, batch_col, len(features))
    return _standardized(features, codes, np.ones(len(features), bool))


def rotated(
    embeddings: Rows,
    metadata: pd.DataFrame,
    pert_col: str,
    control_key: str,
    batch_col: str | None = None,
) -> Rows:
    """Rotate to the axes of all controls, then standardise each batch by its controls."""
    control = _controls(metadata, pert_col, control_key)
    pooled = _moments(embeddings[control])
    check_spread(pooled.squares() / pooled.count, pooled.mean, embeddings)
    _, axes = _axes(pooled, embeddings)
    codes = _codes(metadata, batch_col, len(embeddings))
    groups = int(codes.max()) + 1
    moments = get_backend().group_moments(embeddings[control], codes[control], groups)
    offset, scale = [], []
    for g in range(groups):
        group = moments[g]
        middle = (group.mean - pooled.mean) @ axes
        spread = np.einsum("dk,dk->k", axes, group.scatter() @ axes) / group.count
        offset.append(middle)
        scale.append(standard_scale(spread, middle, group.count))
    maps = AffineMaps(
        pooled.mean,
        axes,
        np.array(offset),
        np.array(scale),
        (np.empty((axes.shape[1], 0)),) * groups,
        (np.empty(0),) * groups,
    )
    return get_backend().apply_affine(embeddings, codes, maps)


def tvn(
    embeddings: Rows,
    metadata: pd.DataFrame,
    pert_col: str,
    control_key: str,
    batch_col: str | None = None,
) -> Rows:
    """Make all controls white; then multiply each batch by the inverse root of its covariance."""
    control = _controls(metadata, pert_col, control_key)
    codes = _codes(metadata, batch_col, len(embeddings))
    groups = int(codes.max()) + 1
    moments = get_backend().group_moments(embeddings[control], codes[control], groups)
    if batch_col is not None and moments.counts.min() < 2:
        raise Declined("a batch has one control")
    pooled = moments.pooled()
    spread = pooled.squares() / pooled.count
    check_spread(spread, pooled.mean, embeddings)
    scale = standard_scale(spread, pooled.mean, pooled.count)
    variances, axes = _axes(pooled, embeddings, scale)
    shift, basis = pooled.mean, scale[:, None] * axes / np.sqrt(variances)
    k = basis.shape[1]
    if batch_col is None:
        owns = [(1.0, np.empty((k, 0)), np.empty(0))]
    else:
        owns = in_parallel(lambda group: _ridged(group, shift, basis), moments.spent())
    maps = AffineMaps(
        shift,
        basis,
        np.zeros((groups, k)),
        np.repeat([[own[0]] for own in owns], k, axis=1),
        tuple(own[1] for own in owns),
        tuple(own[2] for own in owns),
    )
    return get_backend().apply_affine(embeddings, codes, maps)


def _ridged(group: Moments, shift: Floats, basis: Floats) -> tuple[float, Floats, Floats]:
    """Return the inverse root of a batch's covariance plus a ridge: scale, axes and gains."""
    white = group.mapped((group.mean - shift) @ basis, lambda rows: rows @ basis)
    spectrum = Spectrum.of(white)
    scale, gains = spectrum.inverse_root(_RIDGE)
    return scale, spectrum.axes, gains


def embed(
    features: Rows,
    metadata: pd.DataFrame | None = None,
    variance_or_ncomp: float | None = 128,
    batch_col: str | None = None,
) -> Rows:
    """Standardise each batch, and rotate all wells to their first principal axes."""
    scaled = by_batch(features, metadata, batch_col)
    pooled = _moments(scaled)
    # Few axes of large variance are certain however little the last ones vary.
    covariance = pooled.scatter() / (pooled.count - 1)
    if not np.isfinite(covariance).all():
        raise Declined("the covariance is not finite")
    variances, axes = np.linalg.eigh(covariance)
    variances, axes = np.maximum(variances[::-1], 0), axes[:, ::-1]
    count = _component_count(variances, variance_or_ncomp)
    if not variances[count - 1] > _LEAST_VARIANCE * variances[0]:
        raise Declined("the last component hardly varies")
    _check_gaps(variances[: count + 1], scaled)
    kept = _turned(axes[:, :count])
    none = (np.empty((count, 0)),)
    maps = AffineMaps(
        pooled.mean, kept, np.zeros((1, count)), np.ones((1, count)), none, (np.empty(0),)
    )
    return get_backend().apply_affine(scaled, np.zeros(len(scaled), np.int64), maps)


def _component_count(variances: Floats, wanted: float | None) -> int:
    """Return how many axes are kept: all, a number, or those that have a share of the variance."""
    if wanted is None:
        return len(variances)
    if wanted >= 1:
        return int(wanted)
    shares = np.cumsum(variances / variances.sum())
    if np.abs(shares - wanted).min() < _LEAST_MARGIN:
        raise Declined("the share of the variance is that of some components but for rounding")
    return int(np.searchsorted(shares, wanted, side="right")) + 1


def _codes(metadata: pd.DataFrame | None, batch_col: str | None, rows: int) -> Codes:
    if batch_col is None:
        return np.zeros(rows, np.int64)
    if metadata is None:
        raise Declined("there is no metadata")
    return pd.factorize(metadata[batch_col])[0].astype(np.int64)


def _standardized(rows: Rows, codes: Codes, fitted: NDArray[np.bool_]) -> Rows:
    """Return the rows of each batch standardised by some of them."""
    run = get_backend()
    groups = int(codes.max()) + 1
    chosen = (rows, codes) if fitted.all() else (rows[fitted], codes[fitted])
    moments = run.group_moments(*chosen, groups, "variances")
    scale = []
    for group in (moments[g] for g in range(groups)):
        spread = group.squares() / group.count
        check_spread(spread, group.mean, rows)
        scale.append(standard_scale(spread, group.mean, group.count))
    maps = diagonal_maps(np.zeros(rows.shape[1]), moments.means, np.array(scale))
    return run.apply_affine(rows, codes, maps)


def _moments(rows: Rows) -> Moments:
    run = get_backend()
    return run.group_moments(rows, np.zeros(len(rows), np.int64), 1)[0]


def _axes(pooled: Moments, rows: Rows, scale: Floats | float = 1.0) -> tuple[Floats, Floats]:
    """Return variances and axes of controls whose features were scaled, as scikit-learn has them.

    Descending, and each axis turned so that its largest part is positive.
    """
    factor = np.broadcast_to(np.asarray(scale, np.float64), pooled.mean.shape)
    variances, axes = np.linalg.eigh(pooled.scatter() / pooled.count * np.outer(factor, factor))
    if not variances[0] > _LEAST_VARIANCE * variances[-1]:
        raise Declined("the controls hardly vary along some axis, or are fewer than the features")
    _check_gaps(variances[::-1], rows)
    return variances[::-1], _turned(axes[:, ::-1])


def _check_gaps(variances: Floats, rows: Rows) -> None:
    """Decline if axes of float64 are mixed by rounding; in float32 the original's own are."""
    gaps = -np.diff(variances)
    if rows.dtype == np.float64 and (gaps < _LEAST_GAP * variances[0]).any():
        raise Declined("axes vary alike, and rounding mixes them")


def _turned(axes: Floats) -> Floats:
    from sklearn import __version__

    if tuple(map(int, __version__.split(".")[:2])) < (1, 5):
        raise Declined("before scikit-learn 1.5, axes were turned by another rule")
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.where(largest < 0, -axes, axes)
