"""The pass over all pairs of rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wellgram.backends import get_backend
from wellgram.backends.consumers import Consumer
from wellgram.backends.protocol import Progress, Rows
from wellgram.errors import InputError


def unit_embeddings(x: Rows, *, backend: str | None = None) -> Rows:
    """Return the rows of x (n, d) scaled to length 1, in the type of x.

    Raises
    ------
    InputError
        If a row is zero, which has no direction, or holds a NaN or an Inf.
    """
    unit, zero = get_backend(backend).unit_rows(x)
    if len(zero):
        raise InputError(f"{len(zero)} rows are all zero (first: row {zero[0]}); leave them out")
    bad = np.flatnonzero(np.isnan(unit[:, :1].ravel()))
    if len(bad):
        raise InputError(f"{len(bad)} rows hold a NaN or an Inf (first: row {bad[0]})")
    return unit


def pair_count(n: int) -> int:
    """Return the number of pairs i < j among n rows."""
    return n * (n - 1) // 2


def scan_pairs(
    x: Rows,
    consumers: Sequence[Consumer],
    *,
    other: Rows | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
) -> list[Any]:
    """Hand the cosine of every pair of rows to consumers, in one pass.

    Parameters
    ----------
    x
        (n, d), float32 or float64; rows need not have length 1. Cosines are computed in its type.
    consumers
        Such as `CountBelow`, `Histogram` and `Bracket`.
    other
        (m, d): every row of x with every row of other, instead of the pairs i < j of x.
    backend
        See `wellgram.set_backend`.
    progress
        Called now and then with the share done, in [0, 1].

    Returns
    -------
    list
        What each consumer found, in their order.

    Raises
    ------
    InputError
        If a row is zero or not finite, or the two differ in features.
    """
    unit = unit_embeddings(x, backend=backend)
    against = None if other is None else unit_embeddings(other, backend=backend)
    return get_backend(backend).scan_pairs(unit, consumers, against, progress)
