"""Medians of batches, and the medians of the distances from them."""

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows


def medians_and_deviations(rows: Rows, codes: Codes, groups: int) -> tuple[Floats, Floats]:
    """Return the median (groups, d) of each group and its median absolute deviation."""
    run = get_backend()
    medians = run.group_medians(rows, codes, groups)
    with np.errstate(over="ignore"):
        deviations = np.abs(rows - medians[codes])
    return medians, run.group_medians(deviations, codes, groups)
