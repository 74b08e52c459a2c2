"""From wells to perturbations: means and medians of aligned embeddings.

A mean commutes with an affine map, so for means no aligned well is ever made: raw sums per
(perturbation, batch), in one pass, then the maps on those few rows (`CellSums`). Spherical means
and medians do not commute: wells are aligned a chunk at a time, medians by whole perturbations.
"""

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align import (
    Alignment,
    BatchAffine,
    affine_of,
    aligned,
    fit_if_needed,
    needs_fit,
    pooled_batches,
)
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.moments import lengths
from wellgram.backends.protocol import Codes, Floats, Progress, Rows
from wellgram.distributed import Client, takes_client
from wellgram.errors import InputError
from wellgram.input_kinds import check_wells
from wellgram.maps.cell_sums import CellSums
from wellgram.wells import KEYS, PerturbationMap, WellLabels

Aggregation = Literal["mean", "median", "spherical-mean"]
MapDtype = Literal["float32", "float64"]

_CHUNK_WELLS = 1 << 16
"""How many wells in memory are aligned at a time for medians"""
_STREAM_BYTES = 1 << 30
"""How large the wells are whose medians are taken in one pass over a stream, and aligned"""
_CELL_BYTES = 1 << 30
"""How large raw sums may be; a map that needs more is made of aligned wells, by chunks"""


