"""Replicate benchmarks of efaar_benchmarking: sums and distances of wells, never their pairs."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.efaar.near_scores import Metric, settled
from wellgram.accel.efaar.near_wells import check_apart
from wellgram.accel.efaar.screen_checks import (
    PLAIN,
    check_directions,
    check_labels,
    check_names,
    check_rows,
)
from wellgram.accel.stand_ins import plain
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows

_LEAST_WELLS = 5
"""A perturbation with fewer has no magnitude"""
_LEAST_DISTANCE = 1e-4
"""What geomloss takes any shorter distance for, that of a well from itself too"""
_TOO_MANY_PAIRS = 5000**2
"""From here on geomloss does not hold the distances, and needs another library"""
_COSINE_ROUNDING = 32
"""How many times the rounding of their type mean cosines may differ by the order of adding up"""
_DISTANCE_ROUNDING = 16
"""The same of squared distances, beside the squared lengths of rows that they are made of"""


def of_replicates(
    features: Any, metadata: Any, pert_col: Any, neg_ctrl_perts: Any, **options: Any
) -> None:
    """Decline unless features are finite floats, and every row has a plain label."""
    check_rows(features, metadata, (pert_col,))
    check_labels(metadata, pert_col, PLAIN)
    dropped = options["keys_to_drop"]
    for names in (neg_ctrl_perts, dropped):
        check_names(names, metadata, pert_col)
    if type(options["n_jobs"]) is not int or options["n_jobs"] == 0:
        raise Declined(f"{options['n_jobs']!r} is no number of jobs")
    labels = metadata[pert_col]
    kept = ~labels.isin(dropped)
    negative = labels.isin(neg_ctrl_perts)
    if not (negative & kept).any() or not (~negative & kept).any():
        raise Declined("there are no negative controls, or nothing else")


def of_directions(features: Any, metadata: Any, pert_col: Any, **options: Any) -> None:
    """Decline unless besides, every row has a direction."""
    of_replicates(features, metadata, pert_col, **options)
    check_directions(features)


def of_distances(features: Any, metadata: Any, pert_col: Any, **options: Any) -> None:
    """Decline unless besides, there are controls to draw."""
    of_replicates(features, metadata, pert_col, **options)
    control_key, most = options["control_key"], options["max_controls"]
    check_names([control_key], metadata, pert_col)
    if control_key in options["keys_to_drop"]:
        raise Declined("the controls are to be dropped")
    if type(most) is not int or most < 1:
        raise Declined(f"{most!r} is no number of controls")
    if (metadata[pert_col] == control_key).sum() < 2:
        raise Declined("there are fewer than two controls")


def consistency(
    features: Rows,
    metadata: pd.DataFrame,
    pert_col: str,
    neg_ctrl_perts: Any,
    keys_to_drop: Any = (),
    n_jobs: int = 5,
) -> pd.DataFrame:
    """Return the mean cosine of each perturbation's wells, and its place among negatives."""
    from efaar_benchmarking import benchmarking

    rows, labels = _kept(features, metadata, pert_col, keys_to_drop)
    code, names = pd.factorize(labels)
    unit, _ = get_backend().unit_rows(rows)
    sums, counts = get_backend().group_sums(unit, code.astype(np.int64), len(names))
    k = np.where(counts < 2, np.nan, counts)
    scores = ((np.square(sums).sum(axis=1) - k) / (k * (k - 1))).astype(rows.dtype)

    def exact(chosen: Codes) -> Metric:
        of_chosen = np.isin(code, chosen)
        table = pd.DataFrame(rows[of_chosen], index=labels[of_chosen])
        metric = plain(benchmarking.pert_signal_consistency_metric)
        return lambda place: metric(np.array(table.loc[names[place]]))

    margin = _COSINE_ROUNDING * float(np.finfo(rows.dtype).eps)
    negative = pd.Index(names).isin(neg_ctrl_perts)
    scores = settled(scores, negative, np.full(len(scores), margin), exact)
    return _placed(names, scores, negative, "avgcossim", side="left")


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
    code, names = pd.factorize(labels)
    counts = np.bincount(code)
    place = pd.DataFrame({"row": np.arange(len(rows))}, index=labels).sort_index()
    drawn_count = min(max_controls, int((labels == control_key).sum()))
    if max(counts.max(), drawn_count) * counts.max() >= _TOO_MANY_PAIRS:
        raise Declined("a perturbation has too many wells for geomloss to hold their distances")
    before = np.random.get_state()  # noqa: NPY002  # what the original draws from
    try:
        # The draws of the original: as many of its own order of the controls, from NumPy's state.
        drawn = place.loc[control_key].sample(drawn_count)["row"].to_numpy()
        negative = pd.Index(names).isin(neg_ctrl_perts)
        scores = _magnitudes(rows, code.astype(np.int64), names, negative, drawn, place)
    except Declined:
        np.random.set_state(before)  # noqa: NPY002
        raise
    return _placed(names, scores, negative, "edist", side="right")


