"""What an alignment is fitted on or applied to: rows, their batches, and which are controls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from wellgram.backends.checks import as_rows
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError
from wellgram.wells import Wells, batch_codes

Labels = Sequence[Any] | NDArray[Any] | pd.Series


@dataclass(frozen=True)
class Sample:
    """Rows (n, d) with the code of each one's batch, and whether it is a control."""

    rows: Rows
    codes: Codes
    names: list[str] | None
    """The batches, sorted; None where there are none: one map for all"""
    is_control: NDArray[np.bool_]
    said: str
    """Where batches and controls come from, for messages"""

    def check_width(self, fitted: int) -> None:
        """Raise unless the rows have as many features as an alignment was fitted on."""
        if self.rows.shape[1] != fitted:
            raise InputError(
                f"the alignment was fitted on {fitted} features; these rows have "
                f"{self.rows.shape[1]}"
            )

    @property
    def batches(self) -> int:
        """How many batches there are."""
        return 1 if self.names is None else len(self.names)


def as_sample(x: Wells | ArrayLike, batch: Labels | None, control: ArrayLike | None) -> Sample:
    """Return wells, or rows with labels, as a sample.

    Raises
    ------
    InputError
        If labels are given along with wells, or do not fit the rows.
    """
    if isinstance(x, Wells):
        if batch is not None or control is not None:
            raise InputError("wells have batches and controls of their own; give rows, or no more")
        coded, found = x.batches()
        return Sample(
            x.embeddings,
            coded,
            found if "batch" in x.metadata else None,
            x.metadata["is_control"].to_numpy(bool),
            f"column {x.origin.get('batch', 'batch')!r}; "
            f"controls: {x.origin.get('control', 'column is_control')}",
        )
    rows = as_rows(x)
    if not np.isfinite(rows).all():
        bad = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise InputError(f"row {bad} holds a NaN or an Inf; leave such rows out")
    names: list[str] | None = None
    codes = np.zeros(len(rows), np.int64)
    if batch is not None:
        labels = pd.Series(np.asarray(batch))
        _check_length(labels, rows, "batch")
        if labels.isna().any():
            first = int(np.flatnonzero(labels.isna())[0])
            raise InputError(f"row {first} has no batch; label it or leave it out")
        codes, names = batch_codes(labels)
    is_control = np.ones(len(rows), bool)
    if control is not None:
        is_control = np.asarray(control)
        _check_length(is_control, rows, "control")
        if is_control.dtype != bool:
            raise InputError(f"control must be a mask of rows, not {is_control.dtype}")
    said = "those of control=" if control is not None else "all rows"
    return Sample(rows, codes, names, is_control, f"batch=; controls: {said}")


def _check_length(labels: Any, rows: Rows, name: str) -> None:
    if labels.shape != (len(rows),):
        raise InputError(f"{name} has shape {labels.shape}; expected one per row: ({len(rows)},)")
