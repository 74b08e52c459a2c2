"""Moments of labelled rows: what the closed forms need, and where the iterations begin."""

from dataclasses import dataclass

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows


@dataclass(frozen=True)
class ClassMoments:
    """Counts (k,) and means (k, d) of classes, and mean (d,) and scatter (d, d) of all rows."""

    counts: Codes
    means: Floats
    mean: Floats
    scatter: Floats

    @classmethod
    def of(cls, x: Rows, codes: Codes, classes: int) -> "ClassMoments":
        """Return those of rows x (n, d) of classes codes (n,), none of which may be empty."""
        run = get_backend()
        sums, counts = run.group_sums(x, codes, classes)
        whole = run.group_moments(x, np.zeros(len(x), np.int64), 1)[0]
        return cls(counts, sums / counts[:, None], whole.mean, whole.scatter())

    @property
    def covariance(self) -> Floats:
        """The covariance (d, d) of all rows, ddof 0."""
        return np.asarray(self.scatter / self.counts.sum())

    @property
    def shares(self) -> Floats:
        """The share (k,) of all rows that each class has."""
        return np.asarray(self.counts / self.counts.sum())

    @property
    def deviations(self) -> Floats:
        """The means of classes less that of all rows: (k, d)."""
        return self.means - self.mean

    @property
    def within(self) -> Floats:
        """The covariance (d, d) of rows about the means of their classes, ddof 0."""
        between = self.deviations * np.sqrt(self.shares)[:, None]
        return self.covariance - between.T @ between
