"""The oracle: every primitive in plain NumPy float64, written to be read.

Slow and sure. The conformance suite holds every other backend against these lines.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import main_memory
from wellgram.backends.consumers import Consumer, Extent, Met, State
from wellgram.backends.moments import lengths
from wellgram.backends.philox_draws import under
from wellgram.backends.protocol import (
    AffineMaps,
    Codes,
    Floats,
    GroupMoments,
    Progress,
    Rankings,
    Rows,
    SetKinds,
    Sets,
    SoftmaxLoss,
    Spread,
)
from wellgram.backends.sets_by_kind import SetPrimitives, distances_by_kind, means_by_kind

name = "reference"
arrays = main_memory


def why_not() -> None:
    """Return None: NumPy is always there."""


def describe() -> str:
    """Return how it runs."""
    return f"NumPy {np.__version__}, float64"


def _groups(codes: Codes, groups: int) -> Iterator[tuple[int, Codes]]:
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(groups + 1))
    for g in range(groups):
        yield g, order[bounds[g] : bounds[g + 1]]


def rows_of_columns(columns: list[NDArray[Any]]) -> Rows:
    """See `Kernels.rows_of_columns`."""
    return np.stack(columns, axis=1)


def row_faults(x: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """See `Kernels.row_faults`."""
    return np.asarray(~np.isfinite(x).all(axis=1)), np.asarray(~x.any(axis=1))


def group_sums(x: Rows, codes: Codes, sums: Floats) -> None:
    """See `Kernels.group_sums`."""
    for g, rows in _groups(codes, len(sums)):
        sums[g] += x[rows].astype(np.float64).sum(axis=0)


def group_moments(x: Rows, codes: Codes, groups: int, spread: Spread) -> GroupMoments:
    """See `Kernels.group_moments`."""
    counts = np.bincount(codes[codes >= 0], minlength=groups)
    means = np.full((groups, x.shape[1]), np.nan)
    spreads: list[Floats] = []
    for g, rows in _groups(codes, groups):
        members = x[rows].astype(np.float64)
        if len(members):
            means[g] = members.mean(axis=0)
        centred = members - means[g]
        if spread == "variances":
            spreads.append(np.square(centred).sum(axis=0))
        elif spread == "rows" or len(rows) < x.shape[1]:
            spreads.append(centred)
        else:
            spreads.append(centred.T @ centred)
    return GroupMoments(counts, means, spreads, spread)


def group_medians(x: Rows, codes: Codes, groups: int) -> Floats:
    """See `Kernels.group_medians`."""
    medians = np.full((groups, x.shape[1]), np.nan)
    for g, rows in _groups(codes, groups):
        if len(rows):
            medians[g] = np.median(x[rows].astype(np.float64), axis=0)
    return medians


def apply_affine(x: Rows, codes: Codes, maps: AffineMaps, out: Rows) -> Rows:
    """See `Kernels.apply_affine`."""
    y = np.full((len(x), maps.features), np.nan)
    for b, rows in _groups(codes, len(maps.offset)):
        z = x[rows].astype(np.float64) - maps.shift
        if maps.basis is not None:
            z = z @ maps.basis
        z -= maps.offset[b]
        factor = maps.factors[b]
        y[rows] = z * maps.scale[b] + ((z @ factor) * maps.gains[b]) @ factor.T
    out[...] = y
    return out


def distance_sums(x: Rows, y: Rows, progress: Progress | None) -> Floats:
    """See `Kernels.distance_sums`."""
    wide = y.astype(np.float64)
    sums = np.zeros(len(x))
    for i, row in enumerate(x.astype(np.float64)):
        sums[i] = lengths(wide - row).sum()
        if progress is not None:
            progress((i + 1) / len(x))
    return sums


def group_distances(x: Rows, codes: Codes, groups: int) -> Floats:
    """See `Kernels.group_distances`."""
    sums = [distance_sums(x[rows], x[rows], None).sum() / 2 for _, rows in _groups(codes, groups)]
    return np.array(sums, np.float64)


def softmax_loss(x: Rows, codes: Codes, classes: int) -> SoftmaxLoss:
    """See `Kernels.softmax_loss`."""
    wide = x.astype(np.float64)
    own = np.arange(len(wide)), codes

    def at(weights: Floats) -> tuple[float, Floats]:
        scores = wide @ weights[:, :-1].T + weights[:, -1]
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        totals = odds.sum(axis=1)
        slopes = odds / totals[:, None]
        slopes[own] -= 1
        gradient = np.hstack([slopes.T @ wide, slopes.sum(axis=0)[:, None]])
        return float((np.log(totals) - scores[own]).sum()), gradient

    return at


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
    starts = np.repeat(np.cumsum([0, *sets.strata])[:-1], sets.taken)
    k = np.array(sets.sizes, np.float64)
    means = np.empty((len(k), draws))
    for r in range(draws):
        chosen = sets.pool[starts + _subsets(sets.strata, sets.taken, seed, stream, first + r)]
        sums = np.cumsum(x[chosen], axis=0, dtype=np.float64)[k.astype(int) - 1]
        mean = (np.square(sums).sum(axis=1) - k) / (k * (k - 1))
        means[:, r] = np.rint(mean * 2.0**40) / 2.0**40
        if progress is not None:
            progress((r + 1) / draws)
    return means


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
    wide = y.astype(np.float64)
    for i, row in enumerate(x.astype(np.float64)):
        # One product per pair, as pair_cosines has it: a matrix product rounds otherwise.
        cosines = np.array([row @ one for one in wide], np.float64)
        compared = (given.own[:, i, None] != given.other).all(axis=0)
        found = (np.abs(cosines) if absolute else cosines)[compared]
        own_values = slice(*given.starts[i : i + 2])
        counts[own_values] = (found > given.values[own_values, None]).sum(axis=1)
        if progress is not None:
            progress((i + 1) / len(x))
    return counts


def list_scores(scores: Rows, positives: Codes, negatives: Codes) -> tuple[Floats, Floats]:
    """See `Kernels.list_scores`."""
    high, low = scores[:, None, positives], scores[:, negatives]
    present = ~np.isnan(high)
    among = (high[..., None, :] >= high[..., :, None]).sum(axis=-1)
    up_to = (low[..., None, :] >= high[..., :, None]).sum(axis=-1)
    above = (low[..., None, :] > high[..., :, None]).sum(axis=-1)
    p, n = present.sum(axis=-1), (~np.isnan(low)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(present, among / (among + up_to), 0).sum(axis=-1) / p
        auc = 1 - np.where(present, (up_to + above) / 2, 0).sum(axis=-1) / p / n
    none = (p == 0) | (n == 0)
    return np.where(none, np.nan, precision), np.where(none, np.nan, auc)


def null_precisions(positives: int, total: int, draws: int, *, seed: int, stream: int) -> Floats:
    """See `Kernels.null_precisions`."""
    taken = min(positives, total - positives)
    t = np.arange(1, positives + 1)
    precisions = np.empty(draws)
    for r in range(draws):
        chosen = np.isin(np.arange(total), _subsets([total], [taken], seed, stream, r))
        places = np.flatnonzero(chosen if taken == positives else ~chosen)
        precisions[r] = (t / (places + 1)).mean()
    return precisions


def random_subsets(
    pools: list[int], taken: list[int], draws: int, *, seed: int, stream: int, first: int
) -> Codes:
    """See `Kernels.random_subsets`."""
    sets = [_subsets(pools, taken, seed, stream, first + r) for r in range(draws)]
    return np.array(sets, np.int64).reshape(draws, sum(taken))


def _subsets(
    pools: Sequence[int], taken: Sequence[int], seed: int, stream: int, index: int
) -> Codes:
    """Return the places (all taken,) that one draw takes of each pool: a shuffle's first steps."""
    left = [pool - np.arange(count) for pool, count in zip(pools, taken, strict=True)]
    steps = iter(under(np.concatenate([np.empty(0, np.int64), *left]), seed, stream, index))
    found = [np.empty(0, np.int64)]
    for pool, count in zip(pools, taken, strict=True):
        order = np.arange(pool)
        for i, step in zip(range(count), steps, strict=False):
            order[[i, i + step]] = order[[i + step, i]]
        found.append(order[:count])
    return np.concatenate(found)


