"""What copairs ranks by: 1 less the similarity, both rounded to float32, the least first."""

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Floats

Keys = NDArray[np.float32]


def rank_keys(similarities: NDArray[np.floating]) -> Keys:
    """Return the key of each similarity."""
    return np.asarray(np.float32(1) - similarities.astype(np.float32))


def last_similarity(keys: Keys) -> Floats:
    """Return the greatest similarity whose key is not less: for all above it, the key is less.

    The key is two roundings to nearest, ties to even: of the similarity, and of 1 less that.
    """
    # 1 - x rounds to the key or more from halfway to the key before it on ...
    keys = keys.astype(np.float32)
    least = (keys.astype(np.float64) + np.nextafter(keys, np.float32(-np.inf))) / 2
    x = _floor32(1 - least, inclusive=_is_even(keys))
    # ... and a similarity rounds to that x or less up to halfway to the next.
    most = (x.astype(np.float64) + np.nextafter(x, np.float32(np.inf))) / 2
    return np.where(_is_even(x), most, np.nextafter(most, -np.inf))


def _floor32(values: Floats, inclusive: NDArray[np.bool_]) -> Keys:
    """Return the greatest float32 that is at most each value, or less where not inclusive."""
    rounded = values.astype(np.float32)
    exceeds = np.where(inclusive, rounded > values, rounded >= values)
    return np.where(exceeds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _is_even(values: Keys) -> NDArray[np.bool_]:
    return np.asarray(values.view(np.int32) % 2 == 0)
