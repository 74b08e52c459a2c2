"""From wells to perturbations: means and medians of aligned embeddings.

A mean commutes with an affine map, so for means no aligned well is ever made: raw sums per
(perturbation, batch), in one pass, then the maps on those few rows. Medians and spherical means do
not commute; there wells are aligned a block of perturbations at a time.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align import Alignment, BatchAffine
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.errors import InputError
from wellgram.wells import KEYS, PerturbationMap, Wells

Method = Literal["mean", "median", "spherical-mean"]
Precision = Literal["float32", "float64"]

_BLOCK_WELLS = 1 << 16
"""How many wells are aligned at a time where they must be made"""


def build_map(
    wells: Wells,
    align: Alignment | BatchAffine | None = None,
    *,
    method: Method = "mean",
    precision: Precision = "float32",
    backend: str | None = None,
) -> PerturbationMap:
    """Align and aggregate wells into a map.

    Wells of one perturbation (and type and dose, where the screen has them) become one row; wells
    that are not ``in_map`` serve the alignment only.

    Parameters
    ----------
    wells
        The wells (n, d).
    align
        An alignment, fitted to these wells unless it has been fitted before, or the maps of one.
        None: raw.
    method
        "mean", "median" or "spherical-mean" (the direction of the mean of wells of length 1), over
        all wells of a perturbation, each well counted once.
    precision
        The type of the map's embeddings. Sums are float64 in any case.
    backend
        See `wellgram.set_backend`.

    Returns
    -------
    PerturbationMap
        (p, k), ordered by type, perturbation and dose. A row whose mean is zero but for rounding
        is left out and named in ``provenance["without_direction"]``: such is the row of the
        controls themselves after an alignment that centres every batch on them.

    Raises
    ------
    InputError
        If no well is in the map, no perturbation has a direction, or the alignment cannot be
        fitted.
    """
    if method not in get_args(Method):
        raise InputError(f"unknown aggregation {method!r}; choose {' or '.join(get_args(Method))}")
    if precision not in get_args(Precision):
        raise InputError(f"unknown precision {precision!r}; choose float32 or float64")
    codes, labels = map_rows(wells)
    if isinstance(align, Alignment) and not align.is_fitted:
        align.fit(wells, backend=backend)
    affine = align if isinstance(align, BatchAffine) else getattr(align, "affine_", None)
    if isinstance(align, Alignment) and affine is None:
        rows = align.transform(wells, backend=backend)
        wells = Wells(rows, wells.metadata, wells.origin)
    if method == "mean":
        embeddings = _means(wells, affine, codes, len(labels), backend)
    else:
        reduce = _REDUCERS[method]
        embeddings = _by_blocks(wells, affine, codes, len(labels), reduce, backend)
    kept = _with_direction(embeddings)
    provenance: dict[str, Any] = {
        "align": "none" if align is None else getattr(align, "name", "as fitted before"),
        "aggregate": method,
        "precision": precision,
        "n_wells": len(wells),
        "without_direction": labels["perturbation"][~kept].tolist(),
    }
    labels = labels[kept].reset_index(drop=True)
    return PerturbationMap(embeddings[kept].astype(precision), labels, provenance)


def _with_direction(embeddings: Floats) -> NDArray[np.bool_]:
    """Return which rows are more than the rounding error of a mean that is zero.

    Rounding leaves about 1e-14 of the typical length, a perturbation that does anything over 1e-3;
    the line is drawn between.
    """
    lengths = np.linalg.norm(embeddings, axis=1)
    kept: NDArray[np.bool_] = lengths > 1e-9 * np.median(lengths)
    if not kept.any():
        raise InputError("every perturbation aggregates to zero: there is no map to make of that")
    return kept


def map_rows(wells: Wells) -> tuple[Codes, pd.DataFrame]:
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
        value = pd.factorize(members[column])[0]
        if (value == value[first][row]).all():
            labels[column] = members[column].iloc[first].to_numpy()
    return codes, labels


def _means(
    wells: Wells, affine: BatchAffine | None, codes: Codes, groups: int, backend: str | None
) -> Floats:
    run = get_backend(backend)
    batches = affine.codes(wells) if affine else np.zeros(len(wells), np.int64)
    width = int(batches.max()) + 1
    cell = np.where(codes >= 0, codes * width + batches, -1)
    cells, place = np.unique(cell[codes >= 0], return_inverse=True)
    compact = np.full(len(wells), -1, np.int64)
    compact[codes >= 0] = place
    sums, counts = run.group_sums(wells.embeddings, compact, len(cells))
    rows: Rows = sums / counts[:, None]
    if affine:
        rows = affine.apply(rows, cells % width, backend=backend)
    totals, _ = run.group_sums(rows * counts[:, None], cells // width, groups)
    return totals / np.bincount(codes[codes >= 0], minlength=groups)[:, None]


Reduce = Callable[[Rows, Codes, int, str | None], Floats]


def _medians(rows: Rows, codes: Codes, groups: int, backend: str | None) -> Floats:
    return get_backend(backend).group_medians(rows, codes, groups)


def _spherical_means(rows: Rows, codes: Codes, groups: int, backend: str | None) -> Floats:
    run = get_backend(backend)
    unit, _ = run.unit_rows(rows)
    sums, counts = run.group_sums(unit, codes, groups)
    direction = np.asarray(run.unit_rows(sums)[0], np.float64)
    # What is zero but for rounding has no direction.
    none = np.linalg.norm(sums, axis=1) < 1e-6 * counts
    direction[none] = 0
    return direction


_REDUCERS: dict[str, Reduce] = {"median": _medians, "spherical-mean": _spherical_means}


def _by_blocks(
    wells: Wells,
    affine: BatchAffine | None,
    codes: Codes,
    groups: int,
    reduce: Reduce,
    backend: str | None,
) -> Floats:
    """Return what `reduce` makes of the aligned wells of each group, some groups at a time."""
    batches = affine.codes(wells) if affine else None
    order = np.argsort(codes, kind="stable")[np.count_nonzero(codes < 0) :]
    bounds = np.searchsorted(codes[order], np.arange(groups + 1))
    reduced = []
    first = 0
    while first < groups:
        # As many whole perturbations as fit into a block, one at least.
        last = int(np.searchsorted(bounds, bounds[first] + _BLOCK_WELLS, side="right")) - 1
        last = min(groups, max(first + 1, last))
        members = order[bounds[first] : bounds[last]]
        rows = wells.embeddings[members]
        if affine is not None and batches is not None:
            rows = affine.apply(rows, batches[members], backend=backend)
        reduced.append(reduce(rows, codes[members] - first, last - first, backend))
        first = last
    return np.concatenate(reduced)
