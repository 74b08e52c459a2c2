"""Similarities of copairs: of pairs of rows, without a copy of the rows for each pair."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.registry import ENTRIES
from wellgram.accel.stand_ins import in_place_of, plain
from wellgram.accel.value_range import check_squares
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats, Rows

_LEAST_NUMBERS = 1 << 18
"""Fewer are done before the work has been handed out"""
_NEAR = 1e-6
"""Of the squared lengths: what is left of a squared distance below it was lost by cancellation"""


def get_similarity_fn(distance: Any) -> Callable[..., Any]:
    """Return a function of features, pairs and a batch size: the similarity of each pair."""
    from copairs import compute

    original = plain(compute.get_similarity_fn)(distance)
    if not isinstance(distance, str) or distance not in _SIMILARITIES:
        raise Declined(f"distance {distance!r} is not supported")
    entry = next(entry for entry in ENTRIES if entry.function == "get_similarity_fn")
    stands_in = partial(_of_pairs, _SIMILARITIES[distance])

    def similarities(feats: Any, pair_ix: Any, batch_size: int) -> Any:
        return stands_in(feats, pair_ix)

    return in_place_of(entry, original, similarities)


def _of_pairs(similarity: Callable[..., Rows], feats: Any, pair_ix: Any) -> Any:
    rows = as_features(feats)
    if not isinstance(pair_ix, np.ndarray) or pair_ix.ndim != 2 or not len(pair_ix):
        raise Declined("there are no pairs")
    i, j = pair_ix[:, 0].astype(np.int64), pair_ix[:, 1].astype(np.int64)
    return similarity(rows, rows, i, j).astype(np.float32)


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


def of_rows(x_sample: Any, y_sample: Any) -> None:
    """Decline unless both are as many finite rows of floats, of the same type."""
    x, y = as_features(x_sample), as_features(y_sample)
    check_amount(x.size, _LEAST_NUMBERS)
    if x.shape != y.shape or x_sample.dtype != y_sample.dtype or x_sample.dtype.kind != "f":
        raise Declined("the two are not alike")


def _cosines(x: Rows, y: Rows, i: Codes, j: Codes, *, centred: bool = False) -> Rows:
    unit = directions(x, centred=centred)
    other = unit if y is x else directions(y, centred=centred)
    return get_backend().pair_cosines(unit, i, j, other)


def _distances(x: Rows, y: Rows, i: Codes, j: Codes) -> Floats:
    """Return ``1 / (1 + |x - y|)``; pairs that are near each other are subtracted in full."""
    middle = x.mean(axis=0, dtype=np.float64)
    left, right = x - middle, y - middle
    lengths, others = (np.einsum("nd,nd->n", rows, rows) for rows in (left, right))
    both = lengths[i] + others[j]
    squares = both - 2 * get_backend().pair_cosines(left, i, j, right)
    near = squares < _NEAR * both
    squares[near] = np.square(left[i[near]] - right[j[near]]).sum(axis=1)
    return np.asarray(1 / (1 + np.sqrt(squares)))


def _of_samples(similarity: Callable[..., Rows]) -> Callable[[Rows, Rows], Any]:
    """Return the similarity of each row with its counterpart."""

    def paired(x_sample: Rows, y_sample: Rows) -> NDArray[Any]:
        each = np.arange(len(x_sample))
        return similarity(x_sample, y_sample, each, each).astype(x_sample.dtype, copy=False)

    return paired


_SIMILARITIES: dict[str, Callable[..., Rows]] = {
    "cosine": _cosines,
    "abs_cosine": lambda *pairs: np.abs(_cosines(*pairs)),
    "correlation": partial(_cosines, centred=True),
    "euclidean": _distances,
}
cosine, abs_cosine, correlation, euclidean = map(_of_samples, _SIMILARITIES.values())
