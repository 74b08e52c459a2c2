"""Mean average precision of groups of profiles, and how often chance does as well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends import takes_backend
from wellgram.backends.checks import check_draws
from wellgram.backends.number_checks import check_number, check_whole
from wellgram.backends.protocol import Codes, Floats, Progress
from wellgram.distributed import Client, each, takes_client
from wellgram.errors import ColumnMissing, InputError
from wellgram.files import save_csv
from wellgram.label_rules.missing_labels import is_missing
from wellgram.metrics.dose_families import check_fdr, with_rates
from wellgram.metrics.label_permutation import LabelNull, LabelPermutation
from wellgram.metrics.pairing import NONE_IS_A_VALUE, as_names
from wellgram.metrics.precision_by_profile import AveragePrecisionResult
from wellgram.nulls import (
    FDR,
    FamilyP,
    PForm,
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
    are below the threshold; ``null_mean``; ``null``, which was used: ``"random rankings"``,
    ``"every ranking"`` or ``"permuted labels"``; and ``reason``, why a group has no figures.
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


GroupNull = Literal["rankings", "labels"]
"""See `mean_average_precision`."""


@takes_client
@takes_backend
def mean_average_precision(
    ap: AveragePrecisionResult,
    sameby: str | Sequence[str] | None = None,
    *,
    null: GroupNull = "rankings",
    null_size: int = 10_000,
    threshold: float = 0.05,
    seed: int = 0,
    p_form: PForm = "plus-one",
    fdr: FDR = "flat",
    family_p: FamilyP = "simes",
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> MeanAveragePrecisionResult:
    """Return the mean average precision of groups of profiles, and how often chance does as well.

    Parameters
    ----------
    ap
        Of `average_precision`.
    sameby
        Columns that make a group; by default those that positives have in common. Profiles without
        a value in one of them are in no group.
    null
        ``"rankings"``: random rankings of as many positives among as many, for each profile; of a
        group their mean, draw by draw, as in ``copairs.map.mean_average_precision``. Profiles with
        as many of both have the same draws: they are taken to depend on each other wholly. For a
        group that is on the safe side: under the null, fewer than 5 % have a p-value below 0.05.
        ``"labels"``: random sets of profiles in place of the group, drawn from the group and its
        negatives with as many of each stratum, that is of each value of the other columns of the
        rules, such as the batch. The p-values are then as they should be, also where batch effects
        are left. A group that has no such null (lists of labels, rules of any columns, no column
        that sets its negatives apart, or more than 2,048 profiles of a stratum to exchange) gets
        that of rankings; the column ``null`` says so.
    null_size
        How many random rankings or sets. Where all profiles of a group have the same numbers of
        both kinds, and there are no more rankings than this, the null is every ranking. Then the
        p-value of a group of one profile is exact.
    threshold
        For ``below_p`` and ``below_q``.
    seed
        Same seed, same p-values.
    p_form
        See `wellgram.nulls.PForm`. ``"plus-one-above"`` is that of copairs, which leaves ties out
        and so finds even the best of ten rankings rare; exact nulls are not used then.
    fdr
        ``"flat"``: all tests are one family, by Benjamini and Hochberg. ``"hierarchical"``: doses
        of a compound are a family, and only those of families that are selected are tested; low
        doses, which do nothing, then cost the high ones less. Columns ``family_p_value`` and
        ``family_q_value`` come beside.
    family_p
        How the p-values of doses make that of their compound: see
        `wellgram.nulls.hierarchical_fdr`. ``"min"`` is copairs', which selects null compounds too
        often.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the groups that is done.
    client
        A ``distributed.Client``, whose workers draw the rankings: see `wellgram.distributed.using`.

    Raises
    ------
    InputError
        If a column is absent, no profile was ranked, or a parameter is out of range.
    """
    if not isinstance(ap, AveragePrecisionResult):
        raise InputError(
            f"give what average_precision returns, not an object of type {type(ap).__name__}"
        )
    if null not in get_args(GroupNull):
        raise InputError(f"unknown null {null!r}; choose {' or '.join(get_args(GroupNull))}")
    names = _group_columns(ap, sameby)
    check_fdr(fdr, names)
    check_whole(null_size, "null_size")
    check_number(threshold, "threshold")
    if null_size < 1:
        raise InputError(f"null_size must be 1 or more, not {null_size}")
    check_draws(null_size, 2 * 8)  # random precisions, and their means
    for name in names:
        if name not in ap.table:
            raise ColumnMissing(f"there is no column {name!r} to group profiles by")
    profiles = ap.table[(ap.table["reason"] != "not scored") & _in_a_group(ap.table, names)]
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
    kind = np.full(len(table), "", object)
    group = grouped.ngroup().to_numpy()[ranked].astype(np.int64)
    if null == "labels":
        permuted = _by_labels(ap, names, profiles.index.to_numpy()[ranked], group, null_size, seed,
                              progress)  # fmt: skip
        for g, of_group in permuted:
            score = of_group.observed + _side(p_form)
            p[g] = empirical_p([score], of_group.means, p_form)[0]
            middle[g], kind[g] = of_group.means.mean(), "permuted labels"
    draw = _Nulls(null_size, seed, p_form != "plus-one-above")
    counts = profiles.loc[ranked, ["n_pos_pairs", "n_total_pairs"]].to_numpy()
    left = kind[group] == ""
    sets = list(_alike(group[left], counts[left])) if left.any() else []
    shared = (draw, means + _side(p_form), p_form)
    results = each(_tested, sets, shared=shared, progress=progress)
    for (alike, *_), (of_alike, null_mean, every) in zip(sets, results, strict=True):
        p[alike], middle[alike] = of_alike, null_mean
        kind[alike] = "every ranking" if every else "random rankings"
    reason = table.pop("reason").where(np.isnan(p), "")
    table = with_rates(table.assign(p_value=p), fdr, family_p, names)
    table = table.assign(
        below_p=p < threshold,
        below_q=table["q_value"] < threshold,
        null_mean=middle,
        null=kind,
        reason=reason,
    )
    return MeanAveragePrecisionResult(table, threshold)


def _group_columns(
    ap: AveragePrecisionResult, sameby: str | Sequence[str] | None
) -> tuple[str, ...]:
    """Return the columns that make a group; raise where none are named."""
    if sameby is None and ap.rules.pos_sameby.any_of:
        raise InputError(
            "positives share any of several columns, which make no group; name those that do "
            "(sameby=)"
        )
    names = as_names(ap.rules.pos_sameby.every if sameby is None else sameby)
    if not names:
        raise InputError("name the columns that make a group (sameby=)")
    return names


def _in_a_group(table: pd.DataFrame, names: Sequence[str]) -> NDArray[np.bool_]:
    """Return which profiles have a value in all columns that make a group."""
    inside = np.ones(len(table), bool)
    for name in names:
        if name != NONE_IS_A_VALUE:
            inside &= ~is_missing(table[name])
    return inside


def _side(p_form: PForm) -> float:
    """Return what is added to a score so that those that differ by rounding tie with it."""
    return _TIE if p_form.endswith("above") else -_TIE


def _by_labels(
    ap: AveragePrecisionResult,
    names: Sequence[str],
    rows: Codes,
    group: Codes,
    draws: int,
    seed: int,
    progress: Progress | None,
) -> Iterator[tuple[int, LabelNull]]:
    """Yield the groups that have a null of permuted labels, with it.

    `rows` (m,) are the profiles that were ranked, and `group` (m,) the group of each.
    """
    if ap.rules.multilabel is not None or ap.compared is None or not ap.rules.all_must_hold:
        return
    permute = LabelPermutation(ap.compared, ap.table, ap.rules, names, draws, seed)
    order = np.argsort(group, kind="stable")
    groups, starts = np.unique(group[order], return_index=True)
    for done, (g, members) in enumerate(
        zip(groups.tolist(), np.split(rows[order], starts[1:]), strict=True), start=1
    ):
        of_group = permute(members)
        if of_group is not None:
            yield g, of_group
        if progress is not None:
            progress(done / len(groups))


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
