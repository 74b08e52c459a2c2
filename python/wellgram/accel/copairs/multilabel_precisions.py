"""Average precision of copairs where a profile has several labels."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.copairs.average_precisions import check_batch
from wellgram.accel.copairs.compared_profiles import compare_profiles
from wellgram.accel.copairs.copairs_releases import copairs_release
from wellgram.accel.copairs.expected_precisions import normalized
from wellgram.accel.copairs.pair_metadata import (
    check_readable,
    checked_metadata,
    coded_columns,
    pair_rules,
)
from wellgram.accel.copairs.progress_log import LABELS, PAIRS, SIMILARITIES, tell
from wellgram.accel.copairs.summed_precisions import SummedPrecisions
from wellgram.accel.declined import Declined
from wellgram.accel.stand_ins import plain
from wellgram.metrics.pairing import find_pairs
from wellgram.metrics.profile_ranks import partners_above, rank_entries

_Columns = tuple[Any, Any, Any, Any]


def multilabel(
    meta: pd.DataFrame,
    feats: Any,
    pos_sameby: Any,
    pos_diffby: Any,
    neg_sameby: Any,
    neg_diffby: Any,
    multilabel_col: Any,
    batch_size: int = 20000,
    distance: str = "cosine",
    progress_bar: bool = True,
) -> pd.DataFrame:
    """Return the average precision of each label of each profile: of the pairs that share it."""
    check_batch(batch_size)
    columns = (pos_sameby, pos_diffby, neg_sameby, neg_diffby)
    if not isinstance(multilabel_col, str):
        raise Declined("there is no column of labels")
    if not all(type(names) is list for names in columns):
        raise Declined("columns are given by no lists, from which copairs takes labels")
    rank = _by_label if copairs_release().ranks_by_label else _by_pair
    table = rank(meta, feats, columns, multilabel_col, distance)
    tell(*PAIRS, "Dropping dups in negative pairs...", *SIMILARITIES, *LABELS, "Finished.")
    return table


def _by_label(
    meta: pd.DataFrame, feats: Any, columns: _Columns, label_column: str, distance: str
) -> pd.DataFrame:
    from copairs import matching

    rules = pair_rules(*columns, label=label_column)
    if label_column not in rules.pos_sameby.every or label_column not in rules.neg_diffby.every:
        raise Declined("positives need not share labels, or negatives may")
    meta = checked_metadata(meta, feats, rules, label_column)
    names, labels = _labels(meta[label_column])
    check_readable(meta, matching.find_pairs_multilabel, rules.names, multilabel_col=label_column)
    coded = coded_columns(meta, [name for name in rules.names if name != label_column])
    coded[label_column] = pd.Series(labels, dtype=object)
    pairs = find_pairs(coded, rules)
    assert pairs.labels is not None
    n_pos = pairs.positives.partners
    entries = np.flatnonzero(n_pos)
    if not len(entries):
        raise Declined("there are no positives")
    precision, n_neg = np.empty(len(n_pos)), np.zeros(len(n_pos), np.int64)
    for part in rank_entries(
        compare_profiles(feats, distance), pairs, entries, precisions=SummedPrecisions()
    ):
        precision[part.entries], n_neg[part.entries] = part.precision, part.negatives
    if not n_neg[entries].all():
        raise Declined("a profile of a positive pair has no negatives")
    code = pairs.labels.to_numpy().astype(np.int64)
    order = entries[np.lexsort([pairs.owner[entries], code[entries]])]
    scores: dict[str, Any] = {"average_precision": precision[order]}
    if copairs_release().normalizes:
        scores["normalized_average_precision"] = normalized(
            precision[order], n_pos[order], n_neg[order]
        )
    scores |= {
        "n_pos_pairs": n_pos[order],
        "n_total_pairs": n_pos[order] + n_neg[order],
        "ix": pairs.owner[order].astype(np.uint32),
    }
    kind = pd.DataFrame({"ix": [0], label_column: names[0]})[label_column].dtype
    scores[label_column] = pd.Series(np.array(names, object)[code[order]], dtype=kind)
    return _merged(meta, pd.DataFrame(scores), label_column, np.uint32)


def _by_pair(
    meta: pd.DataFrame, feats: Any, columns: _Columns, label_column: str, distance: str
) -> pd.DataFrame:
    """Return both profiles of each positive pair, each pair a ranking, against either's negatives.

    copairs 0.5.0 takes a list of labels for one value.
    """
    from copairs.map import multilabel as original

    rules = pair_rules(*columns)
    meta = checked_metadata(meta, feats, rules, label_column)
    if label_column not in meta:
        raise Declined("there is no column of labels")
    _labels(meta[label_column])
    hashable = meta.assign(**{label_column: meta[label_column].map(tuple)})
    negatives = find_pairs(coded_columns(hashable, rules.names), rules).negatives
    positive = plain(original.find_pairs)(meta, sameby=columns[0], diffby=columns[1])
    positive = positive.astype(np.int64)
    if not len(positive) or (negatives.partners[positive] == 0).any():
        raise Declined("there are no positives, or a profile of one has no negatives")
    compared = compare_profiles(feats, distance)
    member, partner = positive.ravel(), positive[:, ::-1].ravel()
    similarity = compared.pairs(member, partner)
    order = np.lexsort([similarity, member])
    starts = np.searchsorted(member[order], np.arange(len(meta) + 1))
    above = np.empty(len(member), np.int64)
    above[order] = partners_above(compared, negatives, starts, similarity[order])
    labels: dict[str, Any] = {str(c): meta[c].iloc[member].reset_index(drop=True) for c in meta}
    scores: dict[str, Any] = {
        "average_precision": 1 / (1 + above),
        "n_pos_pairs": np.ones(len(member), np.int64),
        "n_total_pairs": 1 + negatives.partners[member],
        "ix": member,
    }
    return _merged(meta, pd.DataFrame({**scores, **labels}), label_column, np.int32)


def _merged(
    meta: pd.DataFrame, scores: pd.DataFrame, label_column: str, counts: type[np.integer[Any]]
) -> pd.DataFrame:
    """Return the scores beside the metadata, in the order of profiles."""
    kept = meta.drop(label_column, axis=1)
    results: pd.DataFrame = kept.merge(scores, right_on="ix", left_index=True).drop("ix", axis=1)
    for count in ("n_pos_pairs", "n_total_pairs"):
        results[count] = results[count].fillna(0).astype(counts)
    return results


def _labels(values: "pd.Series[Any]") -> tuple[list[str], list[list[str]]]:
    """Return all labels in ascending order, and those of each profile as numbers of these.

    Numbers are written as texts: to copairs an empty label is a label.
    """
    cells = values.tolist()
    for cell in cells:
        if type(cell) is not list or not all(type(label) is str for label in cell):
            raise Declined("labels are no lists of texts")
        if len(set(cell)) < len(cell):
            raise Declined("a profile has a label twice")
    names = sorted({label for cell in cells for label in cell})
    place = {name: str(number) for number, name in enumerate(names)}
    return names, [[place[label] for label in cell] for cell in cells]
