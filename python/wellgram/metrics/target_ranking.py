"""The drug-target benchmark: whether compounds look like the knock-out of their targets."""

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from wellgram.backends import get_backend, takes_backend
from wellgram.backends.number_checks import check_number, check_whole, checked_numbers
from wellgram.backends.protocol import Codes, Floats
from wellgram.backends.thread_count import threads
from wellgram.errors import InputError, LabelsWarning, NotApplicable
from wellgram.estimators.call_sites import level_outside
from wellgram.files import save_csv
from wellgram.input_kinds import check_map
from wellgram.label_rules.label_spelling import near_labels, near_text
from wellgram.metrics.bootstrap import item_bootstrap
from wellgram.metrics.ranking import chance_precision, pooled_scores
from wellgram.metrics.target_lists import (
    RankedList,
    Seeding,
    check_targets,
    ranked_lists,
    warn_of_contradictions,
)
from wellgram.nulls import random_subsets, stream_of
from wellgram.pairs import cosine_matrix
from wellgram.wells import LabelledMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

By = Literal["compound", "gene"]
Dose: TypeAlias = float | str
_COLUMN = {"compound": "treatment", "gene": "gene_symbol"}


@dataclass(frozen=True, repr=False)
class DrugTargetsResult:
    """The drug-target benchmark of a map.

    `table` has a row per dose (``concentration``; ``all`` where there are none) and one, ``max``,
    of each partner's largest similarity over the doses. Its columns: ``n_items`` (how many
    compounds or genes were scored); ``average_precision`` and ``auc_roc``, their
    means over items, averaged over draws, and ``_sd``, the standard deviation over draws;
    ``ci_low`` and ``ci_high``, 95 % of the average precision by resampling items; ``chance``, the
    expected average precision of a random ranking of the same lists;
    ``ap_quantile_q``; ``micro_``, of all
    lists pooled; ``_baseline``, the same of uniform scores, and ``_baseline_sd``, its standard
    deviation over draws.

    `items` has a row per item and dose: ``n_actives`` and ``n_negatives``, ``average_precision``
    and ``auc_roc`` (means over draws), and ``chance``, what a random ranking of as many scores.
    """

    table: pd.DataFrame
    items: pd.DataFrame
    trend: pd.DataFrame
    """Per item Kendall's ``tau`` between dose and mean similarity to the actives, and the
    ``p_value`` of its rising"""
    skipped: pd.DataFrame
    """Items without a list, and the ``reason``"""
    absent: dict[str, int]
    """How many compounds and genes of the targets are not in the map"""
    by: By
    seeding: Seeding
    """How negatives were drawn, which the columns ``_sd`` depend on: see `drug_targets`"""

    def __repr__(self) -> str:
        shown = ["concentration", "n_items", "average_precision", "chance", "auc_roc"]
        return (
            f"Drug-target benchmark by {self.by}, {len(self.skipped):,} skipped\n"
            f"{self.table[shown].to_string(index=False)}"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw average precision against dose, beside chance; return the matplotlib axes."""
        from wellgram.plots import plot_doses

        return plot_doses(self.table, ax)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def drug_targets(
    map_: LabelledMap,
    /,
    targets: pd.DataFrame,
    *,
    by: By = "compound",
    active: float = 1000.0,
    inactive: float = 10000.0,
    min_negatives: int = 20,
    draws: int = 100,
    seeding: Seeding = "independent",
    seed: int = 0,
    quantiles: Sequence[float] = (0.5, 0.75, 0.95),
    signed: bool = False,
    resamples: int = 1000,
    backend: str | None = None,
) -> DrugTargetsResult:
    """Score how well similarity to gene knock-outs tells a compound's targets from other genes.

    For each compound and dose, its active genes and negatives drawn from all other genes of the
    targets are ranked by the absolute cosine of their map rows with the compound's. Follows
    ``compound_gene_benchmark`` of efaar_benchmarking, but draws negatives from the sorted pool, so
    that the same seed gives the same draws.

    Parameters
    ----------
    map_
        The map. Where it has a ``perturbation_type``, genes are its CRISPR rows and compounds the
        others; else rows are what the targets say they are.
    targets
        Columns ``treatment``, ``gene_symbol`` and ``nM_value``, as in EFAAR's
        ``compound_gene_interactions.csv``. What is not in the map is counted and left out.
    by
        Rank genes for each compound, or compounds for each gene.
    active, inactive
        In nM: up to the first a gene is active; above it and up to the second it is left out.
    min_negatives
        Negatives are max(2 actives, this); an item with fewer eligible ones is skipped.
    draws, seed
        How many draws of negatives, all from the same similarities, and the seed of the draws.
    seeding
        ``"independent"``: each item has draws of its own. Chance then cancels over items, and the
        ``_sd`` say how far the means depend on the draws. ``"shared"``: all items are drawn with
        the same random numbers, as in efaar_benchmarking, which seeds its generator anew for each.
        Items then have almost the same negatives, whose chance does not cancel, and the ``_sd`` are
        larger: those are the spreads of published tables, by which their z-scores are.
    quantiles
        Of the average precision over items.
    signed
        Rank by the cosine itself, so that opposite is least similar.
    resamples
        How often items are resampled for the confidence interval.
    backend
        See `wellgram.set_backend`.

    Raises
    ------
    InputError
        If the targets lack a column or rows, no item has a list, or a parameter is out of range.

    Warns
    -----
    LabelsWarning
        If rows of the targets lack a value, a pair's measurements contradict each other, or names
        are those of the map but for case or blanks.
    """
    check_map(map_)
    _check(by, active, inactive, min_negatives, draws, quantiles, resamples)
    if seeding not in get_args(Seeding):
        raise InputError(f"unknown seeding={seeding!r}; choose {' or '.join(get_args(Seeding))}")
    table = check_targets(targets)
    cube, doses, place, absent = _similarities(map_, table)
    mapped = pd.DataFrame({kind: table[_COLUMN[kind]].isin(place[kind]) for kind in place})
    warn_of_contradictions(table[mapped.all(axis=1)], active, inactive)
    if not signed:
        cube = np.abs(cube)
    items, partners = ("compound", "gene") if by == "compound" else ("gene", "compound")
    lists: list[RankedList] = []
    skipped: list[tuple[str, str]] = []
    for one in ranked_lists(
        table,
        _COLUMN[items],
        _COLUMN[partners],
        place[items],
        place[partners],
        active=active,
        inactive=inactive,
        min_negatives=min_negatives,
        draws=draws,
        seed=seed,
        seeding=seeding,
    ):
        if isinstance(one, RankedList):
            lists.append(one)
        else:
            skipped.append(one)
    if not lists:
        why = f" ({skipped[0][0]!r}: {skipped[0][1]})" if skipped else ""
        raise NotApplicable(f"no {by} of the targets can be scored on this map{why}")
    scored = _Scored.of(cube, place[items], lists, by, seed)
    return DrugTargetsResult(
        scored.summary(doses, quantiles, resamples, seed),
        scored.per_item(doses),
        _trends(cube, doses, place[items], lists, by),
        pd.DataFrame(skipped, columns=[by, "reason"]),
        absent,
        by,
        seeding,
    )


def _check(
    by: str,
    active: float,
    inactive: float,
    min_negatives: int,
    draws: int,
    quantiles: Sequence[float],
    resamples: int,
) -> None:
    if by not in get_args(By):
        raise InputError(f"unknown by={by!r}; choose {' or '.join(get_args(By))}")
    check_number(active, "active")
    check_number(inactive, "inactive")
    if not 0 <= active <= inactive:
        raise InputError(f"active={active} must not be above inactive={inactive}, nor negative")
    check_whole(min_negatives, "min_negatives")
    check_whole(draws, "draws")
    if min_negatives < 1 or draws < 1:
        raise InputError(f"min_negatives={min_negatives} and draws={draws} must be 1 or more")
    check_whole(resamples, "resamples")
    wrong = [q for q in checked_numbers(quantiles, "quantiles") if not 0 <= q <= 1]
    if wrong:
        raise InputError(f"a quantile must lie in [0, 1], not be {wrong[0]}")


def _similarities(
    map_: LabelledMap, targets: pd.DataFrame
) -> tuple[Floats, list[Dose], dict[str, dict[str, int]], dict[str, int]]:
    """Return cosines (compounds, doses, genes) of what targets and map share, and what they are."""
    labels = map_.labels["perturbation"].astype("str").to_numpy()
    names = {kind: set(targets[column].astype("str")) for kind, column in _COLUMN.items()}
    chosen = {kind: np.isin(labels, list(wanted)) for kind, wanted in names.items()}
    if "perturbation_type" in map_.labels:
        crispr = (map_.labels["perturbation_type"] == "CRISPR").to_numpy()
        chosen["gene"] &= crispr
        chosen["compound"] &= ~crispr
    rows = {kind: np.flatnonzero(mask) for kind, mask in chosen.items()}
    near = {kind: near_labels(sorted(wanted), set(labels)) for kind, wanted in names.items()}
    for kind, found in rows.items():
        if not len(found):
            alike = f"; of them, {near_text(near[kind])}; write them alike" if near[kind] else ""
            raise NotApplicable(
                f"no {kind} of the targets is in the map: {min(names[kind])!r}, for example, is "
                f"not; the map has rows like {labels[0]!r}{alike}"
            )
    for kind, labels_near in near.items():
        if labels_near:
            warnings.warn(
                f"{kind}s of the targets are left out, since the map writes them otherwise: "
                f"{near_text(labels_near)}; write them alike",
                LabelsWarning,
                stacklevel=level_outside(),
            )
    doses, level = _dose_levels(map_.labels.iloc[rows["compound"]])
    compound, compounds = pd.factorize(labels[rows["compound"]], sort=True)
    gene, genes = pd.factorize(labels[rows["gene"]], sort=True)
    twice = _first_twice(gene)
    if twice is not None:
        raise NotApplicable(f"gene {genes[gene[twice]]!r} has several rows in the map; keep one")
    twice = _first_twice(compound * len(doses) + level)
    if twice is not None:
        raise NotApplicable(
            f"compound {compounds[compound[twice]]!r} has several rows of one dose; the benchmark "
            "needs one"
        )
    cosines = cosine_matrix(map_, rows=rows["compound"], columns=rows["gene"])
    cube = np.full((len(compounds), len(doses), len(genes)), np.nan, cosines.dtype)
    cube[compound[:, None], level[:, None], gene] = cosines
    place = {
        kind: {name: k for k, name in enumerate(found)}
        for kind, found in (("compound", compounds), ("gene", genes))
    }
    absent = {kind: len(names[kind]) - len(place[kind]) for kind in names}
    return cube, doses, place, absent


def _dose_levels(labels: pd.DataFrame) -> tuple[list[Dose], Codes]:
    """Return the doses there are, in their order, no dose last, and which of them each row has."""
    dose = labels["dose"] if "dose" in labels else pd.Series(np.nan, labels.index)
    values: pd.Index = pd.Index(dose.drop_duplicates().sort_values())
    level: Codes = values.get_indexer(pd.Index(dose)).astype(np.int64)
    return values.tolist(), level


def _first_twice(codes: Codes) -> int | None:
    """Return the place of the first code that comes more than once, or None."""
    often = np.flatnonzero(np.bincount(codes)[codes] > 1)
    return int(often[0]) if len(often) else None


def _item_scores(cube: Floats, by: By, item: int) -> Floats:
    """Return an item's similarities (doses, partners)."""
    return cube[item] if by == "compound" else cube[:, :, item].T


def _with_max(scores: Floats) -> Floats:
    """Return similarities (doses + 1, partners), the last row each partner's largest."""
    filled = np.where(np.isnan(scores), -np.inf, scores).max(axis=0)
    return np.concatenate([scores, np.where(np.isinf(filled), np.nan, filled)[None]])


@dataclass(frozen=True)
class _Scored:
    """Average precision and AUC (items, doses + 1, draws), and what pooling needs."""

    lists: list[RankedList]
    by: By
    precision: Floats
    auc: Floats
    random_precision: Floats
    """Of uniform scores (items, draws)"""
    random_auc: Floats
    micro: Floats
    """Of all lists pooled (doses + 1, 2, draws)"""

    @classmethod
    def of(
        cls, cube: Floats, place: dict[str, int], lists: list[RankedList], by: By, seed: int
    ) -> "_Scored":
        """Score all lists."""
        draws = len(lists[0].negatives)
        shape = (len(lists), cube.shape[1] + 1, draws)
        precision, auc = np.empty(shape), np.empty(shape)
        random_precision, random_auc = (np.empty((len(lists), draws)) for _ in range(2))
        run = get_backend()
        positives, negatives = [], []
        for k, one in enumerate(lists):
            scores = _with_max(_item_scores(cube, by, place[one.item]))
            precision[k], auc[k] = run.list_scores(scores, one.actives, one.negatives)
            random_precision[k], random_auc[k] = _at_random(one, seed)
            positives.append(scores[:, one.actives])
            negatives.append(scores[:, one.negatives])
        high, low = np.concatenate(positives, axis=1), np.concatenate(negatives, axis=2)
        with ThreadPoolExecutor(threads()) as pool:  # sorting is done outside of the interpreter
            micro = np.array(list(pool.map(pooled_scores, high, low)))
        return cls(lists, by, precision, auc, random_precision, random_auc, micro)

    def _sizes(self) -> tuple[Codes, Codes]:
        """Return how many actives and how many negatives each list has."""
        actives = np.array([len(one.actives) for one in self.lists])
        return actives, np.array([one.negatives.shape[1] for one in self.lists])

    def _chance(self) -> Floats:
        actives, negatives = self._sizes()
        return chance_precision(actives, actives + negatives)

    def per_item(self, doses: list[Dose]) -> pd.DataFrame:
        """Return a row per item and dose."""
        levels = _levels(doses)
        count = len(levels)
        actives, negatives = self._sizes()
        frame = pd.DataFrame(
            {
                self.by: np.repeat([one.item for one in self.lists], count),
                "concentration": levels * len(self.lists),
                "n_actives": np.repeat(actives, count),
                "n_negatives": np.repeat(negatives, count),
                "average_precision": self.precision.mean(axis=2).ravel(),
                "auc_roc": self.auc.mean(axis=2).ravel(),
                "chance": np.repeat(self._chance(), count),
            }
        )
        return frame.dropna(subset="average_precision").reset_index(drop=True)

    def summary(
        self, doses: list[Dose], quantiles: Sequence[float], resamples: int, seed: int
    ) -> pd.DataFrame:
        """Return a row per dose, and one for the largest similarity over doses."""
        chance, records = self._chance(), []
        for level, name in enumerate(_levels(doses)):
            scored = ~np.isnan(self.precision[:, level, 0])
            if not scored.any():
                continue
            precision, auc = self.precision[scored, level], self.auc[scored, level]
            low, high = item_bootstrap(precision.mean(axis=1), resamples=resamples, seed=seed)
            micro = self.micro[level].mean(axis=1)
            record = {
                "concentration": name,
                "n_items": int(scored.sum()),
                "average_precision": precision.mean(),
                "average_precision_sd": precision.mean(axis=0).std(),
                "ci_low": low,
                "ci_high": high,
                "chance": chance[scored].mean(),
                "average_precision_baseline": self.random_precision[scored].mean(),
                "average_precision_baseline_sd": self.random_precision[scored].mean(axis=0).std(),
                "auc_roc": auc.mean(),
                "auc_roc_sd": auc.mean(axis=0).std(),
                "auc_roc_baseline": self.random_auc[scored].mean(),
                "micro_average_precision": micro[0],
                "micro_auc_roc": micro[1],
            }
            for q in quantiles:
                record[f"ap_quantile_{q:g}"] = np.quantile(precision, q, axis=0).mean()
                of_random = np.quantile(self.random_precision[scored], q, axis=0)
                record[f"ap_quantile_{q:g}_baseline"] = of_random.mean()
            records.append(record)
        return pd.DataFrame(records)


def _levels(doses: list[Dose]) -> list[Dose]:
    return ["all" if pd.isna(dose) else dose for dose in doses] + ["max"]


def _at_random(one: RankedList, seed: int) -> tuple[Floats, Floats]:
    """Return average precision and AUC (draws,) of a list ranked at random."""
    draws, n = one.negatives.shape
    p = len(one.actives)
    stream = stream_of("uniform", one.item)
    drawn = random_subsets(p + n, p, draws, seed=seed, stream=stream)
    rank, t = 1 + np.sort(drawn, axis=1), np.arange(1, p + 1)
    return (t / rank).mean(axis=1), 1 - (rank - t).sum(axis=1) / (p * n)


def _trends(
    cube: Floats, doses: list[Dose], place: dict[str, int], lists: list[RankedList], by: By
) -> pd.DataFrame:
    """Return whether each item's similarity to its actives rises with the dose."""
    from scipy.stats import kendalltau

    records = []
    for one in lists:
        scores = _item_scores(cube, by, place[one.item])[:, one.actives]
        counted = ~np.isnan(scores)
        with np.errstate(invalid="ignore"):
            mean = np.where(counted, scores, 0).sum(axis=1) / counted.sum(axis=1)
        there = ~np.isnan(mean) & pd.notna(np.asarray(doses, object))
        if there.sum() < 3:
            continue
        tau = kendalltau(np.flatnonzero(there), mean[there], alternative="greater")  # of ranks
        records.append((one.item, int(there.sum()), float(tau.statistic), float(tau.pvalue)))
    return pd.DataFrame(records, columns=[by, "n_doses", "tau", "p_value"])
