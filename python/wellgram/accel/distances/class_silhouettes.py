"""Silhouettes of rows in classes, from the sums of each row's distances to each class."""

from typing import Any, Literal

import numpy as np
import pandas as pd

from wellgram.accel.compiled_core import check_compiled
from wellgram.accel.declined import Declined
from wellgram.accel.distances.class_distances import cosine_sums
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats
from wellgram.backends.row_distances import class_distance_sums

Other = Literal["nearest", "mean_other", "furthest"]
"""Which other class a row's own is compared with, or the mean of all"""

_WIDE = 1e-3
"""The share of a row's squared distance from the centre that the product of its mean distances must
be, for the digits of float32 to do: its distances are then wrong by 4e-6 at most"""
_FLOAT32_SQUARES = (1e-20, 1e30)
"""What the largest squared distance from the centre must lie in, for float32 to hold squares"""
_LEAST = {"euclidean": 1e-2, "cosine": 1e-2}
"""What the larger mean distance of each row must be, for the digits of an original to be more than
rounding errors: as a share of the row's length, or of 1"""


def class_codes(labels: Any, n: int) -> tuple[Codes, int]:
    """Return the code of the class of each of n rows, and how many classes there are.

    Raises
    ------
    Declined
        If labels are no plain list of whole numbers or texts, one is missing, or there are not from
        2 to n - 1 classes.
    """
    if type(labels) not in (np.ndarray, pd.Series, list) or len(labels) != n:
        raise Declined("labels are no list with one for each row")
    values = np.asarray(labels)
    texts = values.dtype.kind == "O" and all(type(value) is str for value in values.ravel())
    if values.ndim != 1 or not (values.dtype.kind in "iubU" or texts):
        raise Declined("labels are neither texts nor whole numbers")
    codes, classes = pd.factorize(values)
    if not 2 <= len(classes) < n:
        raise Declined("there are too few classes, or too many")
    return np.asarray(codes, np.int64), len(classes)


def euclidean_silhouettes(
    rows: Floats, codes: Codes, classes: int, other: Other = "nearest"
) -> Floats:
    """Return the silhouettes (n,) of rows by Euclidean distances.

    Raises
    ------
    Declined
        If rows are far from 0 for how near they are to each other, or there is no compiled core.
    """
    check_compiled()
    far = np.square(rows - rows.mean(axis=0)).sum(axis=1)
    in_float32 = _FLOAT32_SQUARES[0] < far.max() < _FLOAT32_SQUARES[1]
    sums = class_distance_sums(rows, codes, classes, in_float32=in_float32)
    within, between = _means(sums, codes, other)
    known = np.where(np.isnan(within), between, within)
    if in_float32 and not (known * between >= _WIDE * far).all():
        sums = class_distance_sums(rows, codes, classes, in_float32=False)
        within, between = _means(sums, codes, other)
    lengths = np.sqrt(np.square(rows).sum(axis=1))
    _check_digits(within, between, _LEAST["euclidean"] * lengths)
    return _silhouettes(within, between)


def cosine_silhouettes(
    rows: Floats, codes: Codes, classes: int, other: Other = "nearest"
) -> Floats:
    """Return the silhouettes (n,) of rows by cosine distances; rows of zeros are 1 from all others.

    Raises
    ------
    Declined
        If rows are nearly parallel to all others of their class and to those of another.
    """
    units, _ = get_backend().unit_rows(rows)
    within, between = _means(cosine_sums(units, codes, classes), codes, other)
    _check_digits(within, between, np.full(len(rows), _LEAST["cosine"]))
    return _silhouettes(within, between)


def _means(sums: Floats, codes: Codes, other: Other) -> tuple[Floats, Floats]:
    """Return the mean distance of each row to its own class, NaN for a class of one, and to others.

    The latter is that to the nearest class, to the furthest, or to all rows of others.
    """
    counts = np.bincount(codes)
    each = np.arange(len(codes))
    own = sums[each, codes]
    with np.errstate(invalid="ignore"):
        within = own / np.where(counts > 1, counts - 1.0, np.nan)[codes]
    if other == "mean_other":
        return within, (sums.sum(axis=1) - own) / (len(codes) - counts[codes])
    means = sums / counts
    means[each, codes] = np.inf if other == "nearest" else -np.inf
    return within, means.min(axis=1) if other == "nearest" else means.max(axis=1)


def _check_digits(within: Floats, between: Floats, least: Floats) -> None:
    if not (np.fmax(within, between) > least).all():
        raise Declined("the distances of a row are small beside their rounding errors")


def _silhouettes(within: Floats, between: Floats) -> Floats:
    """Return ``(b - a) / max(a, b)``, 0 for a class of one."""
    return np.nan_to_num((between - within) / np.maximum(within, between))
