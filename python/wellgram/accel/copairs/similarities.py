"""Similarities of copairs: of pairs of rows, without a copy of the rows for each pair."""

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.registry import ENTRIES
from wellgram.accel.stand_ins import in_place_of, plain
from wellgram.accel.value_range import check_squares
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows

_PAIRS_A_ROW = 4
"""With fewer pairs to each row, looking at all rows takes longer than the pairs"""
_NEAR = 1e-6
"""Of the squared lengths: what is left of a squared distance below it was lost by cancellation"""


def get_similarity_fn(distance: Any, progress_bar: bool = True) -> Callable[..., Any]:
    """Return a function of features, pairs and a batch size: the similarity of each pair."""
    from copairs import compute

    if not isinstance(distance, str) or distance not in _SIMILARITIES:
        raise Declined(f"distance {distance!r} is not supported")
    options = {"distance": distance, "progress_bar": progress_bar}  # the first versions lack this
    had = signature(compute.get_similarity_fn).parameters
    original = plain(compute.get_similarity_fn)(**{name: options[name] for name in had})
    entry = next(entry for entry in ENTRIES if entry.function == "get_similarity_fn")
    similarity = _SIMILARITIES[distance]

    def similarities(feats: Any, pair_ix: Any, batch_size: int) -> Any:
        i, j = _pairs(feats, pair_ix, batch_size)
        return similarity(as_features(feats), i, j).astype(np.float32)

    return in_place_of(entry, original, similarities)


def _pairs(feats: Any, pair_ix: Any, batch_size: Any) -> tuple[Codes, Codes]:
    """Return both ends of each pair, or decline."""
    if not isinstance(pair_ix, np.ndarray) or pair_ix.ndim != 2 or pair_ix.shape[1] != 2:
        raise Declined("pairs are no two columns")
    if pair_ix.dtype.kind not in "iu" or not isinstance(batch_size, int) or batch_size < 1:
        raise Declined("pairs or the batch size are no whole numbers")
    if not isinstance(feats, np.ndarray) or not len(pair_ix):
        raise Declined("features are no matrix of NumPy, or there are no pairs")
    check_amount(len(pair_ix), _PAIRS_A_ROW * len(feats))
    if pair_ix.min() < 0 or pair_ix.max() >= len(feats):
        raise Declined("a pair is of rows that are not there")
    return pair_ix[:, 0].astype(np.int64), pair_ix[:, 1].astype(np.int64)


def as_features(feats: Any) -> Rows:
    """Return features as finite rows of floats, or decline."""
    if not isinstance(feats, np.ndarray) or feats.ndim != 2 or feats.size == 0:
        raise Declined("features are no matrix of NumPy")
    if feats.dtype.kind not in "iuf" or feats.dtype == np.float16:
        raise Declined(f"features are {feats.dtype}")
    rows = feats if feats.dtype == np.float32 else feats.astype(np.float64, copy=False)
    bad, _ = get_backend().row_faults(rows)
    if bad.any():
        raise Declined("a row holds a NaN or an Inf")
    check_squares(rows)
    return rows


def directions(rows: Rows, *, centred: bool = False) -> Rows:
    """Return rows of length 1, about their own mean if they are to be centred, or decline."""
    if centred:
        level = rows.mean(axis=1, keepdims=True, dtype=np.float64)
        moved = (rows - level).astype(rows.dtype)
        if (np.abs(moved).max(axis=1) <= 1e-6 * np.abs(rows).max(axis=1)).any():
            raise Declined("a row is the same in all features")
        rows = moved
    unit, zero = get_backend().unit_rows(rows)
    if len(zero):
        raise Declined("a row is all zero, and has no direction")
    return unit


def _cosines(rows: Rows, i: Codes, j: Codes, *, centred: bool = False) -> Rows:
    unit = directions(rows, centred=centred)
    return get_backend().pair_cosines(unit, i, j, unit)


def _distances(rows: Rows, i: Codes, j: Codes) -> Floats:
    """Return ``1 / (1 + |x - y|)``; pairs that are near each other are subtracted in full."""
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    lengths = np.einsum("nd,nd->n", centred, centred)
    both = lengths[i] + lengths[j]
    squares = both - 2 * get_backend().pair_cosines(centred, i, j, centred)
    near = squares < _NEAR * both
    squares[near] = np.square(centred[i[near]] - centred[j[near]]).sum(axis=1)
    return np.asarray(1 / (1 + np.sqrt(squares)))


_SIMILARITIES: dict[str, Callable[..., Rows]] = {
    "cosine": _cosines,
    "abs_cosine": lambda *pairs: np.abs(_cosines(*pairs)),
    "correlation": partial(_cosines, centred=True),
    "euclidean": _distances,
}
