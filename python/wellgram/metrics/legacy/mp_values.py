"""The multidimensional perturbation value: how rare a distance from the controls is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from wellgram.align import Aligner
from wellgram.backends import takes_backend
from wellgram.backends.checks import check_draws
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Floats, Progress, Rows
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.label_rules.controls import Control
from wellgram.metrics.legacy.replicate_groups import (
    Profiles,
    column_codes,
    control_rows,
    given_profiles,
)
from wellgram.nulls import PForm, empirical_p, random_subsets, stream_of

_VARIANCE = 0.9
"""The share of the variance that components keep, as in cytominer-eval"""
_TIE = 1e-9
"""Distances that differ by less, relatively, are one: they are solved for in different orders"""


@dataclass(frozen=True, repr=False)
class MpValueResult:
    """The mp-value of each perturbation.

    `table` has a row per perturbation, sorted: its column; ``n_wells``; ``n_components``;
    ``mahalanobis``, the squared distance of its mean from that of the controls; ``mp_value``; and
    ``reason``, why it is missing.
    """

    table: pd.DataFrame
    draws: int

    def __repr__(self) -> str:
        tested = self.table["mp_value"].dropna()
        return (
            f"mp-values: {int((tested <= 0.05).sum()):,} of {len(tested):,} perturbations at 0.05, "
            f"by {self.draws:,} permutations"
        )

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def mp_value(
    profiles: Profiles,
    align: Aligner = None,
    *,
    perturbation: str = "perturbation",
    controls: Control | None = None,
    draws: int = 1000,
    seed: int = 0,
    p_form: PForm = "plus-one",
    backend: str | None = None,
    progress: Progress | None = None,
) -> MpValueResult:
    """Return how rare the Mahalanobis distance of each perturbation from the controls is.

    The profiles of a perturbation and the controls are reduced to the principal components that
    keep 90 % of their variance. The distance is of the mean from that of the controls, by the
    controls' covariance; the null exchanges the labels. As ``cytominer_eval.operations.mp_value``
    has it (Hutz et al. 2013, doi 10.1177/1087057112469257). The covariance of each permutation is
    never made: it is that of all rows less a matrix of the perturbation's rank.

    Parameters
    ----------
    profiles, align, backend, progress
        As for `replicate_reproducibility`; control wells are taken too.
    perturbation
        A column: whose mp-value it is.
    controls
        Labels of controls in column ``perturbation``; None: the control wells.
    draws
        How many permutations; cytominer-eval makes 100.
    seed
        Same seed, same permutations.
    p_form
        ``"plus-one"``, or ``"share"`` for parity with cytominer-eval, where it may be 0.

    Raises
    ------
    InputError
        If a column is absent, or there are fewer than two controls.
    """
    check_whole(draws, "draws")
    if draws < 1:
        raise InputError(f"draws must be 1 or more, not {draws}")
    metadata, rows = given_profiles(profiles, align, controls=True)
    whose = column_codes(metadata, [perturbation])
    is_control = control_rows(profiles, metadata, controls)
    controls_at = _Controls.of(rows[is_control])
    holds_controls = np.bincount(whose[(whose >= 0) & is_control], minlength=whose.max() + 1) > 0
    records = []
    for code in range(int(whose.max()) + 1):
        members = np.flatnonzero(whose == code)
        record = {perturbation: metadata[perturbation].iloc[members[0]], "n_wells": len(members)}
        if holds_controls[code]:
            records.append(record | {"reason": "controls"})
        else:
            stream = stream_of("mp-value", len(members))
            tested = _tested(rows[members], controls_at, draws, seed, stream, p_form)
            records.append(record | tested)
        if progress is not None:
            progress((code + 1) / len(holds_controls))
    columns = [perturbation, "n_wells", "n_components", "mahalanobis", "mp_value", "reason"]
    table = pd.DataFrame(records).reindex(columns=columns)
    return MpValueResult(table.sort_values(perturbation, ignore_index=True), draws)


def _tested(
    rows: Rows, controls: "_Controls", draws: int, seed: int, stream: int, p_form: PForm
) -> dict[str, object]:
    """Return the figures of one perturbation."""
    basis = controls.components_with(rows)
    n, k = len(rows), basis.shape[1]
    if k == 0:
        return {"n_components": 0, "reason": "no variance"}
    if len(controls.rows) <= k:
        return {"n_components": k, "reason": "too few controls for the components"}
    check_draws(draws, 8 * n * n)
    sets = random_subsets(len(basis), n, draws, seed=seed, stream=stream)
    distances = _distances(basis, np.concatenate([np.arange(n)[None], sets]))
    null = distances[1:]
    score = distances[0] * (1 + (_TIE if p_form.endswith("above") else -_TIE))
    return {
        "n_components": k,
        "mahalanobis": distances[0],
        "mp_value": empirical_p([score], null, p_form)[0],
        "reason": "",
    }


@dataclass(frozen=True)
class _Controls:
    """The controls, about their mean, and their products: made once for all perturbations."""

    rows: Floats
    mean: Floats
    products: Floats
    """Of rows with rows, or of features with features where those are fewer"""

    @classmethod
    def of(cls, given: Rows) -> "_Controls":
        """Centre the controls."""
        mean = given.mean(axis=0, dtype=np.float64)
        rows = given - mean
        by_rows = len(rows) < rows.shape[1]
        return cls(rows, mean, rows @ rows.T if by_rows else rows.T @ rows)

    def components_with(self, given: Rows) -> Floats:
        """Return the left singular vectors (m, k) that keep the variance of rows and controls."""
        rows = given - self.mean
        m, shift = len(rows) + len(self.rows), rows.sum(axis=0) / (len(rows) + len(self.rows))
        if len(self.rows) < rows.shape[1]:
            across = rows @ self.rows.T
            gram = np.block([[rows @ rows.T, across], [across.T, self.products]])
            gram -= gram.mean(axis=0)
            gram -= gram.mean(axis=1, keepdims=True)
            values, vectors = np.linalg.eigh(gram)
        else:
            scatter = self.products + rows.T @ rows - m * np.outer(shift, shift)
            values, along = np.linalg.eigh(scatter)
            centred = np.concatenate([rows, self.rows]) - shift
            vectors = centred @ along / np.sqrt(np.maximum(values, np.finfo(float).tiny))
        values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
        if values[0] == 0:
            return np.empty((m, 0))
        kept = np.cumsum(values) / values.sum()
        return np.asarray(vectors[:, : int(np.searchsorted(kept, _VARIANCE, side="right")) + 1])


def _distances(basis: Floats, sets: Codes) -> Floats:
    """Return the squared Mahalanobis distances (s,) of sets of rows (s, n) from all others.

    With H = V V', V the set's rows of the basis, and M = I + 11' / c for c others, these have the
    scatter matrix I - V' M V in the whitened space. By Woodbury's identity the distance is
    ``(m^2 / (c n^2)) 1' H (M^-1 - H)^-1 M^-1 1``, and ``M^-1 = I - 11' / m``.
    """
    m, n = len(basis), sets.shape[1]
    others = m - n
    chosen = basis[sets]
    hat = chosen @ chosen.transpose(0, 2, 1)
    inverse = np.eye(n) - 1 / m
    right = inverse.sum(axis=1)[:, None]
    solved = np.linalg.solve(inverse - hat, np.broadcast_to(right, (len(sets), n, 1)))
    products = (hat @ solved).sum(axis=(1, 2))
    return np.asarray(m**2 / (others * n**2) * products)
