"""Average precisions to the bit of copairs: NumPy adds up whole rankings, zeros for negatives."""

from collections.abc import Iterator

import numpy as np

from wellgram.backends.protocol import Codes, Floats

_AT_ONCE = 1 << 17
"""Places of rankings that are added up at a time: few enough to stay in the cache"""


class SummedPrecisions:
    """Rankings are laid out in full, some at a time, and added up as copairs adds them up."""

    def by_positives(self, starts: Codes, above: Codes, negatives: Codes) -> Floats:
        """Return the average precisions (e,) of lists whose positives are known, the least first.

        See `metrics.ranking.precision_by_positives`.
        """
        count = np.diff(starts)
        t = np.repeat(starts[1:], count) - np.arange(len(above))
        rank = t + above
        terms = t / rank
        sums = np.empty(len(count))
        room = np.zeros(max(_AT_ONCE, int((count + negatives).max())))
        for some, begins, end in _some_lists(count + negatives):
            known = slice(starts[some.start], starts[some.stop])
            places = np.repeat(begins, count[some]) + rank[known] - 1
            room[places] = terms[known]
            sums[some] = np.add.reduceat(room[:end], begins)
            room[places] = 0
        return np.asarray(sums / count)

    def by_negatives(self, starts: Codes, up_to: Codes, positives: Codes) -> Floats:
        """Return the same where negatives are known: for each how many positives are not below it.

        See `metrics.ranking.precision_by_negatives`.
        """
        count = np.diff(starts)
        rank = np.repeat(starts[1:], count) - np.arange(len(up_to)) + up_to
        sums = np.empty(len(count))
        for some, begins, end in _some_lists(count + positives):
            known = slice(starts[some.start], starts[some.stop])
            positive = np.ones(end, np.int64)
            positive[np.repeat(begins, count[some]) + rank[known] - 1] = 0
            before = np.cumsum(positives[some]) - positives[some]
            total = (count + positives)[some]
            t = np.cumsum(positive) - np.repeat(before, total)
            k = np.arange(1, end + 1) - np.repeat(begins, total)
            sums[some] = np.add.reduceat(t / k * positive, begins)
        return np.asarray(sums / positives)


def _some_lists(lengths: Codes) -> Iterator[tuple[slice, Codes, int]]:
    """Yield lists that are laid out together, where each begins, and where the last ends."""
    ends = np.cumsum(lengths)
    first = 0
    while first < len(lengths):
        done = int(ends[first] - lengths[first])
        last = max(first + 1, int(np.searchsorted(ends, done + _AT_ONCE, side="right")))
        some = slice(first, last)
        yield some, ends[some] - lengths[some] - done, int(ends[last - 1]) - done
        first = last
