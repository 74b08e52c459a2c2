"""Replicate benchmarks of efaar_benchmarking: sums and distances of wells, never their pairs."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.accel.efaar.alignments import of_rows
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows

_LEAST_WELLS = 5
"""A perturbation with fewer has no magnitude"""
_LEAST_DISTANCE = 1e-4
"""What geomloss takes any shorter distance for, that of a well from itself too"""
_TOO_MANY_PAIRS = 5000**2
"""From here on geomloss does not hold the distances, and needs another library"""


def of_replicates(
    features: Any, metadata: Any, pert_col: Any, neg_ctrl_perts: Any, **options: Any
) -> None:
    """Decline unless features are finite floats, not zero, and every row has a plain label."""
    of_rows(features, metadata, (pert_col,))
    labels = metadata[pert_col]
    if labels.isna().any() or isinstance(labels.dtype, pd.CategoricalDtype):
        raise Declined("a label is missing, or labels are categorical")
    if options.get("control_key") in options["keys_to_drop"]:
        raise Declined("the controls are to be dropped")
    if not (labels.isin(neg_ctrl_perts) & ~labels.isin(options["keys_to_drop"])).any():
        raise Declined("there are no negative controls")
    _, zero = get_backend().row_faults(features)
    if zero.any():
        raise Declined("a row is all zero, and has no direction")


def consistency(
    features: Rows,
    metadata: pd.DataFrame,
    pert_col: str,
    neg_ctrl_perts: Any,
    keys_to_drop: Any = (),
    n_jobs: int = 5,
) -> pd.DataFrame:
    """Return the mean cosine of each perturbation's wells, and its place among negatives."""
    rows, labels = _kept(features, metadata, pert_col, keys_to_drop)
    code, names = pd.factorize(labels)
    unit, _ = get_backend().unit_rows(rows)
    sums, counts = get_backend().group_sums(unit, code.astype(np.int64), len(names))
    k = np.where(counts < 2, np.nan, counts)
    scores = (np.square(sums).sum(axis=1) - k) / (k * (k - 1))
    return _placed(names, scores.astype(rows.dtype), neg_ctrl_perts, "avgcossim", side="left")


def magnitude(
    features: Rows,
    metadata: pd.DataFrame,
    pert_col: str,
    neg_ctrl_perts: Any,
    control_key: Any,
    max_controls: int = 1000,
    keys_to_drop: Any = (),
    n_jobs: int = 5,
) -> pd.DataFrame:
    """Return the energy distance of each perturbation from some controls, and its place."""
    rows, labels = _kept(features, metadata, pert_col, keys_to_drop)
    if (labels == control_key).sum() < 2:
        raise Declined("there are fewer than two controls")
    # The draws of the original: as many of its own order of the controls, from NumPy's state.
    place = pd.DataFrame({"row": np.arange(len(rows))}, index=labels).sort_index().loc[control_key]
    drawn = place.sample(min(max_controls, len(place)))["row"].to_numpy()
    code, names = pd.factorize(labels)
    counts = np.bincount(code)
    if counts.max() * len(drawn) >= _TOO_MANY_PAIRS or counts.max() ** 2 >= _TOO_MANY_PAIRS:
        raise Declined("a perturbation has too many wells for geomloss to hold their distances")
    energy = _energies(rows, code.astype(np.int64), counts, drawn)
    # A control has itself among the controls.
    control = names.get_loc(control_key) if isinstance(names, pd.Index) else None
    if control is not None:
        energy[control] += 2 * _LEAST_DISTANCE / counts[control]
    energy[counts < _LEAST_WELLS] = np.nan
    return _placed(names, energy, neg_ctrl_perts, "edist", side="right")


def _kept(
    features: Rows, metadata: pd.DataFrame, pert_col: str, keys_to_drop: Any
) -> tuple[Rows, "pd.Series[Any]"]:
    """Return the rows and labels of all but perturbations to be dropped."""
    kept = ~metadata[pert_col].isin(keys_to_drop)
    rows = features if kept.all() else features[kept.to_numpy(bool)]
    return rows, metadata.loc[kept, pert_col]


def _energies(rows: Rows, code: Codes, counts: Codes, drawn: Codes) -> Floats:
    """Return ``2 E|x - y| - E|x - x'| - E|y - y'|`` of each group, y being the rows drawn."""
    run, m = get_backend(), len(drawn)
    controls = rows[drawn]
    among = run.group_distances(controls, np.zeros(m, np.int64), 1)[0]
    cross = np.bincount(code, run.distance_sums(rows, controls), len(counts)) / (counts * m)
    within = run.group_distances(rows, code, len(counts))
    energy = 2 * cross - 2 * within / counts**2 - 2 * among / m**2
    return np.asarray(energy - _LEAST_DISTANCE * (1 / counts + 1 / m))


def _placed(
    names: Any, scores: Rows, neg_ctrl_perts: Any, column: str, *, side: Any
) -> pd.DataFrame:
    """Return the scores of all but negatives, with the share of those that are at or above."""
    negative = pd.Index(names).isin(neg_ctrl_perts)
    null = np.sort(scores[negative])  # NaN last, and counted, as the original has it
    p = 1 - np.searchsorted(null, scores, side=side) / len(null)
    p[np.isnan(scores)] = np.nan
    kept = np.flatnonzero(~negative)
    # A missing score is a plain NaN, from which pandas finds the type of the column.
    table = [[names[k], np.nan if np.isnan(scores[k]) else scores[k], p[k]] for k in kept.tolist()]
    return pd.DataFrame(table, columns=["pert", column, "pval"])
