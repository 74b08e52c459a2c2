"""Rank-based inverse normal transformation: each feature is made normal, by its ranks."""

import numpy as np
from scipy.special import ndtri

from wellgram.align.affine import AnySample
from wellgram.align.estimator import Alignment
from wellgram.align.parallel import in_parallel
from wellgram.align.sample import RowSample, Sample, check_width
from wellgram.backends.protocol import Floats, Rows
from wellgram.errors import InputError

_CHUNK_FEATURES = 32


class InverseNormal(Alignment):
    """Replace each value of a feature by the normal quantile of its rank among all wells.

    ``y = Phi^-1((rank - c) / (n - 2 c + 1))``, ties by their mean rank; c = 3/8 is Blom's. It was
    the second step, after `RobustMAD`, of what served JUMP's Cell Painting best (Arevalo et al.
    2024). It is no affine map: aligned wells are made, by chunks of features, and the fitted
    values of all features are kept. A value that was not there at fit gets the rank between its
    neighbours.

    Parameters
    ----------
    c
        The correction of ranks, in [0, 0.5].
    """

    name = "inverse-normal"

    def __init__(self, c: float = 3 / 8) -> None:
        self.c = c
        self.check_params()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if not 0 <= self.c <= 0.5:
            raise InputError(f"c must be within [0, 0.5], not {self.c}")

    def fit_sample(self, sample: Sample) -> None:
        """Keep the sorted values of each feature: (d, n)."""
        rows = _in_memory(sample).rows
        if not len(rows):
            raise InputError("there are no rows to rank")
        n, d = rows.shape
        ordered = np.empty((d, n), rows.dtype)

        def put(first: int) -> None:
            features = slice(first, first + _CHUNK_FEATURES)
            ordered[features] = rows[:, features].T
            ordered[features].sort(axis=1)

        in_parallel(put, range(0, len(ordered), _CHUNK_FEATURES))
        self.ordered_: Rows = ordered

    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample, aligned."""
        rows = _in_memory(sample).rows
        n, features = self.ordered_.shape[1], len(self.ordered_)
        check_width(sample.width, features)
        aligned = np.empty_like(rows)

        def put(first: int) -> None:
            chunk = slice(first, first + _CHUNK_FEATURES)
            columns = np.ascontiguousarray(rows[:, chunk].T)
            for values, ordered in zip(columns, self.ordered_[chunk], strict=True):
                order = np.argsort(values)  # searched in order: close by in memory
                rank = _ranks(ordered, values[order])
                values[order] = ndtri((rank - self.c) / (n - 2 * self.c + 1))
            aligned[:, chunk] = columns.T

        in_parallel(put, range(0, features, _CHUNK_FEATURES))
        return sample.mapped(lambda rows, codes: aligned, sample.codes, features)

    @property
    def streams(self) -> bool:
        """Whether it can be fitted and applied to wells that are read in chunks: no."""
        return False


def _ranks(ordered: Rows, sought: Rows) -> Floats:
    """Return the mean rank that each of some sorted values has among the ordered ones, from 1."""
    if np.array_equal(ordered, sought):  # those of the fit: ties lie side by side
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        sizes = np.diff(first, append=len(ordered))
        return np.repeat(first + (sizes + 1) / 2, sizes)
    below = np.searchsorted(ordered, sought, side="left")
    up_to = np.searchsorted(ordered, sought, side="right")
    return np.asarray((below + up_to + 1) / 2)


def _in_memory(sample: Sample) -> RowSample:
    assert isinstance(sample, RowSample)  # streams are refused by name before
    return sample
