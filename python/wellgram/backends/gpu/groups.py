"""Sums, moments and medians of the rows of groups."""

from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np

from wellgram.backends.gpu.arrays import PACK, Matrix
from wellgram.backends.gpu.card import THREADS, Card
from wellgram.backends.gpu.card_arrays import CardRows
from wellgram.backends.gpu.products import multiply_rows
from wellgram.backends.protocol import Codes, Floats, GroupMoments, Spread

_RUN = 1024
"""Rows of a group are added in runs of so many at most, and then the runs"""


class GroupPrimitives:
    """The primitives of groups of rows."""

    card: Card

    def group_sums(self, x: CardRows, codes: Codes, sums: Floats) -> None:
        """See `Kernels.group_sums`."""
        sums += self._sums(x, codes, len(sums), None)

    def _sums(self, rows: Any, codes: Codes, groups: int, means: Floats | None) -> Floats:
        """Return the sums (g, d) of rows, or of their squared deviations from means."""
        card, d = self.card, rows.shape[1]
        total = card.vector(groups * d, np.float64, zero=True)
        laid = None if means is None else card.numbers(means, np.float64)
        for first, chunk in card.chunks(rows):
            own = codes[first : first + chunk.rows]
            order, bounds = in_groups(own, groups)
            runs = [np.arange(a, b, _RUN) for a, b in pairwise(bounds)]
            counts = [len(run) for run in runs]
            starts = np.concatenate([*runs, [len(order)]])
            if len(starts) == 1:
                continue
            group = np.repeat(np.arange(groups), counts)
            partial = card.vector((len(starts) - 1) * d, np.float64)
            strips = ceil(d * chunk.dtype.itemsize / PACK / THREADS)
            card.launch(
                f"sum_runs<{chunk.c_type}>",
                (len(starts) - 1) * strips,
                *(chunk, chunk.stride, d, card.numbers(order, np.int64)),
                *(card.numbers(starts, np.int64), len(starts) - 1),
                *(0 if laid is None else laid, card.numbers(group, np.int64), partial),
                each=1,
            )
            firsts = card.numbers(np.concatenate([[0], np.cumsum(counts)]), np.int64)
            card.launch("add_runs", groups * d, partial, d, firsts, groups, total)
        return np.asarray(card.read(total).reshape(groups, d), np.float64)

    def group_moments(self, x: CardRows, codes: Codes, groups: int, spread: Spread) -> GroupMoments:
        """See `Kernels.group_moments`."""
        d = x.shape[1]
        counts = np.bincount(codes[codes >= 0], minlength=groups)
        with np.errstate(invalid="ignore"):  # an empty group: 0 / 0
            means = self._sums(x, codes, groups, None) / counts[:, None]
        if spread == "variances":
            squares = self._sums(x, codes, groups, means)
            return GroupMoments(counts, means, list(squares), spread)
        order, bounds = in_groups(codes, groups)
        spreads = []
        for g in range(groups):
            members = order[bounds[g] : bounds[g + 1]]
            centred = self._centred(x, members, means[g])
            if spread == "rows" or len(members) < d:
                spreads.append(self.card.fetch(centred))
            else:
                spreads.append(self._scatter(centred))
        return GroupMoments(counts, means, spreads, spread)

    def _centred(self, rows: Any, members: Codes, mean: Floats) -> Matrix:
        """Return members' deviations from the mean, in float64."""
        card = self.card
        if not isinstance(rows, Matrix):
            rows, members = card.lay(rows[members]), np.arange(len(members))
        out = card.matrix(len(members), rows.columns, np.float64)
        if len(members):
            index, centre = card.numbers(members, np.int64), card.numbers(mean, np.float64)
            card.launch(
                f"centre_rows<{rows.c_type}, double>",
                len(members) * out.stride,
                *(rows, rows.stride, rows.columns, index, len(members), centre, 0, 0),
                *(out, out.stride),
            )
        return out

    def _scatter(self, centred: Matrix) -> Floats:
        card, (n, d) = self.card, (centred.rows, centred.columns)
        columns = card.matrix(d, n, np.float64)
        index = card.numbers(np.arange(n), np.int64)
        none = card.vector(d, np.float64, zero=True)
        card.launch(
            "centre_columns<double>",
            d * columns.stride,
            *(centred, centred.stride, d, index, n, none, columns, columns.stride),
        )
        return np.asarray(card.fetch(multiply_rows(card, columns, columns)), np.float64)

    def group_medians(self, x: CardRows, codes: Codes, groups: int) -> Floats:
        """See `Kernels.group_medians`; some groups at a time are laid on the card."""
        order, bounds = in_groups(codes, groups)
        medians = np.empty((groups, x.shape[1]))
        if isinstance(x, Matrix):
            medians[:] = self._medians(x, order, bounds)
            return medians
        at_once = max(1, self.card.chunk_bytes // max(1, x.shape[1] * x.itemsize))
        g = 0
        while g < groups:
            last = max(g + 1, int(np.searchsorted(bounds, bounds[g] + at_once, "right")) - 1)
            members = order[bounds[g] : bounds[last]]
            own = bounds[g : last + 1] - bounds[g]
            laid = self.card.lay(x[members])
            medians[g:last] = self._medians(laid, np.arange(len(members)), own)
            g = last
        return medians

    def _medians(self, rows: Matrix, order: Codes, bounds: Codes) -> Floats:
        card, d, groups = self.card, rows.columns, len(bounds) - 1
        out = card.vector(groups * d, np.float64)
        card.launch(
            f"group_medians<{rows.c_type}>",
            groups * ceil(d / THREADS),
            *(rows, rows.stride, d, card.numbers(order, np.int64)),
            *(card.numbers(bounds, np.int64), groups, out),
            each=1,
        )
        return np.asarray(card.read(out).reshape(groups, d), np.float64)


def in_groups(codes: Codes, groups: int) -> tuple[Codes, Codes]:
    """Return rows in the order of groups, without those of none, and where each group begins."""
    order = np.argsort(codes, kind="stable")
    order = order[np.searchsorted(codes[order], 0) :]
    return order, np.searchsorted(codes[order], np.arange(groups + 1))