def _magnitudes(
    rows: Rows, code: Codes, names: Any, negative: Any, drawn: Codes, place: pd.DataFrame
) -> NDArray[np.floating]:
    """Return the energy distance of each perturbation; `place` has rows in the original's order.

    For float32 rows it is the original's in float64. In float32 geomloss loses the third digit of a
    short distance, and of the distance of a well from itself.
    """
    from efaar_benchmarking import benchmarking

    counts, m = np.bincount(code), len(drawn)
    squares = np.einsum("ij,ij->i", rows, rows)
    rounding = float(np.finfo(np.float64).eps) * float(squares.max())
    # Of a well from itself geomloss finds the distance by its squared length.
    if 4 * rounding > _LEAST_DISTANCE**2:
        raise Declined("wells are so far from zero that geomloss loses short distances")
    check_apart(rows, code, drawn, _LEAST_DISTANCE)
    energy, distance = _energies(rows, code, counts, drawn)
    # A control has itself among the controls.
    control = np.bincount(code[drawn], minlength=len(counts))
    energy += 2 * _LEAST_DISTANCE * control / (counts * m)
    energy[counts < _LEAST_WELLS] = np.nan

    def exact(chosen: Codes) -> Metric:
        ordered = place["row"].to_numpy()
        ordered = ordered[np.isin(code[ordered], chosen)]
        wide = rows[ordered].astype(np.float64, copy=False)
        table = pd.DataFrame(wide, index=names[code[ordered]]).sort_index()
        controls = np.array(pd.DataFrame(rows[drawn].astype(np.float64, copy=False)))
        metric = plain(benchmarking.pert_signal_magnitude_metric)
        return lambda place: metric(np.array(table.loc[names[place]]), controls)

    return settled(energy, negative, _DISTANCE_ROUNDING * rounding / distance, exact)


def _kept(
    features: Rows, metadata: pd.DataFrame, pert_col: str, keys_to_drop: Any
) -> tuple[Rows, "pd.Series[Any]"]:
    """Return the rows and labels of all but perturbations to be dropped."""
    kept = ~metadata[pert_col].isin(keys_to_drop)
    rows = features if kept.all() else features[kept.to_numpy(bool)]
    return rows, metadata.loc[kept.to_numpy(bool), pert_col]


def _energies(rows: Rows, code: Codes, counts: Codes, drawn: Codes) -> tuple[Floats, Floats]:
    """Return ``2 E|x - y| - E|x - x'| - E|y - y'|`` and ``E|x - y|``, y being the rows drawn."""
    run, m = get_backend(), len(drawn)
    controls = rows[drawn]
    among = run.group_distances(controls, np.zeros(m, np.int64), 1)[0]
    cross = np.bincount(code, run.distance_sums(rows, controls), len(counts)) / (counts * m)
    within = run.group_distances(rows, code, len(counts))
    energy = 2 * cross - 2 * within / counts**2 - 2 * among / m**2
    return np.asarray(energy - _LEAST_DISTANCE * (1 / counts + 1 / m)), cross


def _placed(names: Any, scores: Rows, negative: Any, column: str, *, side: Any) -> pd.DataFrame:
    """Return the scores of all but negatives, with the share of those that are at or above."""
    null = np.sort(scores[negative])  # NaN last, and counted, as the original has it
    p = 1 - np.searchsorted(null, scores, side=side) / len(null)
    p[np.isnan(scores)] = np.nan
    kept = np.flatnonzero(~negative)
    # A missing score is a plain NaN, from which pandas finds the type of the column.
    table = [[names[k], np.nan if np.isnan(scores[k]) else scores[k], p[k]] for k in kept.tolist()]
    return pd.DataFrame(table, columns=["pert", column, "pval"])
