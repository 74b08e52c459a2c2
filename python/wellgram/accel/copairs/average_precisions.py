"""Average precision of copairs: pairs are compared and counted, never listed or sorted."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.copairs.compared_profiles import compare_profiles
from wellgram.accel.copairs.copairs_releases import copairs_release
from wellgram.accel.copairs.expected_precisions import normalized
from wellgram.accel.copairs.pair_metadata import (
    check_readable,
    checked_metadata,
    coded_columns,
    pair_rules,
)
from wellgram.accel.copairs.progress_log import NORMALIZED, PAIRS, RANKS, SIMILARITIES, tell
from wellgram.accel.copairs.summed_precisions import SummedPrecisions
from wellgram.accel.declined import Declined
from wellgram.metrics.pairing import find_pairs
from wellgram.metrics.profile_ranks import rank_entries


def precision(
    meta: pd.DataFrame,
    feats: Any,
    pos_sameby: Any,
    pos_diffby: Any,
    neg_sameby: Any,
    neg_diffby: Any,
    batch_size: int = 20000,
    distance: str = "cosine",
    progress_bar: bool = True,
) -> pd.DataFrame:
    """Return the metadata with the average precision of each profile."""
    from copairs import matching

    check_batch(batch_size)
    rules = pair_rules(pos_sameby, pos_diffby, neg_sameby, neg_diffby)
    meta = checked_metadata(meta, feats, rules)
    check_readable(meta, matching.find_pairs, rules.names)
    pairs = find_pairs(coded_columns(meta, rules.names), rules)
    n_pos, n_neg = pairs.positives.partners, pairs.negatives.partners
    if not n_pos.any() or not n_neg.any():
        raise Declined("there are no positives, or no negatives")
    scores = np.full(len(meta), np.nan)
    scores[(n_pos > 0) & (n_neg == 0)] = 1.0
    ranked = np.flatnonzero((n_pos > 0) & (n_neg > 0))
    for part in rank_entries(
        compare_profiles(feats, distance), pairs, ranked, precisions=SummedPrecisions()
    ):
        scores[part.entries] = part.precision
    meta["n_pos_pairs"] = n_pos
    meta["n_total_pairs"] = n_pos + n_neg
    meta["average_precision"] = scores
    normalizes = copairs_release().normalizes
    if normalizes:
        paired = n_pos + n_neg > 0
        column = np.full(len(meta), np.nan)
        column[paired] = normalized(scores[paired], n_pos[paired], n_neg[paired])
        meta["normalized_average_precision"] = column
    tell(*PAIRS, *SIMILARITIES, *RANKS, *(NORMALIZED if normalizes else ()), "Finished.")
    return meta


def check_batch(batch_size: Any) -> None:
    """Decline sizes of a batch that copairs cannot go by."""
    if not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise Declined("the size of a batch is no positive whole number")
