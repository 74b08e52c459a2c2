"""The front of every backend: it checks and converts arguments, then calls its kernels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import checks
from wellgram.backends.consumers import Consumer, Extent, State
from wellgram.backends.philox_draws import as_seed
from wellgram.backends.protocol import (
    AffineMaps,
    Codes,
    Floats,
    GroupMoments,
    Kernels,
    Kind,
    PairScan,
    Progress,
    Rows,
    SoftmaxLoss,
    Spread,
)


class CheckedBackend:
    """See `Backend`; `kernels` trust what they are given."""

    def __init__(self, kernels: Kernels):
        self.kernels = kernels

    @property
    def name(self) -> str:
        """See `Backend.name`."""
        return self.kernels.name

    def why_not(self) -> str | None:
        """See `Backend.why_not`."""
        return self.kernels.why_not()

    def describe(self) -> str:
        """See `Backend.describe`."""
        return self.kernels.describe()

    def resident(self, x: Any) -> Any:
        """See `Backend.resident`."""
        return self.kernels.arrays.resident(x)

    def rows_of_columns(self, columns: Sequence[NDArray[Any]]) -> Rows:
        """See `Backend.rows_of_columns`."""
        return self.kernels.rows_of_columns(checks.as_columns(columns))

    def row_faults(self, x: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """See `Backend.row_faults`."""
        return self.kernels.row_faults(self.kernels.arrays.rows(x))

    def group_sums(
        self, x: Rows, codes: Codes, groups: int, out: Floats | None = None
    ) -> tuple[Floats, Codes]:
        """See `Backend.group_sums`."""
        x = self.kernels.arrays.rows(x)
        codes = checks.as_codes(codes, len(x), groups)
        sums = checks.as_sums(out, x, groups)
        self.kernels.group_sums(x, codes, sums)
        return sums, np.bincount(codes[codes >= 0], minlength=groups)

    def group_moments(
        self, x: Rows, codes: Codes, groups: int, spread: Spread = "smaller"
    ) -> GroupMoments:
        """See `Backend.group_moments`."""
        x = self.kernels.arrays.rows(x)
        codes = checks.as_codes(codes, len(x), groups)
        return self.kernels.group_moments(x, codes, groups, spread)

    def group_medians(self, x: Rows, codes: Codes, groups: int) -> Floats:
        """See `Backend.group_medians`."""
        x = self.kernels.arrays.rows(x)
        return self.kernels.group_medians(x, checks.as_codes(codes, len(x), groups), groups)

    def apply_affine(
        self, x: Rows, codes: Codes, maps: AffineMaps, out: Rows | None = None
    ) -> Rows:
        """See `Backend.apply_affine`."""
        rows = self.kernels.arrays.rows(x)
        codes = checks.as_codes(codes, len(rows), len(maps.offset))
        checks.check_maps(rows, maps)
        there = checks.as_out(out, rows, maps) if isinstance(rows, np.ndarray) else None
        mapped = self.kernels.apply_affine(rows, codes, maps, there)
        return self.kernels.arrays.given_back(mapped, x)

    def unit_rows(self, x: Rows) -> tuple[Rows, Codes]:
        """See `Backend.unit_rows`."""
        unit, zero = self.kernels.unit_rows(self.kernels.arrays.rows(x))
        return self.kernels.arrays.given_back(unit, x), zero

    def distance_sums(self, x: Rows, y: Rows, progress: Progress | None = None) -> Floats:
        """See `Backend.distance_sums`."""
        return self.kernels.distance_sums(*self._both(x, y), progress)

    def group_distances(self, x: Rows, codes: Codes, groups: int) -> Floats:
        """See `Backend.group_distances`."""
        x = self.kernels.arrays.rows(x)
        return self.kernels.group_distances(x, checks.as_codes(codes, len(x), groups), groups)

    def softmax_loss(self, x: Rows, codes: Codes, classes: int) -> SoftmaxLoss:
        """See `Backend.softmax_loss`."""
        x = self.kernels.arrays.rows(x)
        codes = checks.as_codes(codes, len(x), classes, 0)
        features, loss = x.shape[1], self.kernels.softmax_loss(x, codes, classes)
        return lambda weights: loss(checks.as_weights(weights, classes, features))

    def null_means(
        self,
        x: Rows,
        pool: Sequence[Codes],
        taken: Sequence[int],
        sizes: Sequence[int],
        draws: int,
        *,
        seed: int,
        stream: int,
        first: int = 0,
        progress: Progress | None = None,
    ) -> Floats:
        """See `Backend.null_means`."""
        x = self.kernels.arrays.rows(x)
        sets = checks.as_sets(x, pool, taken, sizes, first + draws)
        checks.check_draws(draws, 8 * len(sizes))
        named = _named(seed, stream)
        return self.kernels.null_means(x, sets, draws, **named, first=first, progress=progress)

    def kind_means(
        self,
        x: Rows,
        pool: Sequence[Codes],
        kinds: Sequence[Kind],
        draws: int,
        *,
        seed: int,
        streams: Sequence[int],
        first: int = 0,
        progress: Progress | None = None,
    ) -> Floats:
        """See `Backend.kind_means`."""
        x = self.kernels.arrays.rows(x)
        sets = checks.as_set_kinds(x, pool, streams, kinds, first + draws)
        checks.check_draws(draws, 8 * sets.count)
        return self.kernels.kind_means(
            x, sets, draws, seed=as_seed(seed), first=first, progress=progress
        )

    def kind_distances(
        self,
        x: Rows,
        pool: Sequence[Codes],
        kinds: Sequence[Kind],
        centre: Floats,
        draws: int,
        *,
        seed: int,
        streams: Sequence[int],
        first: int = 0,
        progress: Progress | None = None,
    ) -> Floats:
        """See `Backend.kind_distances`."""
        x = self.kernels.arrays.rows(x)
        sets = checks.as_set_kinds(x, pool, streams, kinds, first + draws)
        middle = checks.as_centre(centre, x)
        checks.check_draws(draws, 8 * sets.count)
        return self.kernels.kind_distances(
            x, sets, middle, draws, seed=as_seed(seed), first=first, progress=progress
        )

    def rank_counts(
        self,
        x: Rows,
        y: Rows,
        starts: Codes,
        values: Floats,
        own: NDArray[np.int32],
        other: NDArray[np.int32],
        *,
        absolute: bool = False,
        progress: Progress | None = None,
    ) -> Codes:
        """See `Backend.rank_counts`."""
        x, y = self._both(x, y)
        given = checks.as_rankings(x, y, starts, values, own, other)
        return self.kernels.rank_counts(x, y, given, absolute=absolute, progress=progress)

    def list_scores(
        self, scores: Rows, positives: Codes, negatives: Codes
    ) -> tuple[Floats, Floats]:
        """See `Backend.list_scores`."""
        scores = self.kernels.arrays.rows(scores, "scores")
        lists = checks.as_lists(scores, positives, negatives)
        checks.check_draws(len(lists[1]), 16 * len(scores))
        return self.kernels.list_scores(scores, *lists)

    def null_precisions(
        self, positives: int, total: int, draws: int, *, seed: int, stream: int
    ) -> Floats:
        """See `Backend.null_precisions`."""
        checks.check_ranking(positives, total, draws)
        return self.kernels.null_precisions(positives, total, draws, **_named(seed, stream))

    def random_subsets(
        self,
        pools: Sequence[int],
        taken: Sequence[int],
        draws: int,
        *,
        seed: int,
        stream: int,
        first: int = 0,
    ) -> Codes:
        """See `Backend.random_subsets`."""
        counts = checks.as_subsets(pools, taken, draws, first)
        return self.kernels.random_subsets(*counts, draws, **_named(seed, stream), first=first)

    def resample_counts(
        self, items: int, draws: int, *, seed: int, stream: int, first: int = 0
    ) -> NDArray[np.int32]:
        """See `Backend.resample_counts`."""
        checks.check_resamples(items, draws, first)
        return self.kernels.resample_counts(items, draws, **_named(seed, stream), first=first)

    def pair_cosines(
        self, x: Rows, i: Codes, j: Codes, y: Rows | None = None, *, bfloat16: bool = False
    ) -> Rows:
        """See `Backend.pair_cosines`."""
        x = self.kernels.arrays.rows(x)
        other = None if y is None else self.kernels.arrays.partner(y, x)
        i, j = checks.as_pairs(i, j, x, x if other is None else other)
        checks.check_products(x.dtype, bfloat16)
        return self.kernels.pair_cosines(x, i, j, other, bfloat16=bfloat16)

    def pair_scan(
        self, consumers: Sequence[Consumer], extent: Extent, dtype: Any, *, bfloat16: bool = False
    ) -> PairScan:
        """See `Backend.pair_scan`."""
        return _CheckedScan(self, extent, dtype, self._begun(consumers, extent, dtype, bfloat16))

    def scan_pairs(
        self,
        x: Rows,
        consumers: Sequence[Consumer],
        y: Rows | None = None,
        progress: Progress | None = None,
        *,
        bfloat16: bool = False,
    ) -> list[Any]:
        """See `Backend.scan_pairs`."""
        x = self.kernels.arrays.rows(x)
        other = x if y is None else self.kernels.arrays.partner(y, x)
        extent = Extent(len(x), None if y is None else len(other))
        scan = self._begun(consumers, extent, x.dtype, bfloat16)
        scan.add(x, other, 0, 0, progress)
        return [c.finish(s) for c, s in zip(consumers, scan.states(), strict=True)]

    def _begun(
        self, consumers: Sequence[Consumer], extent: Extent, dtype: Any, bfloat16: bool
    ) -> PairScan:
        checks.check_scan(consumers, extent, dtype, bfloat16)
        return self.kernels.pair_scan(consumers, extent, np.dtype(dtype), bfloat16)

    def _both(self, x: Rows, y: Rows) -> tuple[Rows, Rows]:
        """Return rows x and y, which is x itself where it was."""
        rows = self.kernels.arrays.rows(x)
        return rows, rows if y is x else self.kernels.arrays.partner(y, rows)


class _CheckedScan:
    """See `PairScan`."""

    def __init__(self, checked: CheckedBackend, extent: Extent, dtype: Any, scan: PairScan):
        self._checked, self._extent, self._dtype, self._scan = checked, extent, dtype, scan

    def add(
        self, x: Rows, y: Rows, row: int, column: int, progress: Progress | None = None
    ) -> None:
        x, y = self._checked._both(x, y)
        place = (row, len(x)), (column, len(y))
        checks.check_place(x.dtype, self._dtype, *place, self._extent)
        self._scan.add(x, y, row, column, progress)

    def states(self) -> list[State]:
        return self._scan.states()


def _named(seed: int, stream: int) -> dict[str, Any]:
    """Return what names a draw, as words of 64 bits."""
    return {"seed": as_seed(seed), "stream": as_seed(stream, "stream")}
