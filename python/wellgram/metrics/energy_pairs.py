"""Energy distances between any two perturbations, by named conventions, with intervals."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from wellgram.align import Aligner
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.checks import check_draws
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Floats, Progress
from wellgram.errors import ColumnMissing, InputError, NotApplicable
from wellgram.files import save_csv
from wellgram.input_kinds import check_wells
from wellgram.label_rules.missing_labels import is_missing
from wellgram.metrics.bootstrap import interval
from wellgram.metrics.energy_terms import energy_of_means
from wellgram.metrics.profile_rows import unit_profiles
from wellgram.metrics.replicates import aligned_rows
from wellgram.nulls import stream_of
from wellgram.stream import WellStream
from wellgram.wells import Wells

EnergyMetric = Literal["euclidean", "squared-euclidean", "cosine"]
"""The distance of two wells: as Szekely and Rizzo, pertpy and `magnitude` have it; its square,
as scPerturb has it; or 1 less the cosine"""

_SCIPY = {"euclidean": "euclidean", "squared-euclidean": "sqeuclidean", "cosine": "cosine"}
_MOST_PAIRS = 10_000_000


@dataclass(frozen=True, repr=False)
class EnergyDistances:
    """Energy distances of pairs of perturbations.

    `table` has a row per pair: ``first`` and ``second``; ``n_first`` and ``n_second``, their wells;
    ``energy_distance``; ``ci_low`` and ``ci_high``, 95 % over resampled wells; and ``reason``, why
    a figure is missing.
    """

    table: pd.DataFrame
    metric: EnergyMetric
    self_pairs: bool

    def __repr__(self) -> str:
        with_itself = "with" if self.self_pairs else "without"
        return (
            f"Energy distances of {len(self.table):,} pairs, {self.metric}, {with_itself} pairs of "
            f"a well and itself: median {self.table['energy_distance'].median():.4g}"
        )

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def energy_distances(
    wells: Wells | WellStream,
    align: Aligner = None,
    *,
    pairs: Iterable[tuple[str, str]] | None = None,
    by: str = "perturbation",
    metric: EnergyMetric = "euclidean",
    self_pairs: bool = True,
    resamples: int = 0,
    seed: int = 0,
    backend: str | None = None,
    progress: Progress | None = None,
) -> EnergyDistances:
    """Return the energy distances between perturbations: ``2 E|x - y| - E|x - x'| - E|y - y'|``.

    Published figures differ by their conventions, so these are named. Distances are plain or
    squared (pertpy 178, 603; plain by default since its pull request 733, squared in scPerturb).
    Squared ones make ``2 |mean x - mean y|^2`` with self pairs: they see means alone, and are
    dominated by outliers. Pairs of a well and itself count or do not. efaar_benchmarking has plain
    distances with self pairs, as `magnitude` has. No root is taken of the sum.

    Parameters
    ----------
    wells, align
        The wells, those in the map and the controls; and an alignment, None: as they are.
    pairs
        Pairs of names to compare; None: every two.
    by
        A column: whose values are compared. Wells without a value are left out.
    metric
        ``"euclidean"``, ``"squared-euclidean"`` or ``"cosine"``, which is 1 less the cosine.
    self_pairs
        Whether the means within count the distance of a well from itself, 0: they are over n^2
        pairs then (V-statistic), which is too far for small n, but never below 0; else over
        n (n - 1) (U-statistic), which is right on average.
    resamples
        How often the wells of both are resampled for the interval; 0: none. Of a resample, means
        within are scaled by ``n / (n - 1)``, since copies of a well have no distance. The distances
        of a pair's wells are then held.
    seed
        Same seed, same resamples: of a perturbation the same in all of its pairs.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the perturbations done.

    Returns
    -------
    EnergyDistances
        A perturbation of one well has no figure without self pairs, and never an interval.

    Raises
    ------
    InputError
        If a column or a name is absent, a name is paired with itself, there are fewer than two
        perturbations, or a parameter is out of range.
    """
    check_wells(wells)
    if metric not in get_args(EnergyMetric):
        raise InputError(f"unknown metric {metric!r}; choose {', '.join(get_args(EnergyMetric))}")
    check_whole(resamples, "resamples")
    if resamples < 0:
        raise InputError(f"resamples must be 0 or more, not {resamples}")
    if by not in wells.metadata:
        raise ColumnMissing(
            f"there is no column {by!r}; there are {', '.join(map(str, wells.metadata.columns))}"
        )
    used = (wells.metadata["in_map"] | wells.metadata["is_control"]).to_numpy(bool)
    used = used & ~is_missing(wells.metadata[by])
    codes, names = pd.factorize(wells.metadata[by][used].astype("str"), sort=True)
    first, second = _chosen(list(names), pairs, by)
    rows = aligned_rows(wells, align)[used].astype(np.float64)
    groups = _Groups.of(rows, codes.astype(np.int64), len(names), metric)
    cross = groups.cross(first, second, progress)
    within = groups.within(self_pairs)
    energy = energy_of_means(cross, within[first], within[second])
    low, high = np.full(len(first), np.nan), np.full(len(first), np.nan)
    if resamples:
        check_draws(resamples, 8 * 3 * int(groups.counts.max()))
        bootstrap = _Bootstrap(groups, [str(name) for name in names], resamples, seed, self_pairs)
        for k, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
            low[k], high[k] = bootstrap.interval(a, b)
    single = (groups.counts[first] < 2) | (groups.counts[second] < 2)
    table = pd.DataFrame(
        {
            "first": np.asarray(names)[first],
            "second": np.asarray(names)[second],
            "n_first": groups.counts[first],
            "n_second": groups.counts[second],
            "energy_distance": energy,
            "ci_low": low,
            "ci_high": high,
            "reason": np.where(single & (resamples > 0 or not self_pairs), "one well", ""),
        }
    )
    return EnergyDistances(table, metric, self_pairs)


def _chosen(
    names: Sequence[str], pairs: Iterable[tuple[str, str]] | None, by: str
) -> tuple[Codes, Codes]:
    """Return the numbers of the names of each pair."""
    if len(names) < 2:
        raise NotApplicable(
            f"column {by!r} has {len(names)} values: two perturbations at least are needed"
        )
    if pairs is None:
        if len(names) * (len(names) - 1) // 2 > _MOST_PAIRS:
            raise InputError(
                f"every two of {len(names):,} perturbations are more pairs than a table holds "
                f"({_MOST_PAIRS:,}); name those to compare (pairs=)"
            )
        first, second = np.triu_indices(len(names), 1)
        return first, second
    place = {name: k for k, name in enumerate(names)}
    chosen = []
    for pair in pairs:
        one, other = pair if len(pair) == 2 and not isinstance(pair, str) else (None, None)
        if one is None or other is None:
            raise InputError(f"pairs must be pairs of names, not {pair!r}")
        for name in (str(one), str(other)):
            if name not in place:
                raise InputError(f"column {by!r} has no {name!r}; name values that wells have")
        if str(one) == str(other):
            raise InputError(f"{str(one)!r} is paired with itself; name two perturbations")
        chosen.append((place[str(one)], place[str(other)]))
    found = np.array(chosen, np.int64).reshape(-1, 2)
    if not len(found):
        raise InputError("there are no pairs to compare; name some (pairs=), or None for all")
    return found[:, 0], found[:, 1]


@dataclass(frozen=True)
class _Groups:
    """The wells of each group, one after another."""

    rows: Floats
    ends: Codes
    """(g + 1,): where each group begins, and the last one ends"""
    metric: EnergyMetric

    @classmethod
    def of(cls, rows: Floats, codes: Codes, groups: int, metric: EnergyMetric) -> "_Groups":
        """Sort wells by their group; for cosines they are scaled, else brought near the origin."""
        rows = np.asarray(
            unit_profiles(rows, "cosine") if metric == "cosine" else rows - rows.mean(axis=0),
            np.float64,
        )
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum([0, *np.bincount(codes, minlength=groups)])
        return cls(np.ascontiguousarray(rows[order]), ends, metric)

    @property
    def counts(self) -> Codes:
        """How many wells each group has."""
        return np.diff(self.ends)

    @property
    def codes(self) -> Codes:
        """The group of each row."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def wells(self, group: int) -> Floats:
        """Return the rows of a group."""
        return self.rows[self.ends[group] : self.ends[group + 1]]

    def within(self, self_pairs: bool) -> Floats:
        """Return the mean distance within each group (g,); NaN for one well without self pairs."""
        n = self.counts
        if self.metric == "euclidean":
            sums = 2 * get_backend().group_distances(self.rows, self.codes, len(n))
        else:
            means, squares = self._moments()
            sums = 2 * n**2 * np.maximum(squares - np.square(means).sum(axis=1), 0) * self._share
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(sums / (n**2 if self_pairs else n * (n - 1)))

    def cross(self, first: Codes, second: Codes, progress: Progress | None) -> Floats:
        """Return the mean distance between the groups of each pair (m,)."""
        if self.metric != "euclidean":
            means, squares = self._moments()
            inner = np.einsum("md,md->m", means[first], means[second])
            return np.asarray((squares[first] + squares[second] - 2 * inner) * self._share)
        found = np.empty(len(first))
        for k, (group, of) in enumerate(_by_second(second)):
            partners = np.unique(first[of])
            rows = np.concatenate([self.wells(g) for g in partners.tolist()])
            apart = get_backend().distance_sums(rows, self.wells(group))
            counts = self.counts[partners]
            sums = np.add.reduceat(apart, np.cumsum(counts) - counts)
            means_of = sums / (counts * self.counts[group])
            found[of] = means_of[np.searchsorted(partners, first[of])]
            if progress is not None:
                progress((k + 1) / len(np.unique(second)))
        return found

    @property
    def _share(self) -> float:
        """What a squared distance counts: half of it is 1 less the cosine of rows of length 1."""
        return 0.5 if self.metric == "cosine" else 1.0

    def _moments(self) -> tuple[Floats, Floats]:
        """Return the mean of each group (g, d), and its mean square (g,)."""
        sums, counts = get_backend().group_sums(self.rows, self.codes, len(self.counts))
        squares = np.bincount(self.codes, np.square(self.rows).sum(axis=1), len(counts))
        return sums / counts[:, None], squares / counts


