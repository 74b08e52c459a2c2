"""Harmony (Korsunsky et al. 2019), by its public package: clusters that batches share."""

import hashlib
from importlib.util import find_spec

import numpy as np
import pandas as pd

from wellgram.align.affine import AnySample
from wellgram.align.estimator import Alignment
from wellgram.align.sample import RANGE_BITS, RowSample, Sample
from wellgram.align.well_columns import well_column
from wellgram.backends.moments import beyond, exponents
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError, MissingPackage
from wellgram.wells import batch_codes


class Harmony(Alignment):
    """Move the wells of each batch towards the clusters that they share with others.

    Features are standardised over all wells and rotated to their first principal components;
    ``harmonypy.run_harmony`` does the rest, with its own defaults where nothing else is said. Wells
    are corrected as they are clustered, all at once: what was fitted cannot be applied to other
    wells. Needs the package harmonypy (``pip install 'wellgram[harmony]'``).

    Parameters
    ----------
    components
        How many principal components are kept, or as many as there are features; None: features are
        taken as they are, neither standardised nor rotated.
    column
        The column of the wells' metadata that names the batches to be mixed; None: the batches of
        the wells. JUMP's profiles are scaled by plate, and mixed by what was imaged together.
    n_clusters
        How many clusters, of no more than there are wells; None: harmonypy's default.
    iterations
        How many times clusters are found and wells are moved, at the most; None: harmonypy's
        default.
    """

    name = "harmony"

    def __init__(
        self,
        components: int | None = 50,
        *,
        column: str | None = None,
        n_clusters: int | None = None,
        iterations: int | None = None,
    ) -> None:
        self.components = components
        self.column = column
        self.n_clusters = n_clusters
        self.iterations = iterations
        self.check_params()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if self.components is not None and self.components < 2:
            raise InputError(f"components must be 2 or more, not {self.components}")
        if self.n_clusters is not None and self.n_clusters < 2:
            raise InputError(f"n_clusters must be 2 or more, not {self.n_clusters}")
        if self.iterations is not None and self.iterations < 1:
            raise InputError(f"iterations must be 1 or more, not {self.iterations}")

    @property
    def streams(self) -> bool:
        """Whether it can be fitted and applied to wells that are read in chunks: no."""
        return False

    @property
    def keeps_features(self) -> bool:
        """Whether each feature that comes out is the one that went in, not an axis instead."""
        return self.components is None

    @property
    def n_features_out(self) -> int:
        """How many features k come out, once it is fitted."""
        return int(self.corrected_.shape[1])

    def check_columns(self, sample: AnySample) -> None:
        """Raise unless the package is there, and the wells have batches to be mixed."""
        if find_spec("harmonypy") is None:
            raise MissingPackage(
                "harmony needs the package harmonypy, which is not installed: "
                "pip install 'wellgram[harmony]'"
            )
        if len(np.unique(self._batches(sample))) < 2:
            said = sample.said if self.column is None else f"column {self.column!r}"
            raise InputError(f"harmony needs two batches at least ({said})")

    def _batches(self, sample: Sample) -> Codes:
        if self.column is None:
            return sample.codes
        return batch_codes(well_column(sample, [self.column], "batch", self.name))[0]

    def fit_sample(self, sample: Sample) -> None:
        """Correct the rows of a sample, and keep them."""
        import harmonypy

        assert isinstance(sample, RowSample)  # streams are refused by name before
        components = (
            sample.rows.astype(np.float64)
            if self.components is None
            else _components(sample.rows, self.components)
        )
        options = {
            "nclust": None if self.n_clusters is None else min(self.n_clusters, len(components)),
            "max_iter_harmony": self.iterations,
        }
        chosen = {name: value for name, value in options.items() if value is not None}
        found = harmonypy.run_harmony(
            components,
            pd.DataFrame({"batch": self._batches(sample)}),
            "batch",
            verbose=False,
            **chosen,
        )
        corrected = np.asarray(found.Z_corr)
        if corrected.shape != components.shape:  # older versions return components by wells
            corrected = corrected.T
        self.corrected_: Rows = np.ascontiguousarray(corrected, sample.rows.dtype)
        self.digest_ = _digest(sample.rows)

    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return the sample it was fitted to, aligned."""
        assert isinstance(sample, RowSample)
        if _digest(sample.rows) != self.digest_:
            raise InputError("harmony corrects the wells it is fitted to, all at once, no others")
        corrected = self.corrected_
        return sample.mapped(lambda rows, codes: corrected, sample.codes, corrected.shape[1])


def _components(rows: Rows, most: int) -> Rows:
    """Return the first principal components (n, k) of standardised features."""
    x = rows.astype(np.float64)
    largest = np.abs(x).max(axis=0)
    x = np.ldexp(x, -np.where(beyond(largest, RANGE_BITS), exponents(largest), 0))
    x -= x.mean(axis=0)
    deviation = x.std(axis=0)
    x /= np.where(deviation > 0, deviation, 1)
    _, axes = np.linalg.eigh(x.T @ x)
    return np.asarray(x @ axes[:, ::-1][:, : min(most, x.shape[1])])


def _digest(rows: Rows) -> str:
    return hashlib.blake2b(np.ascontiguousarray(rows).tobytes(), digest_size=16).hexdigest()
