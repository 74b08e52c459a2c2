"""Accuracies of tested wells, whole and by class or kind, with intervals over batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats
from wellgram.nulls import stream_of

TOP = 5

FIGURES = ("top_1", f"top_{TOP}", "balanced")


@dataclass(frozen=True)
class Outcomes:
    """What became of tested wells: how many classes were found before each one's own.

    All arrays are (m,), one entry per well.
    """

    ranks: Codes
    """0 where the well's own class is found first"""
    codes: Codes
    """The class"""
    batches: Codes
    wells: Codes
    """Which of all wells it is"""

    def some(self, chosen: Any) -> "Outcomes":
        """Return some of them."""
        return Outcomes(*(part[chosen] for part in vars(self).values()))

    @classmethod
    def joined(cls, parts: Sequence["Outcomes"]) -> "Outcomes":
        """Return several as one."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*map(np.concatenate, columns))

    def accuracies(self) -> Floats:
        """Return top-1, top-5 and balanced accuracy (the mean over classes of top-1): (3,)."""
        return self._weighted(np.ones((1, len(np.unique(self.batches)))))[:, 0]

    def resampled(self, resamples: int, *, seed: int) -> Floats:
        """Return the accuracies of each resample of batches: (3, r), none where there is one batch.

        Whole batches are drawn with replacement, since wells of one depend on each other. The same
        seed draws the same batches for whatever was tested on them.
        """
        batches = len(np.unique(self.batches))
        if batches < 2 or resamples < 1:
            return np.empty((len(FIGURES), 0))
        drawn = get_backend().resample_counts(
            batches, resamples, seed=seed, stream=stream_of("batches")
        )
        return self._weighted(drawn.astype(np.float64))

    def _weighted(self, weights: Floats) -> Floats:
        """Return accuracies with each batch counted so often: weights (r, b) make (3, r)."""
        batches, batch = np.unique(self.batches, return_inverse=True)
        classes, code = np.unique(self.codes, return_inverse=True)
        shape = len(batches), len(classes)
        cell = batch * shape[1] + code
        wells, first, among = (
            np.bincount(cell, weights=of, minlength=shape[0] * shape[1]).reshape(shape)
            for of in (np.ones(len(cell)), self.ranks == 0, self.ranks < TOP)
        )
        total = weights @ wells.sum(axis=1)
        of_class = weights @ wells
        with np.errstate(invalid="ignore"):  # of a class that a resample does not have
            shares = (weights @ first) / of_class
        return np.array(
            [
                weights @ first.sum(axis=1) / total,
                weights @ among.sum(axis=1) / total,
                np.nanmean(shares, axis=1),
            ]
        )

    def by_class(self, names: Sequence[str]) -> pd.DataFrame:
        """Return how often wells of each class were found: ``n_wells``, top-1 and top-5."""
        groups = pd.DataFrame(
            {"code": self.codes, "top_1": self.ranks == 0, f"top_{TOP}": self.ranks < TOP}
        ).groupby("code")
        table = groups.mean()
        table.insert(0, "n_wells", groups.size())
        table.insert(0, "class", [names[k] for k in table.index])
        return table.reset_index(drop=True)
