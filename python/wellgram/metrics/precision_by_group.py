"""Mean average precision of groups of profiles, and how often chance does as well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wellgram.backends import takes_backend
from wellgram.backends.protocol import Codes, Floats, Progress
from wellgram.distributed import Client, each, takes_client
from wellgram.errors import ColumnMissing, InputError
from wellgram.files import save_csv
from wellgram.metrics.pairing import as_names
from wellgram.metrics.precision_by_profile import AveragePrecisionResult
from wellgram.nulls import (
    PForm,
    benjamini_hochberg,
    empirical_p,
    every_precision,
    random_precisions,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TIE = 1e-11
"""Average precisions that differ by less are one: they are quotients summed in different orders"""
_CACHED = 1 << 28
"""How many bytes of nulls are kept for the groups to come"""


@dataclass(frozen=True, repr=False)
class MeanAveragePrecisionResult:
    """The mean average precision of groups of profiles, and its p-value.

    Columns of `table`, sorted by those that name a group: ``n_profiles`` that were ranked;
    ``mean_average_precision``; ``median_average_precision``; ``normalized_average_precision``, the
    mean of ``(AP - chance) / (1 - chance)``; ``p_value``; ``q_value``, the false
    discovery rate by Benjamini and Hochberg; ``below_p`` and ``below_q``, whether they
    are below the threshold; ``null_mean``; ``exact``, whether the null is of every ranking there
    is; and ``reason``, why a group has no figures.
    """

    table: pd.DataFrame
    threshold: float

    def __repr__(self) -> str:
        tested = self.table["p_value"].notna()
        return (
            f"Mean average precision of {int(tested.sum()):,} groups, "
            f"{self.table['mean_average_precision'].mean():.4f} on average: "
            f"{int(self.table['below_q'].sum()):,} at a false discovery rate below "
            f"{self.threshold:g}"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw p-values against mean average precision; return the matplotlib axes."""
        from wellgram.plots import plot_volcano

        return plot_volcano(self.table, "mean_average_precision", self.threshold, ax)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_client