@takes_client
@takes_backend
def build_map(
    wells: WellLabels,
    align: Alignment | BatchAffine | None = None,
    *,
    aggregate: Aggregation = "mean",
    dtype: MapDtype = "float32",
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> PerturbationMap:
    """Align and aggregate wells into a map.

    Wells of one perturbation (and type and dose, where the screen has them) become one row; wells
    that are not ``in_map`` serve the alignment only.

    Parameters
    ----------
    wells
        The wells (n, d), in memory or as a stream. A stream is read once where means are wanted and
        the alignment follows from moments (all but `RobustMAD`), else once more; for medians as
        often as its wells fill a gigabyte. Its embeddings are never held all together.
    align
        An alignment, fitted to these wells unless it has been fitted before, or the maps of one.
        None: raw.
    aggregate
        "mean", "median" or "spherical-mean" (the direction of the mean of wells of length 1), over
        all wells of a perturbation, each well counted once.
    dtype
        The type of the map's embeddings. Sums are float64 in any case.
    backend
        See `wellgram.set_backend`.
    progress
        Called now and then with the share of a stream that was read, from 0 again for each pass.
    client
        A ``distributed.Client``, whose workers read a stream of parquet files: see
        `wellgram.distributed.using`.

    Returns
    -------
    PerturbationMap
        (p, k), ordered by type, perturbation and dose. A row whose mean is zero but for rounding
        is left out and named in ``provenance["without_direction"]``: such is the row of the
        controls themselves after an alignment that centres every batch on them. Batches that had
        too few controls, where the alignment allows it (``few_controls="pooled"``), are named in
        ``provenance["aligned_by_pooled_map"]``.

    Raises
    ------
    InputError
        If no well is in the map, no perturbation has a direction, or the alignment cannot be
        fitted.
    """
    check_wells(wells)
    if aggregate not in get_args(Aggregation):
        raise InputError(
            f"unknown aggregation {aggregate!r}; choose {' or '.join(get_args(Aggregation))}"
        )
    if dtype not in get_args(MapDtype):
        raise InputError(f"unknown dtype {dtype!r}; choose float32 or float64")
    codes, labels = map_rows(wells)
    if progress is not None:
        wells = wells.reported(progress)
    embeddings = _reduced(wells, align, codes, len(labels), aggregate)
    kept = _with_direction(embeddings)
    provenance: dict[str, Any] = {
        "align": "none" if align is None else getattr(align, "name", "as fitted before"),
        "aggregate": aggregate,
        "dtype": dtype,
        "n_wells": len(wells),
        "without_direction": labels["perturbation"][~kept].tolist(),
    }
    if by_pooled := pooled_batches(align):
        provenance["aligned_by_pooled_map"] = by_pooled
    labels = labels[kept].reset_index(drop=True)
    return PerturbationMap(_in_type(embeddings[kept], labels, dtype), labels, provenance)


def _reduced(
    wells: WellLabels,
    align: Alignment | BatchAffine | None,
    codes: Codes,
    groups: int,
    aggregate: Aggregation,
) -> Floats:
    """Return the embeddings (p, k) of the map's rows."""
    affine = affine_of(align)
    if affine is not None:
        affine.codes(wells)  # raises, before any well is read, for batches it does not know
    by_batch = needs_fit(align) or (affine is not None and affine.batches is not None)
    sums = CellSums(wells, codes, by_batch)
    pushes_down = aggregate == "mean" and sums.size <= _CELL_BYTES
    fit_if_needed(align, sums.watched(wells) if pushes_down else wells)
    affine = affine_of(align)
    if align is not None and affine is None:
        wells = aligned(wells, align)
        sums = CellSums(wells, codes, False)
    if aggregate == "median":
        return _medians(wells, affine, codes, groups)
    if not pushes_down:
        return _in_one_pass(wells, affine, codes, groups, aggregate == "spherical-mean")
    sums.complete(wells)
    return sums.means(affine, groups)


def _with_direction(embeddings: Floats) -> NDArray[np.bool_]:
    """Return which rows are more than the rounding error of a mean that is zero.

    Rounding leaves about 1e-14 of the typical length, a perturbation that does anything over 1e-3;
    the line is drawn between.
    """
    sizes = lengths(embeddings)
    finite = sizes[np.isfinite(sizes)]
    typical = np.median(finite) if len(finite) else 0.0
    kept: NDArray[np.bool_] = sizes > 1e-9 * typical
    if not kept.any():
        raise InputError("every perturbation aggregates to zero: there is no map to make of that")
    return kept


def _in_type(embeddings: Floats, labels: pd.DataFrame, dtype: MapDtype) -> Rows:
    """Return the embeddings in a type, or raise if it is too narrow for them."""
    with np.errstate(over="ignore"):
        rows: Rows = embeddings.astype(dtype)
    infinite, zero = get_backend().row_faults(rows)
    if (infinite | zero).any():
        row = int((infinite | zero).argmax())
        feature = int(np.abs(embeddings[row]).argmax())
        remedy = "take dtype='float64'" if dtype == "float32" else "divide it by a constant"
        raise InputError(
            f"feature {feature} of {labels['perturbation'].iloc[row]!r} is "
            f"{embeddings[row, feature]:.2g}, which {dtype} cannot represent; {remedy}"
        )
    return rows


def map_rows(wells: WellLabels) -> tuple[Codes, pd.DataFrame]:
    """Return each well's row in the map, -1 for wells outside of it, and the labels of the rows.

    Raises
    ------
    InputError
        If no well is in the map.
    """
    in_map = wells.metadata["in_map"].to_numpy(bool)
    if not in_map.any():
        raise InputError(
            f"none of the {len(wells):,} wells is in the map: all are controls or were left out"
        )
    keys = [key for key in KEYS if key in wells.metadata]
    members = wells.metadata.loc[in_map]
    groups = members.groupby(keys, dropna=False, sort=True, observed=True)
    codes = np.full(len(wells), -1, np.int64)
    row = groups.ngroup().to_numpy()
    codes[in_map] = row
    first = np.unique(row, return_index=True)[1]
    labels = members[keys].iloc[first].reset_index(drop=True)
    labels["n_wells"] = np.bincount(row)
    for column in wells.extra_columns():
        value = pd.factorize(_hashable(members[column]))[0]
        if (value == value[first][row]).all():
            labels[column] = members[column].iloc[first].to_numpy()
    return codes, labels


def _hashable(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return values that can be compared: lists, of labels for example, as tuples."""
    first = values.dropna().head(1) if values.dtype == object else ()
    if not any(isinstance(value, list | np.ndarray) for value in first):
        return values
    return values.map(lambda v: tuple(v) if isinstance(v, list | np.ndarray) else v)


def _in_one_pass(
    wells: WellLabels, affine: BatchAffine | None, codes: Codes, groups: int, spherical: bool
) -> Floats:
    """Return the means of the aligned wells of each perturbation, or of their directions."""
    run = get_backend()
    maps = affine.codes(wells) if affine else None
    sums = np.zeros((groups, affine.features if affine else wells.features))
    for chunk in wells.chunks():
        rows = chunk.rows
        if affine is not None and maps is not None:
            rows = affine.apply(rows, maps[chunk.wells])
        if spherical:
            rows, _ = run.unit_rows(rows)
        run.group_sums(rows, codes[chunk.wells], groups, sums)
    counts = np.bincount(codes[codes >= 0], minlength=groups)
    if not spherical:
        return sums / counts[:, None]
    direction = np.asarray(run.unit_rows(sums)[0], np.float64)
    # What is zero but for rounding has no direction.
    direction[np.linalg.norm(sums, axis=1) < 1e-6 * counts] = 0
    return direction


def _medians(wells: WellLabels, affine: BatchAffine | None, codes: Codes, groups: int) -> Floats:
    """Return the medians (p, k) of aligned wells, some perturbations at a time."""
    run = get_backend()
    maps = affine.codes(wells) if affine else None
    order = np.argsort(codes, kind="stable")[np.count_nonzero(codes < 0) :]
    bounds = np.searchsorted(codes[order], np.arange(groups + 1))
    most = _CHUNK_WELLS if wells.in_memory else _STREAM_BYTES // (8 * wells.features)
    medians = []
    first = 0
    while first < groups:
        # As many whole perturbations as fit into a chunk, one at least.
        last = int(np.searchsorted(bounds, bounds[first] + most, side="right")) - 1
        last = min(groups, max(first + 1, last))
        members = order[bounds[first] : bounds[last]]
        rows = wells.take(members)
        if affine is not None and maps is not None:
            rows = affine.apply(rows, maps[members])
        medians.append(run.group_medians(rows, codes[members] - first, last - first))
        first = last
    return np.concatenate(medians)
