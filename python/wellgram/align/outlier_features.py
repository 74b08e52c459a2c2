"""Features with values far from zero, once they are scaled."""

import numpy as np
from numpy.typing import NDArray

from wellgram.align.chosen_features import ChosenFeatures
from wellgram.align.sample import RowSample, Sample
from wellgram.errors import InputError

_CHUNK_FEATURES = 64


class OutlierFeatures(ChosenFeatures):
    """Leave out the features of which one value in a hundred is far from zero.

    A feature goes if the 99th percentile of its absolute values is above `most`. Follows
    ``drop_outlier_features`` of the jump-profiling-recipe (``preprocessing/clean.py``). That recipe
    means to clip the values of the other features too, but clips a copy: published profiles are not
    clipped, and nor are these. Use it after features are scaled. It takes wells that are in memory.

    Parameters
    ----------
    most
        The largest percentile that is kept; 100 as published.
    """

    name = "outlier-features"

    def __init__(self, most: float = 100.0) -> None:
        self.most = most
        self.check_params()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if not self.most > 0:
            raise InputError(f"most must be above 0, not {self.most}")

    @property
    def streams(self) -> bool:
        """Whether it can be fitted to wells that are read in chunks: no, it takes percentiles."""
        return False

    @property
    def remedy(self) -> str:
        """What to do where no feature is left."""
        return "scale the features first, raise most"

    def chosen(self, sample: Sample) -> NDArray[np.bool_]:
        """Return which features are kept, a mask (d,)."""
        assert isinstance(sample, RowSample)  # streams are refused by name before
        kept = np.empty(sample.width, bool)
        for first in range(0, sample.width, _CHUNK_FEATURES):
            some = slice(first, first + _CHUNK_FEATURES)
            columns = np.abs(sample.rows[:, some].T)
            kept[some] = ~(np.quantile(columns, 0.99, axis=1) > self.most)
        return kept
