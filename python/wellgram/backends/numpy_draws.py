"""What NumPy's own generator draws, for those who must draw the same."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def shuffled_places(
    rng: np.random.Generator, total: int, rows: int, taken: int
) -> NDArray[np.integer[Any]]:
    """Return the places of the first items of shuffles of ``arange(total)``: (rows, taken), sorted.

    The same draws as ``rng.permuted`` of a table of these rows: equal to its first columns, each
    row sorted, and the generator is left in the same state.
    """
    try:
        from wellgram._cpu import shuffled_places as draw
    except ImportError:  # an install without a compiler
        table = np.tile(np.arange(total), (rows, 1))
        return np.sort(rng.permuted(table, axis=1, out=table)[:, :taken], axis=1)
    places = np.empty((rows, taken), np.uint32)
    draw(rng.bit_generator.capsule, total, places)
    return places
