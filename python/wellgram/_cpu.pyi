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

class Ranks:
    def __init__(self, values: _Floats, kept: Sequence[tuple[int, int]], capacity: int) -> None: ...

class Nearest:
    def __init__(self, most: int, least: int) -> None: ...

class RowMoments:
    def __init__(self) -> None: ...

class WithinGroups:
    def __init__(
        self, rows: NDArray[np.int32], columns: NDArray[np.int32], groups: int
    ) -> None: ...

class Matrix:
    def __init__(self, out: _Rows) -> None: ...

def instruction_sets() -> list[str]: ...
def instruction_set() -> str: ...
def screens() -> list[str]: ...
def screen() -> str: ...
def use_screen(name: str) -> bool: ...
def screened_cosines(
    x: _Rows, y: _Rows, cosines: _Rows, bounds: _Floats, bfloat16: bool = False
) -> None: ...
def scale_screen_bounds(factor: float) -> None: ...
def use_instruction_set(name: str) -> bool: ...
def rows_of_columns(columns: Sequence[_Rows], rows: _Rows, threads: int) -> None: ...
def row_faults(x: _Rows, faults: NDArray[np.uint8], threads: int) -> None: ...
def group_sums(x: _Rows, codes: _Codes, sums: _Floats, threads: int) -> None: ...
def group_squares(
    x: _Rows, codes: _Codes, means: _Floats, squares: _Floats, threads: int
) -> None: ...
def group_medians(x: _Rows, codes: _Codes, medians: _Floats, threads: int) -> None: ...
def centre_rows(x: _Rows, index: _Codes, mean: _Floats, centred: _Floats, threads: int) -> None: ...
def scatter(x: _Rows, index: _Codes, mean: _Floats, out: _Floats, threads: int) -> None: ...
def distance_sums(
    x: _Rows,
    y: _Rows,
    centre: _Floats,
    sums: _Floats,
    threads: int,
    progress: Callable[[float], None] | None,
) -> None: ...
def group_distances(
    x: _Rows, codes: _Codes, centre: _Floats, sums: _Floats, threads: int
) -> None: ...
def row_distances(
    x: _Floats, y: _Floats, half_squares: bool, distances: _Floats, threads: int
) -> None: ...
def pair_distances(x: _Floats, half_squares: bool, distances: _Floats, threads: int) -> None: ...
def group_distance_sums(
    x: _Floats, codes: _Codes, centre: _Floats, sums: _Floats, in_float32: bool, threads: int
) -> None: ...
def null_means(
    x: _Rows,
    pool: _Codes,
    strata: Sequence[int],
    taken: Sequence[int],
    sizes: Sequence[int],
    seed: int,
    stream: int,
    first: int,
    means: _Floats,
    threads: int,
    progress: Callable[[float], None] | None,
) -> None: ...
def kind_means(
    x: _Rows,
    pool: _Codes,
    strata: Sequence[int],
    streams: Sequence[int],
    starts: Sequence[int],
    stratum: Sequence[int],
    taken: Sequence[int],
    seed: int,
    first: int,
    means: _Floats,
    threads: int,
    progress: Callable[[float], None] | None,
) -> None: ...
def kind_distances(
    x: _Rows,
    pool: _Codes,
    strata: Sequence[int],
    streams: Sequence[int],
    starts: Sequence[int],
    stratum: Sequence[int],
    taken: Sequence[int],
    centre: _Floats,
    seed: int,
    first: int,
    sums: _Floats,
    threads: int,
    progress: Callable[[float], None] | None,
) -> None: ...
def resample_counts(
    first: int, seed: int, stream: int, times: NDArray[np.int32], threads: int
) -> None: ...
def random_subsets(
    pools: Sequence[int],
    taken: Sequence[int],
    seed: int,
    stream: int,
    first: int,
    places: _Codes,
    threads: int,
) -> None: ...
def list_scores(
    scores: _Rows,
    positives: _Codes,
    negatives: _Codes,
    precision: _Floats,
    auc: _Floats,
    threads: int,
) -> None: ...
def rank_counts(
    x: _Rows,
    y: _Rows,
    starts: _Codes,
    values: _Floats,
    own: NDArray[np.int32],
    other: NDArray[np.int32],
    absolute: bool,
    counts: _Codes,
    threads: int,
    progress: Callable[[float], None] | None,
) -> None: ...
def numpy_rank_counts(
    kind: int,
    x: _Rows,
    y: _Rows,
    row_squares: _Rows,
    column_squares: _Rows,
    starts: _Codes,
    values: _Floats,
    own: NDArray[np.int32],
    other: NDArray[np.int32],
    absolute: bool,
    counts: _Codes,
    threads: int,
) -> None: ...
def null_precisions(
    positives: int, total: int, seed: int, stream: int, precisions: _Floats, threads: int
) -> None: ...
def shuffled_places(generator: object, total: int, places: NDArray[np.uint32]) -> None: ...
def shuffled_places_pcg64(
    words: NDArray[np.uint64], total: int, places: NDArray[np.uint32]
) -> None: ...
def unit_rows(x: _Rows, out: _Rows, zero: NDArray[np.bool_], threads: int) -> None: ...
def pair_cosines(x: _Rows, y: _Rows, i: _Codes, j: _Codes, out: _Rows, threads: int) -> None: ...
def pair_cosines_bfloat16(
    x: _Rows, y: _Rows, i: _Codes, j: _Codes, out: _Rows, threads: int
) -> None: ...
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

_Recipe = CountBelow | Histogram | Bracket | Ranks | Nearest | RowMoments | WithinGroups | Matrix

class _PairScan:
    def __init__(
        self, rows: int, columns: int | None, recipes: Sequence[_Recipe], threads: int
    ) -> None: ...
    def add(
        self,
        x: _Rows,
        y: _Rows,
        row: int,
        column: int,
        progress: Callable[[float], None] | None,
    ) -> None: ...
    def states(self) -> list[tuple[_Codes, _Rows]]: ...

class PairScanFloat32(_PairScan): ...
class PairScanFloat64(_PairScan): ...
class PairScanBfloat16(_PairScan): ...
