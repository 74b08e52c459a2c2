"""Similarities of copairs, to the bit: rows are made ready once, and not for each pair.

Each row is treated by itself, so that a NaN or what leaves its type comes out as it does there.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.amounts import check_amount
from wellgram.accel.declined import Declined
from wellgram.accel.registry import ENTRIES
from wellgram.accel.stand_ins import in_place_of, plain
from wellgram.accel.value_range import check_squares
from wellgram.backends import get_backend, numpy_similarity
from wellgram.backends.numpy_similarity import NumpySimilarity
from wellgram.backends.protocol import Codes, Rows
from wellgram.backends.thread_count import threads

SIMILARITIES: dict[str, Callable[[Rows], NumpySimilarity]] = {
    "cosine": numpy_similarity.cosines,
    "abs_cosine": numpy_similarity.cosines,
    "correlation": numpy_similarity.correlations,
    "euclidean": numpy_similarity.euclidean,
    "manhattan": numpy_similarity.manhattan,
    "chebyshev": numpy_similarity.chebyshev,
}
"""How rows are compared, by the name of the distance; abs_cosine is without its sign"""
_PAIRS_A_ROW = 4
"""With fewer pairs to each row, looking at all rows takes longer than the pairs"""
_NUMBERS = 1 << 16
"""How many numbers of pairs are compared at a time"""
_FEW = 4
"""Parts that are done before threads have begun"""


def get_similarity_fn(distance: Any, progress_bar: bool = True) -> Callable[..., Any]:
    """Return a function of features, pairs and a batch size: the similarity of each pair."""
    from copairs import compute

    if not isinstance(distance, str) or distance not in SIMILARITIES:
        raise Declined(f"distance {distance!r} is not supported")
    options = {"distance": distance, "progress_bar": progress_bar}  # the first versions lack this
    had = signature(compute.get_similarity_fn).parameters
    original = plain(compute.get_similarity_fn)(**{name: options[name] for name in had})
    entry = next(entry for entry in ENTRIES if entry.function == "get_similarity_fn")

    def similarities(feats: Any, pair_ix: Any, batch_size: int) -> Any:
        i, j = _pairs(feats, pair_ix, batch_size)
        with np.errstate(all="ignore"):
            values = _compared(SIMILARITIES[distance](feats), i, j)
        return np.abs(values) if distance == "abs_cosine" else values

    return in_place_of(entry, original, similarities)


def _compared(similarity: NumpySimilarity, i: Codes, j: Codes) -> NDArray[np.float32]:
    """Return the similarity of each pair."""
    values = np.empty(len(i), np.float32)
    pairs = max(1, _NUMBERS // similarity.rows.shape[1])
    starts = range(0, len(i), pairs)

    def compare(start: int) -> None:
        some = slice(start, start + pairs)
        values[some] = similarity.pairs(i[some], j[some])

    if len(starts) <= _FEW:
        for start in starts:
            compare(start)
    else:
        with ThreadPoolExecutor(threads()) as pool:
            list(pool.map(compare, starts))
    return values


def _pairs(feats: Any, pair_ix: Any, batch_size: Any) -> tuple[Codes, Codes]:
    """Return both ends of each pair, or decline."""
    if not isinstance(pair_ix, np.ndarray) or pair_ix.ndim != 2 or pair_ix.shape[1] != 2:
        raise Declined("pairs are no two columns")
    if pair_ix.dtype.kind not in "iu" or not isinstance(batch_size, int) or batch_size < 1:
        raise Declined("pairs or the batch size are no whole numbers")
    if type(feats) is not np.ndarray or feats.ndim != 2 or not feats.size or not len(pair_ix):
        raise Declined("features are no matrix of NumPy, or there are no pairs")
    if feats.dtype not in (np.float32, np.float64) or not feats.flags.c_contiguous:
        raise Declined("features are no floats, or have other strides")
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
