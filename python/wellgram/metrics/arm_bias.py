"""Proximity bias: whether knock-outs of one chromosome arm look alike."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wellgram.align.chromosome_arms import arms_of_genes
from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Floats, Progress
from wellgram.errors import InputError, NotApplicable
from wellgram.files import save_csv
from wellgram.input_kinds import check_map
from wellgram.io.relationships import clean_pairs, named_sources
from wellgram.label_rules.label_spelling import near_labels, near_text
from wellgram.metrics.rank_test import BrunnerMunzel, brunner_munzel
from wellgram.metrics.rows_of_pairs import Sources
from wellgram.pairs import PairDtype, UnitRows, order_statistics, pair_count
from wellgram.wells import LabelledMap

_ALL = "all arms"


@dataclass(frozen=True, repr=False)
class ProximityBiasResult:
    """Within-arm cosines against between-arm ones, of all arms and of each.

    Columns of `table`: ``chromosome_arm`` (first ``all arms``); ``n_genes`` of it in the map;
    ``n_within_pairs`` and ``n_between_pairs``, of the arm's genes with others;
    ``within_mean``, their mean cosine; ``probability`` that a within-arm cosine is above a
    between-arm one, 0.5 without bias; ``statistic`` and ``p_value`` of Brunner and Munzel,
    two-sided; ``p_bonferroni``, times the number of arms tested; and ``reason``, why an arm has
    no figures.
    """

    table: pd.DataFrame

    def __repr__(self) -> str:
        whole, arms = self.table.iloc[0], self.table.iloc[1:]
        return (
            f"Proximity bias: a within-arm cosine is above a between-arm one with probability "
            f"{whole['probability']:.4f}; {int((arms['p_bonferroni'] < 0.05).sum())} of "
            f"{int(arms['p_value'].notna().sum())} arms differ from 0.5"
        )

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def proximity_bias(
    map_: LabelledMap,
    /,
    genes: pd.DataFrame,
    *,
    min_pairs: int = 21,
    dtype: PairDtype | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
) -> ProximityBiasResult:
    """Return how likely two genes of one chromosome arm are more alike than two of different arms.

    As Lazar et al. (2024) measure it, by Brunner and Munzel's test, but on all pairs instead of a
    sample. The p-values take pairs for independent, though pairs share genes: read them beside the
    probability, which is what the bias is.

    Parameters
    ----------
    map_
        The map; its rows that the table names are compared.
    genes
        Columns ``gene`` and ``chromosome_arm``, see `ProximityCorrection`.
    min_pairs
        An arm with fewer pairs of genes is not tested; 21 as published.
    dtype, backend, progress
        As for `wellgram.pairs.scan_pairs`.

    Raises
    ------
    InputError
        If a column is missing, a gene is on two arms or in two rows of the map, or the map has no
        two arms with genes, one with two.
    """
    check_map(map_)
    check_whole(min_pairs, "min_pairs")
    arm = arms_of_genes(genes).reindex(map_.labels["perturbation"]).reset_index(drop=True)
    placed = np.flatnonzero(arm.notna())
    names = map_.labels["perturbation"].iloc[placed]
    if names.duplicated().any():
        twice = names[names.duplicated()].iloc[0]
        raise InputError(
            f"gene {twice!r} has several rows in the map; leave out all but one, such as the knock-"
            "out's"
        )
    code, arms = pd.factorize(arm.iloc[placed], sort=True)
    sizes = np.bincount(code, minlength=len(arms))
    if len(arms) < 2 or sizes.max() < 2:
        near = near_labels(map(str, map_.labels["perturbation"]), set(genes["gene"].astype("str")))
        alike = f"; of those of the map, {near_text(near)}" if near else ""
        raise NotApplicable(
            f"{len(placed)} genes of the map are on {len(arms)} chromosome arms of the table; two "
            f"arms are needed, and two genes on one of them: check the names of genes{alike}"
        )
    rows = UnitRows(map_, dtype, placed)
    members = [np.flatnonzero(code == a) for a in range(len(arms))]
    tests: list[_Test | None] = [_all_arms(rows, members, progress)]
    reasons = [""]
    for a, own in enumerate(members):
        enough = pair_count(len(own)) >= min_pairs
        tests.append(_one_arm(rows, own, np.flatnonzero(code != a)) if enough else None)
        reasons.append("" if enough else f"fewer than {min_pairs} pairs")
    counts = np.array([pair_count(size) for size in sizes])
    table = pd.DataFrame(
        {
            "chromosome_arm": [_ALL, *arms],
            "n_genes": [len(placed), *sizes],
            "n_within_pairs": [counts.sum(), *counts],
            "n_between_pairs": [
                pair_count(len(placed)) - counts.sum(),
                *(sizes * (len(placed) - sizes)),
            ],
        }
    )
    for field in ("within_mean", "probability", "statistic", "p_value"):
        table[field] = [np.nan if test is None else getattr(test, field) for test in tests]
    tested = table["p_value"].notna() & (table["chromosome_arm"] != _ALL)
    table["p_bonferroni"] = (table["p_value"] * tested.sum()).where(tested).clip(upper=1)
    return ProximityBiasResult(table.assign(reason=reasons))


def split_by_arm(sources: Sources, genes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return each source of known pairs as two: of one chromosome arm, and of different ones.

    For `relationship_recall`: where the first is recalled and the second is not, proximity bias
    was. Pairs of which an end is on no arm of the table are left out.

    Parameters
    ----------
    sources
        Known pairs by source: see `relationship_recall`.
    genes
        Columns ``gene`` and ``chromosome_arm``.

    Raises
    ------
    InputError
        If a column is missing, or a gene is on two arms.
    """
    arm = arms_of_genes(genes)
    split = {}
    for name, pairs in named_sources(sources).items():
        clean = clean_pairs(pairs)
        one, other = (arm.reindex(clean[end]).to_numpy() for end in ("entity1", "entity2"))
        known = pd.notna(one) & pd.notna(other)
        split[f"{name}, same arm"] = clean[known & (one == other)]
        split[f"{name}, other arms"] = clean[known & (one != other)]
    return split


