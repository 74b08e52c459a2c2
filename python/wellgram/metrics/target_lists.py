"""Drug-target targets: which genes a compound acts on, and lists of actives and negatives drawn."""

import warnings
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from wellgram.backends.checks import check_draws
from wellgram.backends.protocol import Codes
from wellgram.errors import ColumnMissing, InputError, LabelsWarning
from wellgram.estimators.call_sites import level_outside
from wellgram.input_kinds import check_frame
from wellgram.io.targets import TARGET_COLUMNS
from wellgram.label_rules.missing_labels import without_missing
from wellgram.nulls import random_subsets, stream_of

Seeding = Literal["independent", "shared"]
"""Draws of negatives: each item by itself, or all with one stream of random numbers"""


@dataclass(frozen=True)
class RankedList:
    """An item, a compound for example, and the partners that are ranked for it."""

    item: str
    actives: Codes
    """(p,)"""
    negatives: Codes
    """(draws, n)"""


def check_targets(targets: pd.DataFrame) -> pd.DataFrame:
    """Return the three columns of a table of targets, in the rows that have all values.

    Raises
    ------
    InputError
        If it is no table, a column is missing, no row is whole, or a value is no concentration.

    Warns
    -----
    LabelsWarning
        If rows lack a value.
    """
    check_frame(targets, "the table of targets")
    for column in TARGET_COLUMNS:
        if column not in targets:
            have = ", ".join(map(repr, targets.columns))
            raise ColumnMissing(
                f"the table of targets has no column {column!r}; "
                f"it needs {', '.join(TARGET_COLUMNS)}, and has {have}"
            )
    filled = targets[list(TARGET_COLUMNS)].apply(without_missing)
    table = filled.dropna()
    if table.empty:
        raise InputError("the table of targets has no rows: no compound has a known target")
    if len(table) < len(filled):
        _warn(
            f"{len(filled) - len(table):,} of {len(filled):,} rows of the table of targets lack a "
            "compound, a gene or a concentration and are left out"
        )
    values = pd.to_numeric(table["nM_value"], errors="coerce")
    wrong = values.isna() | (values < 0)
    if wrong.any():
        bad = table.loc[wrong, "nM_value"].tolist()[0]
        raise InputError(
            f"column 'nM_value' of the table of targets holds {bad!r}, no concentration, and "
            f"{int(wrong.sum()) - 1:,} more such; write numbers in nM, or leave those rows out"
        )
    names = {column: table[column].astype("str") for column in ("treatment", "gene_symbol")}
    return table.assign(nM_value=values, **names)


def warn_of_contradictions(targets: pd.DataFrame, active: float, inactive: float) -> None:
    """Warn if a compound and a gene are measured twice, and are a target by one value alone.

    Their lowest value counts: see `ranked_lists`.
    """
    kind = np.digitize(targets["nM_value"], [active, inactive], right=True)
    kinds = targets.assign(kind=kind).groupby(["treatment", "gene_symbol"])["kind"].nunique()
    contradicting = kinds.index[kinds > 1]
    if len(contradicting):
        compound, gene = contradicting[0]
        _warn(
            f"{len(contradicting):,} pairs of a compound and a gene have measurements that "
            f"contradict each other, active at up to {active:g} nM and inactive above "
            f"{inactive:g} nM (first: {compound!r} and {gene!r}); the lowest value of a pair counts"
        )


def _warn(text: str) -> None:
    warnings.warn(text, LabelsWarning, stacklevel=level_outside())


def ranked_lists(
    targets: pd.DataFrame,
    items: str,
    partners: str,
    mapped: Container[str],
    place: dict[str, int],
    *,
    active: float,
    inactive: float,
    min_negatives: int,
    draws: int,
    seed: int,
    seeding: Seeding = "independent",
) -> Iterator[RankedList | tuple[str, str]]:
    """Yield the list of each item that is mapped, or the item and why it has none.

    Actives have a value up to `active`; partners above that and up to `inactive` are left out;
    negatives are drawn, max(2 actives, min_negatives) of them, from the sorted pool of all other
    partners in `place`, which says what row each partner is. With `seeding` shared, items whose
    pools are equal have equal negatives.
    """
    everyone = np.array(sorted(set(targets[partners]) & place.keys()), object)
    rows_of = np.array([place[name] for name in everyone], np.int64)
    item, names = pd.factorize(targets[items], sort=True)
    partner = pd.Index(everyone).get_indexer(pd.Index(targets[partners]))  # -1: not in the map
    value = targets["nM_value"].to_numpy(np.float64)
    order = np.argsort(item, kind="stable")
    ends = np.searchsorted(item[order], np.arange(len(names) + 1))
    # Places, scores, and the scores of all items joined.
    check_draws(draws, 3 * 8 * min_negatives * sum(name in mapped for name in names))
    for k, name in enumerate(names):
        if name not in mapped:
            continue
        of, values = (column[order[ends[k] : ends[k + 1]]] for column in (partner, value))
        hit = values <= active
        # A partner measured twice, once in between, is neither: as published.
        between = (values > active) & (values <= inactive)
        actives = np.unique(of[hit & (of >= 0)])
        if not len(actives):
            yield str(name), "no active partner in the map" if hit.any() else "no active partner"
            continue
        eligible = np.ones(len(everyone), bool)
        eligible[of[(hit | between) & (of >= 0)]] = False
        pool = np.flatnonzero(eligible)
        count = max(2 * len(actives), min_negatives)
        if len(pool) < count:
            yield str(name), f"{len(pool)} eligible negatives, {count} needed"
            continue
        stream = stream_of(name) if seeding == "independent" else stream_of("every item")
        drawn = random_subsets(len(pool), count, draws, seed=seed, stream=stream)
        yield RankedList(str(name), rows_of[actives], rows_of[pool][drawn])
