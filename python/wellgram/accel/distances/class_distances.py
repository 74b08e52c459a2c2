"""Sums of the cosine distances of each row to the rows of each class."""

import numpy as np

from wellgram.backends.protocol import Codes, Floats, Rows


def cosine_sums(units: Rows, codes: Codes, classes: int) -> Floats:
    """Return the sums (n, classes) of one less the cosines of each row with those of each class.

    Rows have length 1, or are zero: those are at a distance of 1 from all others.
    """
    totals = np.zeros((classes, units.shape[1]))
    np.add.at(totals, codes, units)
    sums = np.bincount(codes, minlength=classes) - units @ totals.T
    own = 1 - np.einsum("ij,ij->i", units, units)  # a row's distance from itself is 0
    sums[np.arange(len(units)), codes] -= own
    return np.asarray(np.maximum(sums, 0))
