"""Macro F1 of classes told by the nearest well, with intervals over batches."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats
from wellgram.files import save_csv
from wellgram.label_rules.missing_labels import without_missing
from wellgram.metrics.bootstrap import interval
from wellgram.nulls import stream_of
from wellgram.probes.splits import Mask


@dataclass(frozen=True, repr=False)
class MacroF1Result:
    """The macro F1 of tested wells: the mean over classes of ``2 TP / (2 TP + FP + FN)``.

    A class counts where a tested well is of it, or is taken for it, as in scikit-learn.
    """

    codes: Codes
    """(m,): the class of each tested well"""
    predicted: Codes
    """(m,): that of its nearest well"""
    batches: Codes
    """(m,)"""
    kinds: "pd.Series[str] | None"
    """Of each tested well, such as its distribution; None where there is no such column"""
    said: str
    """Where neighbors were looked for, in words"""
    left_out: int
    """How many wells are of a class that no other side has"""
    resamples: int
    seed: int

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for all tested wells, then one per value of the kind's column.

        Columns: ``tested``, ``"all"`` or that value; ``macro_f1``; ``ci_low`` and ``ci_high``
        (95 % over resampled batches); ``n_wells`` and ``n_classes``.
        """
        records = [self._record("all", np.ones(len(self.codes), bool))]
        if self.kinds is not None:
            codes, names = pd.factorize(without_missing(self.kinds), sort=True)
            records += [self._record(name, codes == k) for k, name in enumerate(names)]
        return pd.DataFrame(records)

    @property
    def macro_f1(self) -> float:
        """That of all tested wells."""
        return float(self.table["macro_f1"].iloc[0])

    def _record(self, name: str, some: Mask) -> dict[str, object]:
        codes, predicted = self.codes[some], self.predicted[some]
        batches, batch = np.unique(self.batches[some], return_inverse=True)
        whole = macro_f1(codes, predicted, batch, np.ones((1, len(batches))))[0]
        drawn = np.empty(0)
        if len(batches) > 1 and self.resamples:
            counts = get_backend().resample_counts(
                len(batches), self.resamples, seed=self.seed, stream=stream_of("batches")
            )
            drawn = macro_f1(codes, predicted, batch, counts.astype(np.float64))
        low, high = interval(drawn).tolist()
        return {
            "tested": name,
            "macro_f1": whole,
            "ci_low": low,
            "ci_high": high,
            "n_wells": len(codes),
            "n_classes": len(np.unique(codes)),
        }

    def __repr__(self) -> str:
        figures = ", ".join(f"{row.tested} {row.macro_f1:.3f}" for row in self.table.itertuples())
        out = f"; {self.left_out:,} of untrained classes left out" if self.left_out else ""
        return f"{self.said}: macro F1 {figures} of {len(self.codes):,} wells{out}"

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


def macro_f1(codes: Codes, predicted: Codes, batch: Codes, weights: Floats) -> Floats:
    """Return the macro F1 (r,) with each batch counted so often: weights (r, b).

    Parameters
    ----------
    codes, predicted
        (m,): the class of each well, and the one it is taken for.
    batch
        (m,): codes below b.
    """
    classes, both = np.unique(np.concatenate([codes, predicted]), return_inverse=True)
    own, taken = np.split(both, 2)
    shape = weights.shape[1], len(classes)

    def counted(of: Codes, chosen: Mask) -> Floats:
        cells = np.bincount((batch * shape[1] + of)[chosen], minlength=shape[0] * shape[1])
        return np.asarray(weights @ cells.reshape(shape))

    every = np.ones(len(codes), bool)
    right, there = counted(own, own == taken), counted(own, every) + counted(taken, every)
    with np.errstate(invalid="ignore"):  # of a class that a resample does not have
        return np.asarray(np.nanmean(2 * right / there, axis=1))
