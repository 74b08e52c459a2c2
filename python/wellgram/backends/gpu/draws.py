"""Random sets, and what is made of them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.gpu.arrays import Matrix, Vector
from wellgram.backends.gpu.card import Card
from wellgram.backends.gpu.card_arrays import CardRows
from wellgram.backends.protocol import Codes, Floats, Progress, SetKinds, Sets
from wellgram.backends.sets_by_kind import SetPrimitives, distances_by_kind, means_by_kind

_WORKERS = 4096
"""So many draws are made at once, each in an order of its own, where memory allows"""

_AT_ONCE = 1 << 22
"""Places that are held at once"""


class DrawPrimitives:
    """The primitives that draw, and the scores of lists."""

    card: Card
    # Of the groups of rows.
    group_sums: Callable[[CardRows, Codes, Floats], None]
    group_distances: Callable[[CardRows, Codes, int], Floats]

    def null_means(
        self,
        x: CardRows,
        sets: Sets,
        draws: int,
        *,
        seed: int,
        stream: int,
        first: int,
        progress: Progress | None,
    ) -> Floats:
        """See `Kernels.null_means`."""
        card = self.card
        if isinstance(x, Matrix):
            rows, index = x, sets.pool
        else:  # those of the pool are laid on the card, each once
            used, index = np.unique(sets.pool, return_inverse=True)
            rows = card.lay(x[used])
        means = np.empty((len(sets.sizes), draws))
        indices, marks = card.numbers(index, np.int64), card.numbers(sets.sizes, np.int64)
        at_once = max(1, _AT_ONCE // sets.sizes[-1])
        shuffles = _Shuffles(card, sets.strata, sets.taken, seed, stream, min(at_once, draws))
        for done in range(0, draws, at_once):
            count = min(at_once, draws - done)
            places = shuffles.draw(first + done, count)
            found = card.vector(len(sets.sizes) * count, np.float64)
            blocks = min(count, _WORKERS)
            sums = card.vector(blocks * rows.columns, np.float64)
            card.launch(
                f"set_means<{rows.c_type}>",
                blocks,
                *(rows, rows.stride, rows.columns, indices, places, sets.sizes[-1], count),
                *(marks, len(sets.sizes), sums, found),
                each=1,
            )
            means[:, done : done + count] = card.read(found).reshape(-1, count)
            if progress is not None:
                progress((done + count) / draws)
        return means

    def random_subsets(
        self, pools: list[int], taken: list[int], draws: int, *, seed: int, stream: int, first: int
    ) -> Codes:
        """See `Kernels.random_subsets`."""
        places = np.empty((draws, sum(taken)), np.int64)
        at_once = max(1, _AT_ONCE // max(1, sum(taken)))
        shuffles = _Shuffles(self.card, pools, taken, seed, stream, min(at_once, draws))
        begins = np.repeat(np.cumsum([0, *pools])[:-1], taken)
        for done in range(0, draws if sum(taken) else 0, at_once):
            part = places[done : done + at_once]
            drawn = self.card.read(shuffles.draw(first + done, len(part)))
            part[:] = drawn.reshape(part.shape) - begins
        return places

    def kind_means(
        self,
        x: CardRows,
        kinds: SetKinds,
        draws: int,
        *,
        seed: int,
        first: int,
        progress: Progress | None,
    ) -> Floats:
        """See `Kernels.kind_means`."""
        rows = self.card.fetch(x) if isinstance(x, Matrix) else x
        return means_by_kind(self._set_primitives(), rows, kinds, draws, seed, first, progress)

    def kind_distances(
        self,
        x: CardRows,
        kinds: SetKinds,
        centre: Floats,
        draws: int,
        *,
        seed: int,
        first: int,
        progress: Progress | None,
    ) -> Floats:
        """See `Kernels.kind_distances`."""
        rows = self.card.fetch(x) if isinstance(x, Matrix) else x
        return distances_by_kind(self._set_primitives(), rows, kinds, draws, seed, first, progress)

    def _set_primitives(self) -> SetPrimitives:
        return SetPrimitives(self.random_subsets, self.group_sums, self.group_distances)

    def null_precisions(
        self, positives: int, total: int, draws: int, *, seed: int, stream: int
    ) -> Floats:
        """See `Kernels.null_precisions`."""
        card, few = self.card, min(positives, total - positives)
        precisions = np.empty(draws)
        at_once = max(1, _AT_ONCE // max(1, few))
        shuffles = _Shuffles(card, [total], [few], seed, stream, min(at_once, draws))
        workers = shuffles.workers
        marks = card.vector(workers * total, np.uint8, zero=True)
        for first in range(0, draws, at_once):
            count = min(at_once, draws - first)
            found = card.vector(count, np.float64)
            card.launch(
                "ranking_precisions",
                workers,
                *(shuffles.draw(first, count), few, count, positives, total),
                *(marks, workers, found),
            )
            precisions[first : first + count] = card.read(found)
        return precisions

    def resample_counts(
        self, items: int, draws: int, *, seed: int, stream: int, first: int
    ) -> NDArray[np.int32]:
        """See `Kernels.resample_counts`."""
        key, counter = signed(seed), signed(stream)
        times = np.empty((draws, items), np.int32)
        at_once = max(1, _AT_ONCE // max(1, items))
        for begin in range(0, draws if items else 0, at_once):
            part = times[begin : begin + at_once]
            counts = self.card.vector(part.size, np.int32, zero=True)
            arguments = (items, len(part), key, counter, first + begin, counts)
            self.card.launch("resample_counts", part.size, *arguments)
            part[:] = self.card.read(counts).reshape(part.shape)
        return times

    def list_scores(
        self, scores: CardRows, positives: Codes, negatives: Codes
    ) -> tuple[Floats, Floats]:
        """See `Kernels.list_scores`."""
        card = self.card
        laid = card.laid(scores)
        shape = (laid.rows, len(negatives))
        precision, auc = (card.vector(shape[0] * shape[1], np.float64) for _ in range(2))
        chosen, drawn = card.numbers(positives, np.int64), card.numbers(negatives, np.int64)
        card.launch(
            f"list_scores<{laid.c_type}>",
            shape[0] * shape[1],
            *(laid, laid.rows, laid.stride, chosen, len(positives), drawn, *negatives.shape),
            *(precision, auc),
        )
        return card.read(precision).reshape(shape), card.read(auc).reshape(shape)


class _Shuffles:
    """Draws without replacement, by the first steps of shuffles."""

    def __init__(
        self,
        card: Card,
        strata: Sequence[int],
        taken: Sequence[int],
        seed: int,
        stream: int,
        draws: int,
    ):
        self._card, self._pool, self._all = card, sum(strata), sum(taken)
        self._seed, self._stream = signed(seed), signed(stream)
        self._strata, self._taken = (card.numbers(part, np.int64) for part in (strata, taken))
        # An order takes four bytes a place; half of what is free is left to others.
        fit = card.driver.free_memory() // 2 // max(1, 4 * self._pool)
        self.workers = max(1, min(draws, _WORKERS, fit))
        self._orders = card.vector(self.workers * self._pool, np.uint32)
        card.launch("identity", self.workers * self._pool, self._orders, self._pool, self.workers)

    def draw(self, first: int, draws: int) -> Vector:
        """Return what draws from the first on take, as places of all strata: (draws, all taken)."""
        places = self._card.vector(draws * self._all, np.int64)
        self._card.launch(
            "random_subsets",
            self.workers,
            *(self._strata, self._taken, self._strata.size, self._all, self._pool),
            *(self._seed, self._stream, first, draws, self._orders, self.workers, places),
        )
        return places


def signed(word: int) -> int:
    """Return the whole number of 64 bits, with a sign, that has the same bits."""
    return word - (1 << 64) if word >= 1 << 63 else word