@takes_backend
def mean_average_precision(
    ap: AveragePrecisionResult,
    sameby: str | Sequence[str] | None = None,
    *,
    null_size: int = 10_000,
    threshold: float = 0.05,
    seed: int = 0,
    p_form: PForm = "plus-one",
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> MeanAveragePrecisionResult:
    """Return the mean average precision of groups of profiles, and how often chance does as well.

    The null of a profile are random rankings of as many positives among as many; that of a group,
    as in ``copairs.map.mean_average_precision``, the mean over its profiles, draw by draw. Profiles
    with as many of both then have the same draws: they are taken to depend on each other wholly,
    which for a mean of several is on the safe side.

    Parameters
    ----------
    ap
        Of `average_precision`.
    sameby
        Columns that make a group; by default those that positives have in common.
    null_size
        How many random rankings. Where all profiles of a group have the same numbers, and there are
        no more rankings than this, the null is every one, and the p-value exact.
    threshold
        For ``below_p`` and ``below_q``.
    seed
        Same seed, same p-values.
    p_form
        See `wellgram.nulls.PForm`. ``"plus-one-above"`` is that of copairs, which leaves ties out
        and so finds even the best of ten rankings rare; exact nulls are not used then.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the groups that is done.
    client
        A ``distributed.Client``, whose workers draw the rankings: see `wellgram.distributed.using`.

    Raises
    ------
    InputError
        If a column is absent, no profile was ranked, or a parameter is out of range.
    """
    names = as_names(ap.rules.pos_sameby if sameby is None else sameby)
    if not names:
        raise InputError("name the columns that make a group (sameby=)")
    if null_size < 1:
        raise InputError(f"null_size must be 1 or more, not {null_size}")
    for name in names:
        if name not in ap.table:
            raise ColumnMissing(f"there is no column {name!r} to group profiles by")
    profiles = ap.table[ap.table["reason"] != "not scored"]
    ranked = profiles["average_precision"].notna()
    if not ranked.any():
        raise InputError("no profile was ranked: none has both positives and negatives")
    grouped = profiles.groupby(list(names), dropna=False, sort=True, observed=True)
    table = grouped.agg(
        n_profiles=("average_precision", "count"),
        mean_average_precision=("average_precision", "mean"),
        median_average_precision=("average_precision", "median"),
        normalized_average_precision=("normalized_average_precision", "mean"),
        reason=("reason", "first"),
    ).reset_index()
    means = table["mean_average_precision"].to_numpy()
    p, middle = np.full(len(table), np.nan), np.full(len(table), np.nan)
    exact = np.zeros(len(table), bool)
    draw = _Nulls(null_size, seed, p_form != "plus-one-above")
    side = _TIE if p_form.endswith("above") else -_TIE
    counts = profiles.loc[ranked, ["n_pos_pairs", "n_total_pairs"]].to_numpy()
    group = grouped.ngroup().to_numpy()[ranked].astype(np.int64)
    sets = list(_alike(group, counts))
    found = each(_tested, sets, shared=(draw, means + side, p_form), progress=progress)
    for (alike, *_), (of_alike, null_mean, every) in zip(sets, found, strict=True):
        p[alike], middle[alike], exact[alike] = of_alike, null_mean, every
    corrected = benjamini_hochberg(p)
    reason = table.pop("reason").where(np.isnan(p), "")
    table = table.assign(
        p_value=p,
        q_value=corrected,
        below_p=p < threshold,
        below_q=corrected < threshold,
        null_mean=middle,
        exact=exact,
        reason=reason,
    )
    return MeanAveragePrecisionResult(table, threshold)


def _alike(group: Codes, counts: Codes) -> Iterator[tuple[Codes, Codes, Floats]]:
    """Yield groups that have one null, the kinds of ranking in it (k, 2), and the share of each.

    `group` (m,) and `counts` (m, 2), positives and all, are those of the profiles.
    """
    kinds, kind = np.unique(counts, axis=0, return_inverse=True)
    pair, times = np.unique(np.stack([group, kind.ravel()], axis=1), axis=0, return_counts=True)
    groups, starts = np.unique(pair[:, 0], return_index=True)
    same: dict[bytes, list[int]] = {}
    for g, (of, many) in enumerate(
        zip(np.split(pair[:, 1], starts[1:]), np.split(times, starts[1:]), strict=True)
    ):
        key = np.stack([of, many // np.gcd.reduce(many)]).tobytes()
        same.setdefault(key, []).append(g)
    for key in sorted(same):
        of, many = np.frombuffer(key, np.int64).reshape(2, -1)
        yield groups[same[key]], kinds[of], many / many.sum()


def _tested(
    alike: tuple[Codes, Codes, Floats], draw: "_Nulls", scores: Floats, p_form: PForm
) -> tuple[Floats, float, bool]:
    """Return the p-values of groups that have one null, its mean, and whether it is exact."""
    groups, kinds, shares = alike
    null, every = draw(kinds, shares)
    p = empirical_p(scores[groups], null, "share" if every else p_form)
    return p, float(null.mean()), every


class _Nulls:
    """Means of random average precisions; those drawn are kept for a while."""

    def __init__(self, size: int, seed: int, exact: bool):
        self._made_of = size, seed, exact
        self._size, self._exact = size, exact
        self._drawn = lru_cache(max(1, _CACHED // (8 * size)))(
            lambda p, n: random_precisions(p, n, size, seed=seed)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Go elsewhere without what was drawn."""
        return _Nulls, self._made_of

    def __call__(self, kinds: Codes, shares: Floats) -> tuple[Floats, bool]:
        """Return the null of a mean over these kinds of ranking, and whether it is every one."""
        if self._exact and len(kinds) == 1:
            positives, total = kinds[0].tolist()
            if comb(total, positives) <= self._size:
                return every_precision(positives, total), True
        null = np.zeros(self._size)
        for (positives, total), share in zip(kinds.tolist(), shares, strict=True):
            null += share * self._drawn(positives, total)
        return null, False
