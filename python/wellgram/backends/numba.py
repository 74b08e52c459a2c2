"""The processor without a compiler at install: loops compiled by Numba at their first call.

Needs the package ``numba`` (``pip install 'wellgram[numba]'``). ``WELLGRAM_NUM_THREADS`` sets the
number of threads, up to the processors there are. What NumPy does well, matrix products in float64
above all, is left to it, as in the reference.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import main_memory, numpy_softmax, reference
from wellgram.backends.consumers import (
    Bracket,
    Consumer,
    CountBelow,
    Extent,
    Histogram,
    Met,
    Nearest,
    Ranks,
    RowMoments,
    State,
)
from wellgram.backends.consumers.areas import Area, ByDefinition
from wellgram.backends.moments import amid
from wellgram.backends.protocol import Codes, Floats, Progress, Rankings, Rows, SetKinds, Sets
from wellgram.backends.sets_by_kind import SetPrimitives, distances_by_kind, means_by_kind
from wellgram.backends.thread_count import in_words, threads

try:
    import numba

    from wellgram.backends import numba_kernels as kernels
except ImportError as problem:
    _missing: str | None = f"{problem}; pip install numba"
else:
    _missing = None

name = "numba"
arrays = main_memory

rows_of_columns = reference.rows_of_columns
group_moments = reference.group_moments
apply_affine = reference.apply_affine
softmax_loss = numpy_softmax.softmax_loss


def why_not() -> str | None:
    """Return why the backend cannot run here, or None."""
    return _missing


def describe() -> str:
    """Return the version of Numba and the number of threads."""
    return f"numba {numba.__version__}, {in_words(_use_threads())}"


def _use_threads() -> int:
    """Let Numba use as many threads as are wanted, and return how many that is."""
    config: Any = numba.config  # its settings are not declared
    count = min(threads(), int(config.NUMBA_NUM_THREADS))
    numba.set_num_threads(count)
    return count


def row_faults(x: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """See `Kernels.row_faults`."""
    faults = np.empty(len(x), np.uint8)
    _use_threads()
    kernels.row_faults(x, faults)
    return faults == 1, faults == 2


def group_sums(x: Rows, codes: Codes, sums: Floats) -> None:
    """See `Kernels.group_sums`."""
    _use_threads()
    kernels.group_sums(x, codes, sums)


def group_medians(x: Rows, codes: Codes, groups: int) -> Floats:
    """See `Kernels.group_medians`."""
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(groups + 1))
    medians = np.empty((groups, x.shape[1]))
    _use_threads()
    kernels.group_medians(x, order, bounds, medians)
    return medians


def distance_sums(x: Rows, y: Rows, progress: Progress | None) -> Floats:
    """See `Kernels.distance_sums`."""
    centre = amid(y)
    others = y.astype(np.float64) - centre
    sums = np.zeros(len(x))
    for first in range(0, len(x), _BLOCK):
        rows = x[first : first + _BLOCK].astype(np.float64) - centre
        apart = _distances(rows, others, x[first : first + _BLOCK], y)
        sums[first : first + _BLOCK] = apart.sum(axis=1)
        if progress is not None:
            progress((first + len(rows)) / len(x))
    return sums


def group_distances(x: Rows, codes: Codes, groups: int) -> Floats:
    """See `Kernels.group_distances`."""
    centre = amid(x)
    sums = np.zeros(groups)
    for g in range(groups):
        members = x[codes == g]
        rows = members.astype(np.float64) - centre
        for first in range(0, len(rows), _BLOCK):
            block = slice(first, first + _BLOCK)
            apart = _distances(rows[block], rows[first:], members[block], members[first:])
            np.fill_diagonal(apart, 0)
            # Those within the block are met twice.
            sums[g] += apart[:, : len(apart)].sum() / 2 + apart[:, len(apart) :].sum()
    return sums


_BLOCK = 512


def _distances(x: Floats, y: Floats, raw: Rows, raw_y: Rows) -> Floats:
    """Return the distances of centred rows; from differences of the raw ones where squares fail."""
    with np.errstate(over="ignore", invalid="ignore"):
        both = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1)
        squares = both - 2 * (x @ y.T)
        kept = (squares > 2.0**-16 * both) & (both > 2.0**-900) & (both < 2.0**900)
        distances = np.sqrt(np.maximum(squares, 0))
    if not kept.all():
        _use_threads()
        kernels.distances_apart(raw, raw_y, ~kept, distances)
    return np.asarray(distances)


def null_means(
    x: Rows,
    sets: Sets,
    draws: int,
    *,
    seed: int,
    stream: int,
    first: int,
    progress: Progress | None,
) -> Floats:
    """See `Kernels.null_means`."""
    means = np.empty((len(sets.sizes), draws))
    at_once = max(1, _DRAWN_AT_ONCE // sets.sizes[-1])
    for done in range(0, draws, at_once):
        part = means[:, done : done + at_once]
        drawn = _subsets(
            sets.pool, sets.strata, sets.taken, part.shape[1], seed, stream, first + done
        )
        _use_threads()
        kernels.set_means(x, drawn, np.array(sets.sizes), part)
        if progress is not None:
            progress((done + part.shape[1]) / draws)
    return means


_DRAWN_AT_ONCE = 1 << 20


def _subsets(
    pool: Codes,
    strata: Sequence[int],
    taken: Sequence[int],
    draws: int,
    seed: int,
    stream: int,
    first: int = 0,
) -> Codes:
    key, counter = np.uint64(seed), np.uint64(stream)
    places = np.empty((draws, sum(taken)), np.int64)
    _use_threads()
    kernels.random_subsets(
        pool, np.array(strata, np.int64), np.array(taken, np.int64), key, counter, first, places
    )
    return places


def random_subsets(
    pools: list[int], taken: list[int], draws: int, *, seed: int, stream: int, first: int
) -> Codes:
    """See `Kernels.random_subsets`."""
    every = np.concatenate([np.empty(0, np.int64), *map(np.arange, pools)])
    return _subsets(every, pools, taken, draws, seed, stream, first)


def resample_counts(
    items: int, draws: int, *, seed: int, stream: int, first: int
) -> NDArray[np.int32]:
    """See `Kernels.resample_counts`."""
    times = np.empty((draws, items), np.int32)
    _use_threads()
    kernels.resample_counts(first, np.uint64(seed), np.uint64(stream), times)
    return times


def null_precisions(positives: int, total: int, draws: int, *, seed: int, stream: int) -> Floats:
    """See `Kernels.null_precisions`."""
    few = min(positives, total - positives)
    precisions = np.empty(draws)
    places = _subsets(np.arange(total), [total], [few], draws, seed, stream)
    kernels.ranking_precisions(places, positives, total, precisions)
    return precisions


def list_scores(scores: Rows, positives: Codes, negatives: Codes) -> tuple[Floats, Floats]:
    """See `Kernels.list_scores`."""
    precision, auc = (np.empty((len(scores), len(negatives))) for _ in range(2))
    _use_threads()
    kernels.list_scores(scores, positives, negatives, precision, auc)
    return precision, auc


def unit_rows(x: Rows) -> tuple[Rows, Codes]:
    """See `Kernels.unit_rows`."""
    unit = np.empty(x.shape, x.dtype)
    zero = np.empty(len(x), bool)
    _use_threads()
    kernels.unit_rows(x, unit, zero)
    return unit, np.flatnonzero(zero)


def _rounded(x: Rows, bfloat16: bool) -> Rows:
    """Return rows as they are multiplied: rounded to bfloat16 if asked for."""
    wide: Rows = reference.as_bfloat16(x) if bfloat16 else x
    return np.ascontiguousarray(wide)


def pair_cosines(x: Rows, i: Codes, j: Codes, y: Rows | None, *, bfloat16: bool) -> Rows:
    """See `Kernels.pair_cosines`."""
    other = x if y is None else y
    out = np.empty(len(i), x.dtype)
    _use_threads()
    kernels.pair_dots(_rounded(x, bfloat16), _rounded(other, bfloat16), i, j, out)
    return out


def _panels(y: Rows) -> Rows:
    panels = np.empty((-(-len(y) // kernels.COLUMNS), y.shape[1], kernels.COLUMNS), y.dtype)
    _use_threads()
    kernels.pack(y, panels)
    return panels


def kind_means(
    x: Rows, kinds: SetKinds, draws: int, *, seed: int, first: int, progress: Progress | None
) -> Floats:
    """See `Kernels.kind_means`."""
    return means_by_kind(_set_primitives(), x, kinds, draws, seed, first, progress)


def kind_distances(
    x: Rows,
    kinds: SetKinds,
    centre: Floats,
    draws: int,
    *,
    seed: int,
    first: int,
    progress: Progress | None,
) -> Floats:
    """See `Kernels.kind_distances`."""
    return distances_by_kind(_set_primitives(), x, kinds, draws, seed, first, progress)


def _set_primitives() -> SetPrimitives:
    return SetPrimitives(random_subsets, group_sums, group_distances)


def rank_counts(
    x: Rows, y: Rows, given: Rankings, *, absolute: bool, progress: Progress | None
) -> Codes:
    """See `Kernels.rank_counts`."""
    counts = np.zeros(len(given.values), np.int64)
    panels = _panels(np.ascontiguousarray(y))
    x = np.ascontiguousarray(x)
    for first in range(0, len(x), kernels.ROWS):
        rows = x[first : first + kernels.ROWS]
        tile = np.empty((len(rows), kernels.COLUMNS), x.dtype)
        marks = given.starts[first : first + len(rows) + 1]
        labels = np.ascontiguousarray(given.own[:, first : first + len(rows)])
        for q, panel in enumerate(panels):
            column = q * kernels.COLUMNS
            kernels.products(rows, panel, tile)
            present = min(kernels.COLUMNS, len(y) - column)
            kernels.count_above(
                tile, column, present, marks, given.values, labels, given.other, absolute, counts
            )
        if progress is not None:
            progress((first + len(rows)) / len(x))
    # Counted at the last value a cell is above, which it is above all values before.
    sums = np.append(np.cumsum(counts[::-1])[::-1], 0)
    ends = np.repeat(given.starts[1:], np.diff(given.starts))
    return np.asarray(sums[:-1] - sums[ends])


def _by_cosines(consumer: Consumer, state: State, area: Area) -> State:
    """By definition, of a consumer that does not ask for rows."""
    nowhere = np.empty(0, np.int64)
    return consumer.absorb(state, Met(area.cosines, nowhere, nowhere, area.symmetric))


def _ranks(consumer: Ranks, state: State, area: Area) -> State:
    cosines = area.cosines.astype(np.float64)
    places = np.empty(len(cosines), np.int64)
    kernels.search(consumer.keys, cosines, places)
    return consumer.placed(state, cosines, places)


def _nearest(consumer: Nearest, state: State, area: Area) -> State:
    for sign, partners, cosines in consumer.sides(state):
        if partners.shape[1]:
            kernels.nearest(
                area.cells, area.row, area.column, area.symmetric, sign, partners, cosines
            )
    return state


def _row_moments(consumer: RowMoments, state: State, area: Area) -> State:
    sums = state.counts.reshape(3, -1)
    kernels.row_moments(area.cells, area.row, area.column, area.symmetric, sums)
    return state


_TWINS: dict[type, Callable[[Any, State, Area], State]] = {
    CountBelow: _by_cosines,
    Histogram: _by_cosines,
    Bracket: _by_cosines,
    Ranks: _ranks,
    Nearest: _nearest,
    RowMoments: _row_moments,
}
"""Consumers that are quicker here than by their definition, which others go by"""


class _PairScan:
    """See `PairScan`."""

    def __init__(self, consumers: Sequence[Consumer], extent: Extent, dtype: Any, bfloat16: bool):
        self._extent, self._dtype, self._bfloat16 = extent, dtype, bfloat16
        self._defined = ByDefinition(consumers, _TWINS, extent)
        self._states = [consumer.start(extent) for consumer in self._defined.twinned]

    def add(
        self, x: Rows, y: Rows, row: int, column: int, progress: Progress | None = None
    ) -> None:
        x, y = _rounded(x, self._bfloat16), _rounded(y, self._bfloat16)
        panels = _panels(y)
        starts = range(0, len(x), kernels.ROWS)
        for k, first in enumerate(starts):
            rows = x[first : first + kernels.ROWS]
            whole = np.empty((len(rows), kernels.COLUMNS), x.dtype)
            for q, panel in enumerate(panels):
                begin = column + q * kernels.COLUMNS
                present = min(kernels.COLUMNS, len(y) - q * kernels.COLUMNS)
                if not self._extent.has_pairs(row + first, begin + present):
                    continue
                kernels.products(rows, panel, whole)
                self._absorb(whole[:, :present], row + first, begin)
            if progress is not None and len(panels):
                progress((k + 1) / len(starts))

    def _absorb(self, tile: Rows, row: int, column: int) -> None:
        area = Area(tile, row, column, self._extent.symmetric)
        for k, (consumer, state) in enumerate(
            zip(self._defined.twinned, self._states, strict=True)
        ):
            self._states[k] = _TWINS[type(consumer)](consumer, state, area)
        if self._defined:
            self._defined.absorb(tile, row, column)

    def states(self) -> list[State]:
        return self._defined.joined(
            [State(state.counts, state.values.astype(self._dtype)) for state in self._states]
        )


def pair_scan(
    consumers: Sequence[Consumer], extent: Extent, dtype: "np.dtype[Any]", bfloat16: bool
) -> _PairScan:
    """See `Kernels.pair_scan`."""
    return _PairScan(consumers, extent, dtype, bfloat16)