def resample_counts(
    items: int, draws: int, *, seed: int, stream: int, first: int
) -> NDArray[np.int32]:
    """See `Kernels.resample_counts`."""
    index = np.arange(first, first + draws)
    drawn = under(np.full(items, items), seed, stream, index)
    counts = [np.bincount(row, minlength=items) for row in drawn]
    return np.array(counts, np.int32).reshape(draws, items)


def unit_rows(x: Rows) -> tuple[Rows, Codes]:
    """See `Kernels.unit_rows`."""
    wide = x.astype(np.float64)
    largest = np.abs(wide).max(axis=1, initial=0)
    finite, zero = np.isfinite(largest), largest == 0
    wide[~finite] = np.nan
    _, exponent = np.frexp(np.where(finite, largest, 1))
    scaled = np.ldexp(wide, -exponent[:, None])  # a power of two: rounds nothing, cannot overflow
    length = np.sqrt(np.square(scaled).sum(axis=1))
    length[zero] = 1
    return (scaled / length[:, None]).astype(x.dtype), np.flatnonzero(zero)


def _wide(x: Rows, bfloat16: bool) -> Floats:
    """Return rows in float64, rounded to the upper half of a float32 first if asked for."""
    return as_bfloat16(x).astype(np.float64) if bfloat16 else x.astype(np.float64)