def _by_second(second: Codes) -> Iterator[tuple[int, Codes]]:
    """Yield each group that is the second of pairs, and which pairs."""
    order = np.argsort(second, kind="stable")
    groups, starts = np.unique(second[order], return_index=True)
    yield from zip(groups.tolist(), np.split(order, starts[1:]), strict=True)


@dataclass(frozen=True)
class _Bootstrap:
    """Intervals by resampling the wells of both groups of a pair."""

    groups: _Groups
    names: Sequence[str]
    resamples: int
    seed: int
    self_pairs: bool

    def interval(self, one: int, other: int) -> tuple[float, float]:
        """Return the ends of the middle 95 % of resampled energy distances."""
        if self.groups.counts[[one, other]].min() < 2:
            return np.nan, np.nan
        x, y = self.groups.wells(one), self.groups.wells(other)
        w, v = self._weights(one), self._weights(other)
        cross = np.einsum("ri,ri->r", w @ self._apart(x, y), v)
        drawn = energy_of_means(cross, self._within(x, w), self._within(y, v))
        low, high = interval(drawn).tolist()
        return low, high

    def _weights(self, group: int) -> Floats:
        """Return how much each well counts in each resample (r, n)."""
        n = int(self.groups.counts[group])
        drawn = get_backend().resample_counts(
            n, self.resamples, seed=self.seed, stream=stream_of("energy", self.names[group])
        )
        return np.asarray(drawn / n)

    def _within(self, x: Floats, weights: Floats) -> Floats:
        n = len(x)
        scale = n / (n - 1)
        means = np.einsum("ri,ri->r", weights @ self._apart(x, x), weights)
        return np.asarray(means * (scale if self.self_pairs else scale**2))

    def _apart(self, x: Floats, y: Floats) -> Floats:
        from scipy.spatial.distance import cdist

        return np.asarray(cdist(x, y, _SCIPY[self.groups.metric]))
