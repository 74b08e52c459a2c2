"""Consumers that no backend has a twin of, as a user of the library writes them."""

from dataclasses import dataclass

import numpy as np

from wellgram import InputError
from wellgram.pairs import Consumer, State


@dataclass(frozen=True)
class SumAbove(Consumer):
    """How many cosines lie above a threshold, and their sum, in multiples of 2^-40: (2,)."""

    threshold: float

    def start(self, extent):
        return State(np.zeros(2, np.int64))

    def absorb(self, state, met):
        above = met.cosines[met.cosines > np.float64(self.threshold)].astype(np.float64)
        added = [len(above), np.rint(above * 2.0**40).astype(np.int64).sum()]
        return State(state.counts + np.array(added, np.int64))

    def merge(self, a, b):
        return State(a.counts + b.counts)

    def finish(self, state):
        return state.counts


@dataclass(frozen=True, eq=False)
class LargestPerRow(Consumer):
    """The largest cosine of chosen rows (m,), -inf where there is none: an array (m,)."""

    rows: np.ndarray

    def check(self, extent, dtype):
        if len(self.rows) and self.rows.max() >= extent.rows:
            raise InputError(f"row {self.rows.max()} is not among the {extent.rows} of the pass")

    def start(self, extent):
        return State(np.empty(0, np.int64), np.full(extent.rows, -np.inf))

    def absorb(self, state, met):
        rows, _, cosines = met.by_row
        np.maximum.at(state.values, rows, cosines)
        return state

    def merge(self, a, b):
        return State(a.counts, np.maximum(a.values, b.values))

    def finish(self, state):
        return state.values[self.rows]