def as_bfloat16(x: Rows) -> NDArray[np.float32]:
    """Return float32 rows rounded to bfloat16: to the nearest, ties to even."""
    bits = (
        np.where(np.isnan(x), np.float32(np.nan), x.astype(np.float32))
        .view(np.uint32)
        .astype(np.uint64)
    )
    upper = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
    return upper.astype(np.uint32).view(np.float32)


def pair_cosines(x: Rows, i: Codes, j: Codes, y: Rows | None, *, bfloat16: bool) -> Rows:
    """See `Kernels.pair_cosines`."""
    other = x if y is None else y
    left, right = _wide(x, bfloat16), _wide(other, bfloat16)
    return np.array([left[a] @ right[b] for a, b in zip(i, j, strict=True)], dtype=np.float64)


class _PairScan:
    """See `PairScan`."""

    def __init__(self, consumers: Sequence[Consumer], extent: Extent, dtype: Any, bfloat16: bool):
        self._consumers, self._extent = consumers, extent
        self._dtype, self._bfloat16 = dtype, bfloat16
        self._states = [consumer.start(extent) for consumer in consumers]

    def add(
        self, x: Rows, y: Rows, row: int, column: int, progress: Progress | None = None
    ) -> None:
        left, right = _wide(x, self._bfloat16), _wide(y, self._bfloat16)
        for i, one in enumerate(left):
            first = max(0, row + i + 1 - column) if self._extent.symmetric else 0
            # One product per pair, as pair_cosines has it: a matrix product rounds otherwise.
            cosines = np.array([one @ other for other in right[first:]], dtype=np.float64)
            j = np.arange(first, first + len(cosines)) + column
            met = Met(cosines, np.full(len(j), row + i), j, self._extent.symmetric)
            self._states = [
                c.absorb(s, met) for c, s in zip(self._consumers, self._states, strict=True)
            ]
            if progress:
                progress((i + 1) / len(left))

    def states(self) -> list[State]:
        return self._states


def pair_scan(
    consumers: Sequence[Consumer], extent: Extent, dtype: "np.dtype[Any]", bfloat16: bool
) -> _PairScan:
    """See `Kernels.pair_scan`."""
    return _PairScan(consumers, extent, dtype, bfloat16)
