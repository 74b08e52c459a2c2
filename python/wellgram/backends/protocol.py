"""The primitives: the whole contract between the library and a backend.

Callers see a `Backend`, which checks what it is given (`backends.front`); what is behind it, and
differs from one to another, are `Kernels`.

Arrays are NumPy, n rows by d features, float32 or float64 (float16 is widened). Kernels compute in
the type of their input and add many rows up in float64. A *code* array gives each row its group:
integers in [0, groups), or -1 for a row of no group.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.consumers import Consumer, Extent, State
from wellgram.backends.moments import Codes, Floats, GroupMoments, Moments, Spread

__all__ = ["Codes", "Floats", "GroupMoments", "Moments", "Spread"]  # part of the contract

Rows = NDArray[np.floating[Any]]
Progress = Callable[[float], None]

SoftmaxLoss = Callable[[Floats], tuple[float, Floats]]
"""See `Backend.softmax_loss`."""


@dataclass(frozen=True)
class AffineMaps:
    """One affine map per batch, d features to k.

    For a row x of batch b, with z = (x - shift) basis - offset[b]::

        y = z * scale[b] + ((z factors[b]) * gains[b]) factors[b]'

    that is, a shared linear map, then a diagonal and a low-rank correction of the batch's own.
    """

    shift: Floats
    """(d,)"""
    basis: Floats | None
    """(d, k), or None for the identity"""
    offset: Floats
    """(b, k)"""
    scale: Floats
    """(b, k)"""
    factors: tuple[Floats, ...]
    """Per batch (k, r_b); r_b may be 0"""
    gains: tuple[Floats, ...]
    """Per batch (r_b,)"""

    @property
    def features(self) -> int:
        """The number of features k that come out."""
        return int(self.offset.shape[1])


@dataclass(frozen=True)
class Sets:
    """Random sets to be drawn: see `Backend.null_means`."""

    pool: Codes
    """The rows of all strata, one stratum after another"""
    strata: list[int]
    """How many rows each stratum has"""
    taken: list[int]
    sizes: list[int]


Kind = tuple[Sequence[int], Sequence[int]]
"""Some strata, and how many rows a set has of each"""


@dataclass(frozen=True)
class SetKinds:
    """Random sets of several kinds that share shuffles: see `Backend.kind_means`."""

    pool: Codes
    """The rows of all strata, one stratum after another"""
    strata: list[int]
    """How many rows each stratum has"""
    streams: list[int]
    """The stream of the shuffle of each"""
    starts: list[int]
    """Kind k has the parts from ``starts[k]`` to ``starts[k + 1]``"""
    stratum: list[int]
    """Of each part, its stratum"""
    taken: list[int]
    """And how many rows a set has of that"""

    @property
    def count(self) -> int:
        """How many kinds there are."""
        return len(self.starts) - 1


@dataclass(frozen=True)
class Rankings:
    """What is to be ranked: see `Backend.rank_counts`."""

    starts: Codes
    values: Floats
    own: NDArray[np.int32]
    other: NDArray[np.int32]


class PairScan(Protocol):
    """A pass over all pairs, made piece by piece."""

    def add(
        self, x: Rows, y: Rows, row: int, column: int, progress: Progress | None = None
    ) -> None:
        """Hand over the pairs of rows x, which are those from `row` on, with y, from `column` on.

        In a pass of a map against itself, the pairs i < j among them. Rows have length 1.
        """

    def states(self) -> list[State]:
        """End the pass; return the merged state of each consumer."""


class Backend(Protocol):
    """What callers see of every backend.

    Raises InputError where arguments do not fit, in the same words on every backend.
    """

    @property
    def name(self) -> str:
        """The name it is chosen by."""

    def why_not(self) -> str | None:
        """Return why it cannot run here, or None where it can."""

    def describe(self) -> str:
        """Return one line on how it runs here: instruction set, threads."""

    def resident(self, x: Any) -> Any:
        """Return x as rows of the device it runs on, if it lies there, else None."""

    def rows_of_columns(self, columns: Sequence[NDArray[Any]]) -> Rows:
        """Return rows (n, d) of columns (n,), which may lie anywhere.

        float32 if all columns are float32 or float16, else float64.
        """

    def row_faults(self, x: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which rows hold a NaN or an Inf, and which are all zero: (n,) each."""

    def group_sums(
        self, x: Rows, codes: Codes, groups: int, out: Floats | None = None
    ) -> tuple[Floats, Codes]:
        """Return the sums (g, d) and the counts (g,) of the rows of each group.

        Sums are added to `out` where that is given, and it is returned; counts are of x alone.
        """

    def group_moments(
        self, x: Rows, codes: Codes, groups: int, spread: Spread = "smaller"
    ) -> GroupMoments:
        """Return count, mean and spread of each group, accumulated in float64."""

    def group_medians(self, x: Rows, codes: Codes, groups: int) -> Floats:
        """Return the medians (g, d) of each feature; NaN for an empty group or where one is NaN."""

    def apply_affine(
        self, x: Rows, codes: Codes, maps: AffineMaps, out: Rows | None = None
    ) -> Rows:
        """Return y (n, k) in the type of x: each row by its batch's map; NaN for code -1.

        Written to `out` where that is given, which may be x itself if k is d.
        """

    def unit_rows(self, x: Rows) -> tuple[Rows, Codes]:
        """Return the rows scaled to length 1 and the indices of the zero rows, which stay zero.

        A row that holds a NaN or an Inf becomes all NaN.
        """

    def distance_sums(self, x: Rows, y: Rows, progress: Progress | None = None) -> Floats:
        """Return the sums (n,) of the Euclidean distances of each row of x to all rows of y.

        In float64, by |x|^2 + |y|^2 - 2 x y about a centre, and from differences where these
        nearly cancel or their squares leave the range of float64: a distance errs by less than
        1e-9 of itself, wherever other rows lie.
        """

    def group_distances(self, x: Rows, codes: Codes, groups: int) -> Floats:
        """Return the sums (g,) of the Euclidean distances of all pairs of rows of each group."""

    def softmax_loss(self, x: Rows, codes: Codes, classes: int) -> SoftmaxLoss:
        """Make rows ready, once; return what takes the loss of linear scores of them at weights.

        At weights w (k, d + 1) in float64, the scores of a row are ``x w[:, :-1]' + w[:, -1]``. It
        returns the sum of the log losses ``log sum_c exp(s_c) - s_own`` of all rows, and its
        gradient (k, d + 1), ``(softmax(s) - own)' [x, 1]``. Products are in the type of x, and what
        they make of some rows at a time is added up in float64; the scores of all rows are never
        held. Codes are of all rows, in [0, classes).
        """

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
        """Return the mean cosines (q, draws) of all pairs of random sets of rows of length 1.

        A draw takes so many rows of each stratum of the pool, none twice, and its first
        ``sizes[q]`` rows are a set; sizes rise from 2 to what is taken in all. The mean cosine of k
        rows of sum S is ``(|S|^2 - k) / (k (k - 1))``, rounded to 2^-40. A draw depends on seed,
        stream and its own index alone (`backends.philox`), and they are those from `first` on.
        """

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
        """Return the mean cosines (kinds, draws) of random sets that share shuffles.

        Each stratum of the pool is shuffled once a draw, by a stream of its own. The set of a kind
        is the beginnings of the shuffles of its strata, so many rows of each, 2 in all at least;
        strata are named once a kind. Means and draws are as of `null_means`, for rows of length 1.
        The null of a kind is what it would be alone; those of two kinds depend on each other.
        """

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
        """Return the sums (kinds, draws) of the Euclidean distances of all pairs of such sets.

        `centre` (d,) is any point amid the rows. Distances may be made in the type of the rows: of
        float32 ones, a distance errs by some 1e-6 of itself.
        """

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
        """Return how many rows of y are more similar than each value to its row of x: (v,).

        Row i of x has ``values[starts[i]:starts[i + 1]]``, ascending. Similarity is the product of
        rows, or its absolute value. Rows are compared that have no label in common: own (c, n) are
        c labels of each row of x, and other (c, m) those of y.
        """

    def list_scores(
        self, scores: Rows, positives: Codes, negatives: Codes
    ) -> tuple[Floats, Floats]:
        """Return the average precisions and ROC AUCs of lists: (levels, draws) each.

        Of each row of scores (levels, n), a list is the columns `positives` (p,) and a row of
        `negatives` (draws, q). Precision is the mean over positives of their share among all that
        score as high or higher; AUC, over pairs, the share with the positive above, ties half. A
        NaN is not in its list; NaN where a list has no positive or no negative.
        """

    def null_precisions(
        self, positives: int, total: int, draws: int, *, seed: int, stream: int
    ) -> Floats:
        """Return the average precisions (draws,) of random rankings of so many positives of all.

        A ranking is the places of its positives, or of the others where those are fewer: the first
        steps of a shuffle (`backends.philox`). Average precision is the mean of t / rank over
        positives t = 1, 2, ...
        """

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
        """Return different places drawn of each pool, one pool after another: (draws, all taken).

        The sets of `null_means`, from the first on: the first steps of a shuffle of each pool
        (`backends.philox`).
        """

    def resample_counts(
        self, items: int, draws: int, *, seed: int, stream: int, first: int = 0
    ) -> NDArray[np.int32]:
        """Return how often each item is in a bootstrap resample (draws, items), from the first on.

        A resample draws as many items as there are, with replacement (`backends.philox`).
        """

    def pair_cosines(
        self, x: Rows, i: Codes, j: Codes, y: Rows | None = None, *, bfloat16: bool = False
    ) -> Rows:
        """Return the cosines (m,) of rows i of x and j of y (or of x), which have length 1.

        With `bfloat16`, of float32 rows rounded to that type. On one backend and instruction set
        these are, to the bit, the values that a pass over all pairs meets.
        """

    def pair_scan(
        self, consumers: Sequence[Consumer], extent: Extent, dtype: Any, *, bfloat16: bool = False
    ) -> PairScan:
        """Begin a pass over the pairs of an extent, among rows of a dtype.

        With `bfloat16`, float32 rows are rounded to that type before they are multiplied.
        """

    def scan_pairs(
        self,
        x: Rows,
        consumers: Sequence[Consumer],
        y: Rows | None = None,
        progress: Progress | None = None,
        *,
        bfloat16: bool = False,
    ) -> list[Any]:
        """Hand the cosine of every pair to the consumers; return what each one finishes with.

        A whole `pair_scan` of rows that are at hand: pairs i < j of rows of x, or every row of x
        with every row of y; rows have length 1. The matrix is never stored. `progress` is called
        now and then with the share done.
        """


