"""Drug-target targets: which genes a compound acts on, and lists of actives and negatives drawn."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes
from wellgram.errors import ColumnMissing, InputError
from wellgram.io.targets import TARGET_COLUMNS
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
    """Return the table of targets's three columns, each with a value.

    Raises
    ------
    InputError
        If a column is missing, the table is empty, or a value is no concentration.
    """
    for column in TARGET_COLUMNS:
        if column not in targets:
            raise ColumnMissing(
                f"the table of targets has no column {column!r}; "
                f"it needs {', '.join(TARGET_COLUMNS)}"
            )
    table = targets[list(TARGET_COLUMNS)].dropna()
    if table.empty:
        raise InputError("the table of targets has no rows: no compound has a known target")
    values = pd.to_numeric(table["nM_value"], errors="coerce")
    wrong = values.isna() | (values < 0)
    if wrong.any():
        bad = table.loc[wrong, "nM_value"].iloc[0]
        raise InputError(
            f"column 'nM_value' of the table of targets holds {bad!r}, no concentration"
        )
    return table.assign(nM_value=values)


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
