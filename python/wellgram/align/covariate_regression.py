"""Regression on a covariate such as the count of cells: only what it does not explain is kept."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align.affine import AnySample
from wellgram.align.estimator import Alignment
from wellgram.align.sample import RowSample, Sample, StreamSample, check_width
from wellgram.align.well_columns import well_column
from wellgram.backends.protocol import Floats, Rows
from wellgram.errors import InputError

_USUAL = ("Metadata_Count_Cells", "Metadata_Cell_Count", "cell_count")
_CHUNK_ROWS = 1 << 14


class CovariateRegression(Alignment):
    """Subtract from each feature what a count explains of it, by least squares over all wells.

    ``y_j = x_j - a_j - b_j count`` with the a_j and b_j that make the sum of squares of y_j least,
    which is the residual of ``ols("feature ~ count")``. All features are solved at once: with
    ``w = (count - mean) / sum((count - mean)^2)``, ``b = w' X`` and
    ``a = mean(X) - b mean(count)``. Follows ``regress_out_cell_counts_parallel`` of the
    jump-profiling-recipe (``correct/corrections.py``), with which JUMP's CRISPR and ORF profiles
    were made; it regresses features with more than 100 different values (`min_distinct`).

    A treatment that kills cells has few of them, so its effect is taken off as far as it is that of
    a count. Wells without a count are an error.

    Parameters
    ----------
    column
        The column of the wells' metadata that has the count; None: the first that is there of
        Metadata_Count_Cells, Metadata_Cell_Count and cell_count.
    min_distinct
        Features with this many different values or fewer stay as they are. More than 0 needs all
        wells in memory.

    Attributes
    ----------
    slopes_, intercepts_
        The b_j and a_j (d,); 0 for features that stay.
    """

    name = "cell-count"

    def __init__(self, column: str | None = None, *, min_distinct: int = 0) -> None:
        self.column = column
        self.min_distinct = min_distinct
        self.check_params()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if self.min_distinct < 0:
            raise InputError(f"min_distinct must be 0 or more, not {self.min_distinct}")

    @property
    def streams(self) -> bool:
        """Whether it can be fitted to wells that are read in chunks: if all features are taken."""
        return self.min_distinct == 0

    def check_columns(self, sample: AnySample) -> None:
        """Raise unless the wells have a count."""
        self._counts(sample)

    def fit_sample(self, sample: Sample) -> None:
        """Fit the lines of all features."""
        counts = self._counts(sample)
        if len(counts) < 2 or not np.ptp(counts) > 0:
            raise InputError(
                f"the {self._what} is {counts[0] if len(counts) else 'nowhere'} in all "
                f"{len(counts)} wells, so nothing can be regressed on it; name another column "
                "(column=), or do without it"
            )
        deviations = counts - counts.mean()
        of_slopes = deviations / np.square(deviations).sum()
        of_means = np.full(len(counts), 1 / len(counts))
        slopes, means = _products(sample, np.stack([of_slopes, of_means]))
        self.slopes_: Floats = slopes
        self.intercepts_: Floats = means - slopes * counts.mean()
        if self.min_distinct:
            assert isinstance(sample, RowSample)  # streams are refused by name before
            few = _with_few_values(sample.rows, self.min_distinct)
            self.slopes_[few] = self.intercepts_[few] = 0

    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample without what the count explains."""
        check_width(sample.width, len(self.slopes_))
        counts = self._counts(sample)
        places = np.arange(len(counts))

        def residuals(rows: Rows, wells: NDArray[np.int64]) -> Rows:
            y = np.empty_like(rows)
            for first in range(0, len(rows), _CHUNK_ROWS):
                some = slice(first, first + _CHUNK_ROWS)
                line = np.multiply.outer(counts[wells[some]], self.slopes_) + self.intercepts_
                with np.errstate(over="ignore"):
                    y[some] = rows[some] - line
            wrong = ~np.isfinite(y).all(axis=0)
            if wrong.any():
                raise InputError(
                    f"feature {wrong.argmax()} without what the {self._what} explains cannot be "
                    f"represented in {y.dtype}; divide the features by a constant"
                )
            return y

        return sample.mapped(residuals, places, sample.width)

    @property
    def _what(self) -> str:
        return "cell count" if self.column is None else f"count in column {self.column!r}"

    def _counts(self, sample: Sample) -> Floats:
        columns = _USUAL if self.column is None else (self.column,)
        values: pd.Series[Any] = well_column(sample, columns, "cell count", self.name)
        counts = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
        wrong = ~np.isfinite(counts)
        if wrong.any():
            raise InputError(
                f"column {values.name!r} reads {values.iloc[int(wrong.argmax())]!r} in "
                f"{int(wrong.sum())} wells, which is no count; correct it, or leave those wells out"
            )
        return counts


def _products(sample: Sample, weights: Floats) -> Floats:
    """Return weights (k, n) times rows (n, d), in float64: one pass."""
    total = np.zeros((len(weights), sample.width))
    if isinstance(sample, StreamSample):
        for chunk in sample.stream.chunks():
            total += weights[:, chunk.wells] @ chunk.rows.astype(np.float64)
    else:
        assert isinstance(sample, RowSample)
        for first in range(0, len(sample.rows), _CHUNK_ROWS):
            some = slice(first, first + _CHUNK_ROWS)
            total += weights[:, some] @ sample.rows[some].astype(np.float64)
    return total


def _with_few_values(rows: Rows, most: int) -> NDArray[np.bool_]:
    """Tell the features (d,) with so many different values at most."""
    return np.array([len(np.unique(column)) <= most for column in rows.T])