class Arrays(Protocol):
    """How a backend takes rows from callers, and gives them back."""

    def rows(self, x: Any, name: str = "x") -> Rows:
        """Return x as its kernels take rows, or raise InputError: in main memory as `as_rows` does.

        What lies on a device of its own has a shape, a length and a type, and slices of rows.
        """

    def partner(self, y: Any, x: Rows) -> Rows:
        """Return y as rows that can be compared with rows x: as wide, of one type, in one place."""

    def given_back(self, rows: Rows, like: Any) -> Rows:
        """Return rows that kernels made of what a caller gave, as an array of the caller's kind."""

    def resident(self, x: Any) -> Any:
        """See `Backend.resident`."""


class Kernels(Protocol):
    """What a backend itself provides: the primitives, for arguments that were checked.

    It is a module with these names, or its ``KERNELS`` has them. Rows are those of its `arrays`; y
    fits x; codes are contiguous int64, one per row and in range; what is else of one length, in
    order or in range by the contract of `Backend`, is so. Kernels check none of it.
    """

    @property
    def name(self) -> str:
        """The name it is chosen by."""

    @property
    def arrays(self) -> Arrays:
        """How it takes rows."""

    def why_not(self) -> str | None:
        """Return why it cannot run here, or None where it can."""

    def describe(self) -> str:
        """Return one line on how it runs here: instruction set, threads."""

    def rows_of_columns(self, columns: list[NDArray[Any]]) -> Rows:
        """See `Backend.rows_of_columns`; contiguous columns, all float32 or all float64."""

    def row_faults(self, x: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """See `Backend.row_faults`."""

    def group_sums(self, x: Rows, codes: Codes, sums: Floats) -> None:
        """Add the rows of each group to its sums (g, d)."""

    def group_moments(self, x: Rows, codes: Codes, groups: int, spread: Spread) -> GroupMoments:
        """See `Backend.group_moments`."""

    def group_medians(self, x: Rows, codes: Codes, groups: int) -> Floats:
        """See `Backend.group_medians`."""

    def apply_affine(self, x: Rows, codes: Codes, maps: AffineMaps, out: Rows | None) -> Rows:
        """See `Backend.apply_affine`; `out` is None for rows on a device, which are mapped there.

        Else the result is `out`, which may be x.
        """

    def unit_rows(self, x: Rows) -> tuple[Rows, Codes]:
        """See `Backend.unit_rows`."""

    def distance_sums(self, x: Rows, y: Rows, progress: Progress | None) -> Floats:
        """See `Backend.distance_sums`."""

    def group_distances(self, x: Rows, codes: Codes, groups: int) -> Floats:
        """See `Backend.group_distances`."""

    def softmax_loss(self, x: Rows, codes: Codes, classes: int) -> SoftmaxLoss:
        """See `Backend.softmax_loss`; weights are contiguous float64 (k, d + 1)."""

    def null_means(
        self,
        x: Rows,
        sets: Sets,
        draws: int,
        *,
        seed: int,
        stream: int,
        first: int,
        progress: Progress | None,
    ) -> Floats:
        """See `Backend.null_means`."""

    def kind_means(
        self,
        x: Rows,
        kinds: SetKinds,
        draws: int,
        *,
        seed: int,
        first: int,
        progress: Progress | None,
    ) -> Floats:
        """See `Backend.kind_means`."""

    def kind_distances(
        self,
        x: Rows,
        kinds: SetKinds,
        centre: Floats,
        draws: int,
        *,
        seed: int,
        first: int,
        progress: Progress | None,
    ) -> Floats:
        """See `Backend.kind_distances`."""

    def rank_counts(
        self, x: Rows, y: Rows, given: Rankings, *, absolute: bool, progress: Progress | None
    ) -> Codes:
        """See `Backend.rank_counts`."""

    def list_scores(
        self, scores: Rows, positives: Codes, negatives: Codes
    ) -> tuple[Floats, Floats]:
        """See `Backend.list_scores`."""

    def null_precisions(
        self, positives: int, total: int, draws: int, *, seed: int, stream: int
    ) -> Floats:
        """See `Backend.null_precisions`."""

    def random_subsets(
        self, pools: list[int], taken: list[int], draws: int, *, seed: int, stream: int, first: int
    ) -> Codes:
        """See `Backend.random_subsets`."""

    def resample_counts(
        self, items: int, draws: int, *, seed: int, stream: int, first: int
    ) -> NDArray[np.int32]:
        """See `Backend.resample_counts`."""

    def pair_cosines(self, x: Rows, i: Codes, j: Codes, y: Rows | None, *, bfloat16: bool) -> Rows:
        """See `Backend.pair_cosines`."""

    def pair_scan(
        self, consumers: Sequence[Consumer], extent: Extent, dtype: "np.dtype[Any]", bfloat16: bool
    ) -> PairScan:
        """See `Backend.pair_scan`; consumers fit the pass, and what is added to it is of it.

        Consumers that have no twin here go by their definitions (`consumers.areas`).
        """
