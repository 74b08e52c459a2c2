"""Average precision beside what random rankings would have: `normalize_ap` of copairs."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.backends.protocol import Codes, Floats


def normalized(
    ap: Any,
    M: Any,  # noqa: N803  # the name of copairs
    N: Any,  # noqa: N803  # the name of copairs
    eps: float = 1e-10,
) -> Any:
    """Return (AP - expected) / (1 - expected), from -1 to 1, of M positives and N negatives."""
    scores, positives, negatives = np.atleast_1d(ap), np.atleast_1d(M), np.atleast_1d(N)
    sizes = {len(values) for values in (positives, negatives)} - {1}
    if scores.ndim != 1 or scores.dtype.kind not in "iuf" or not len(scores):
        raise Declined("scores are no list of numbers")
    if any(values.ndim != 1 or values.dtype.kind not in "iu" for values in (positives, negatives)):
        raise Declined("counts are no lists of whole numbers")
    if sizes - {len(scores)}:
        raise Declined("there are more counts than scores, or less")
    expected = np.zeros_like(scores, dtype=float)
    expected[:] = _expected(positives.astype(np.int64), negatives.astype(np.int64))
    result = np.clip((scores - expected) / np.maximum(1 - expected, eps), -1.0, 1.0)
    return float(result[0]) if np.isscalar(ap) else result


def _expected(positives: Codes, negatives: Codes) -> Floats:
    """Return the expected average precision of random rankings, operation by operation."""
    total = positives + negatives
    if (positives < 0).any() or (negatives < 0).any() or (total < 1).any():
        raise Declined("a count is negative, or there is nothing to rank")
    harmonic = _harmonic(int(total.max()))[total]
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = ((positives - 1.0) / (total - 1.0)) * (total - harmonic)
        expected = (1.0 / total) * (rest + harmonic)
    return np.where(positives == 0, 0.0, np.where(negatives == 0, 1.0, expected))


def _harmonic(most: int) -> NDArray[np.float64]:
    """Return the harmonic numbers from the 0-th on, with the bits of Python's sum of floats."""
    terms = 1.0 / np.arange(1, most + 1)
    if sys.version_info < (3, 12):
        return np.append(0.0, np.cumsum(terms))
    # From 3.12 on a sum carries what rounding took from it, and adds that at the end.
    totals, total, lost = [0.0], 0.0, 0.0
    for term in terms.tolist():
        grown = total + term
        lost += (total - grown) + term if total >= term else (term - grown) + total
        total = grown
        totals.append(total + lost)
    return np.array(totals)
