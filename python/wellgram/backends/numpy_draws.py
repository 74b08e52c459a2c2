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
        from wellgram._cpu import shuffled_places_pcg64 as draw_pcg64
    except ImportError:  # an install without a compiler
        table = np.tile(np.arange(total), (rows, 1))
        return np.sort(rng.permuted(table, axis=1, out=table)[:, :taken], axis=1)
    places = np.empty((rows, taken), np.uint32)
    if type(rng.bit_generator) is not np.random.PCG64:
        draw(rng.bit_generator.capsule, total, places)
        return places
    with rng.bit_generator.lock:
        state: Any = rng.bit_generator.state
        words = _words_of(state)
        draw_pcg64(words, total, places)
        rng.bit_generator.state = _with_words(state, words)
    return places


def _words_of(state: dict[str, Any]) -> NDArray[np.uint64]:
    """Return the state of a PCG64 as the compiled core takes it."""
    numbers = state["state"]["state"], state["state"]["inc"]
    halves = [half for number in numbers for half in divmod(number, 1 << 64)]
    return np.array([*halves, state["has_uint32"], state["uinteger"]], np.uint64)


def _with_words(state: dict[str, Any], words: NDArray[np.uint64]) -> Any:
    """Return the state as it has become."""
    high, low, _, _, kept, upper = words.tolist()
    inner = {**state["state"], "state": (high << 64) + low}
    return {**state, "state": inner, "has_uint32": kept, "uinteger": upper}
