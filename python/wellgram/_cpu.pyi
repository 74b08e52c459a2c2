"""Typed view of the C++ extension; the shapes are those of `wellgram.backends.protocol`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Rows = NDArray[np.floating[Any]]
_Floats = NDArray[np.float64]
_Codes = NDArray[np.int64]

class CountBelow:
    def __init__(self, thresholds: Sequence[float]) -> None: ...

class Histogram:
    def __init__(self, low: float, high: float, bins: int) -> None: ...

class Bracket:
    def __init__(self, low: float, high: float, capacity: int) -> None: ...

def instruction_sets() -> list[str]: ...
def instruction_set() -> str: ...
def use_instruction_set(name: str) -> bool: ...
def group_sums(x: _Rows, codes: _Codes, sums: _Floats, threads: int) -> None: ...
def group_medians(x: _Rows, codes: _Codes, medians: _Floats, threads: int) -> None: ...
def centre_rows(x: _Rows, index: _Codes, mean: _Floats, centred: _Floats, threads: int) -> None: ...
def scatter(x: _Rows, index: _Codes, mean: _Floats, out: _Floats, threads: int) -> None: ...
def unit_rows(x: _Rows, out: _Rows, zero: NDArray[np.bool_], threads: int) -> None: ...
def pair_cosines(x: _Rows, y: _Rows, i: _Codes, j: _Codes, out: _Rows, threads: int) -> None: ...
def apply_affine(
    x: _Rows,
    codes: _Codes,
    shift: _Floats,
    basis: _Floats | None,
    offset: _Floats,
    scale: _Floats,
    factors: Sequence[_Floats],
    gains: Sequence[_Floats],
    y: _Rows,
    threads: int,
) -> None: ...
def scan_pairs(
    x: _Rows,
    y: _Rows | None,
    recipes: Sequence[CountBelow | Histogram | Bracket],
    threads: int,
    progress: Callable[[float], None] | None,
) -> list[tuple[_Codes, _Floats]]: ...