@dataclass(frozen=True)
class _Test(BrunnerMunzel):
    within_mean: float


def _all_arms(rows: UnitRows, members: list[Codes], progress: Progress | None) -> _Test:
    """Test all pairs within an arm against all others, by one pass over the pairs."""
    i, j = np.concatenate([_pairs_of(own) for own in members], axis=1)
    within = rows.cosines(i, j).astype(np.float64)
    ranked: Any = order_statistics(rows, (), values=within, progress=progress).ranked
    ordered = np.sort(within)
    below = ranked.below - np.searchsorted(ordered, within, side="left")
    up_to = ranked.up_to - np.searchsorted(ordered, within, side="right")
    return _tested(within, below, up_to, pair_count(rows.n) - len(within))


def _one_arm(rows: UnitRows, own: Codes, rest: Codes) -> _Test:
    """Test the pairs of an arm against those of its genes with all others."""
    within = rows.cosines(*_pairs_of(own)).astype(np.float64)
    found = order_statistics(rows.some(own), (), other=rows.some(rest), values=within)
    ranked: Any = found.ranked
    return _tested(within, ranked.below, ranked.up_to, len(own) * len(rest))


def _pairs_of(members: Codes) -> Codes:
    """Return the pairs (2, m) of some rows."""
    return members[np.stack(np.triu_indices(len(members), 1))]


def _tested(within: Floats, below: Codes, up_to: Codes, between: int) -> _Test:
    test = brunner_munzel(within, below, up_to, between)
    mean = float(np.clip(within.mean(), -1, 1))  # that of equal rows may be past 1
    return _Test(test.probability, test.statistic, test.p_value, mean)
