"""Which rows of a map are known pairs: named by a source, or alike in a column."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes
from wellgram.errors import ColumnMissing, InputError
from wellgram.io.relationships import pair_ends
from wellgram.label_rules.label_spelling import KnownLabels
from wellgram.metrics.pairing import Columns
from wellgram.metrics.several_values import split_values, warn_of_separator

Sources = Mapping[str, Any] | Any
"""Tables of known pairs by the name of their source, or one such table"""
SameRule = str | Mapping[str, str | Sequence[str]]
"""A column, or ``{"any": [...]}`` or ``{"all": [...]}`` of several"""

_REMEDY = "give separator={separator!r}"


def pair_rows(name: str, pairs: pd.DataFrame, labels: "pd.Series[Any]") -> tuple[Codes, Codes]:
    """Return the rows (i, j) of the pairs whose two entities are in the map.

    Raises
    ------
    InputError
        If a column is missing, or an entity has several rows.
    """
    labels = labels.astype("str")
    code, names = pd.factorize(labels)
    ends = pair_ends(pairs)
    entity, entities = pd.factorize(pd.concat([ends["entity1"], ends["entity2"]]))
    place = pd.Index(names).get_indexer(pd.Index(entities))[entity]  # looked up once per name
    first, second = np.split(place, 2)
    both = (first >= 0) & (second >= 0) & (first != second)
    ordered = np.sort(np.stack([first[both], second[both]]), axis=0)
    i, j = np.divmod(np.unique(ordered[0] * len(names) + ordered[1]), max(1, len(names)))
    repeated = np.bincount(code, minlength=len(names)) > 1
    twice = np.unique(place[place >= 0])
    twice = twice[repeated[twice]]
    if len(twice):
        raise InputError(
            f"{len(twice)} perturbations of source {name!r} have several rows in the map "
            f"(first: {names[twice[0]]!r}), one per dose or type; aggregate over doses "
            "(dose='none') or, where the map has genes, choose null='genes'"
        )
    row = np.empty(len(names), np.int64)
    row[code] = np.arange(len(code))
    return row[i], row[j]


def near_ends(pairs: pd.DataFrame, labels: KnownLabels) -> dict[str, str]:
    """Return the labels of pairs that are those of the map but for case or blanks."""
    ends = pair_ends(pairs)
    return labels.near(pd.unique(pd.concat([ends["entity1"], ends["entity2"]])).tolist())


def same_rows(
    rule: SameRule, labels: pd.DataFrame, separator: str | None
) -> dict[str, tuple[Codes, Codes]]:
    """Return the rows (i, j), i < j, that share a value of a column, or of several columns.

    By the name of the source. Where a perturbation has several rows, a second source has the pairs
    of two perturbations alone.

    Raises
    ------
    InputError
        If a column is missing.
    """
    columns = Columns.of(rule)
    if not columns.names:
        raise InputError("name a column that makes known pairs (same=)")
    n = len(labels)
    shared = {name: _sharing(_column(labels, name), name, separator) for name in columns.names}
    groups = [shared[name] for name in columns.every]
    if columns.any_of:
        groups.append(reduce(np.union1d, [shared[name] for name in columns.any_of]))
    pairs = reduce(lambda a, b: np.intersect1d(a, b, assume_unique=True), groups)
    i, j = np.divmod(pairs, max(1, n))
    every, any_of = " and ".join(columns.every), " or ".join(columns.any_of)
    title = f"{every} and ({any_of})" if every and any_of else every or any_of
    sources = {title: (i, j)}
    if labels["perturbation"].duplicated().any():
        perturbation = labels["perturbation"].to_numpy()
        other = perturbation[i] != perturbation[j]
        sources[f"{title}, other perturbation"] = (i[other], j[other])
    return sources


def _sharing(values: "pd.Series[Any]", name: str, separator: str | None) -> Codes:
    """Return the pairs of rows that share a value, each once, as ``i * n + j``, ascending."""
    n = len(values)
    single = split_values(values, separator)
    warn_of_separator(single, name, _REMEDY)
    code = pd.factorize(single)[0]
    row = single.index.to_numpy(np.int64)
    order = np.argsort(code, kind="stable")
    groups = np.split(row[order], np.flatnonzero(np.diff(code[order])) + 1)
    pairs = []
    for group in groups:
        first, second = np.triu_indices(len(group), k=1)
        pairs.append(group[first] * n + group[second])
    return np.unique(np.concatenate(pairs))


def _column(labels: pd.DataFrame, column: str) -> "pd.Series[Any]":
    if column not in labels:
        raise ColumnMissing(
            f"the map has no column {column!r} to make pairs of; it is missing from the metadata, "
            "or wells of one perturbation differ in it (there are: "
            f"{', '.join(map(str, labels.columns))})"
        )
    values: pd.Series[Any] = labels[column]
    return values
