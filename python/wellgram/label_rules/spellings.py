"""Names that differ from a text by a letter or two: what somebody may have meant."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SHORT = 4
"""Texts up to this length may differ by one letter, longer ones by two"""
_LONGEST = 40
"""Longer texts are no names that somebody types"""


def near_spellings(text: str, names: Sequence[str], most: int = 6) -> list[int]:
    """Return the places of names that a text may mean, the nearest first, then by the alphabet.

    Letters that are missing, added, changed, or swapped with their neighbor are counted (the
    distance of optimal string alignment). The name itself, at distance 0, counts too.

    Examples
    --------
    >>> names = ["mtor", "plk1", "tp53"]
    >>> [names[place] for place in near_spellings("motr", names)]
    ['mtor']
    """
    allowed = 1 if len(text) <= _SHORT else 2
    if not text or len(text) > _LONGEST:
        return []
    lengths = np.fromiter(map(len, names), np.int64, len(names))
    near: list[tuple[int, str, int]] = []
    for length in range(max(1, len(text) - allowed), len(text) + allowed + 1):
        places = np.flatnonzero(lengths == length)
        if len(places):
            letters = _letters([names[place] for place in places.tolist()], length)
            distances = _distances(text, letters)
            near += [
                (int(distances[k]), names[places[k]], int(places[k]))
                for k in np.flatnonzero(distances <= allowed)
            ]
    return [place for _, _, place in sorted(near)[:most]]


def _letters(names: list[str], length: int) -> NDArray[np.uint32]:
    """Return names of one length as numbers of their letters (length, n)."""
    table = np.array(names, f"U{length}").view(np.uint32).reshape(len(names), length)
    return np.ascontiguousarray(table.T)


def _distances(text: str, letters: NDArray[np.uint32]) -> NDArray[np.int8]:
    """Return how many letters apart a text is from each name (length, n): (n,)."""
    length, count = letters.shape
    typed = [np.uint32(ord(letter)) for letter in text]
    same = {letter: letters == letter for letter in set(typed)}
    before_last: list[NDArray[np.int8]] = []
    last = [np.full(count, j, np.int8) for j in range(length + 1)]
    for i, letter in enumerate(typed):
        now = [np.full(count, i + 1, np.int8)]
        for j in range(length):
            changed = last[j] + ~same[letter][j]
            cost = np.minimum(changed, np.minimum(last[j + 1], now[j]) + np.int8(1))
            if i and j:
                swapped = same[letter][j - 1] & same[typed[i - 1]][j]
                cost = np.where(swapped, np.minimum(cost, before_last[j - 1] + np.int8(1)), cost)
            now.append(cost)
        before_last, last = last, now
    return last[length]
