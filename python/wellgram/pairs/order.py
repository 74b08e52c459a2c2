"""Exact order statistics of all pairwise cosines, without storing or sorting them.

For each wanted rank a bracket is guessed from a sample of pairs; one pass counts what lies below
the bracket and keeps what lies inside; the answer is then picked from the few that were kept. Had
a bracket missed, what the pass counted says on which side the answer lies, and another pass is
made. The sample decides how fast the answer comes, never what it is.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wellgram.backends.consumers import Bracket, Bracketed, Consumer, Extent, Ranked, Ranks
from wellgram.backends.number_checks import checked_wholes
from wellgram.backends.protocol import Floats, Progress, Rows
from wellgram.errors import InputError
from wellgram.pairs.scanning import scan
from wellgram.pairs.unit_rows import UnitRows

# The sample grows with the pairs, or a large map's brackets would hold more than is kept of them.
_SAMPLE, _LARGEST_SAMPLE = 1 << 17, 1 << 22
_PAIRS_PER_SAMPLE = 1 << 9
_SIGMAS = 4.0
_CAPACITY = 1 << 23


@dataclass
class _Search:
    """One wanted rank: the answer lies in [low, high]."""

    rank: int
    low: float = -np.inf
    high: float = np.inf
    answer: float | None = None

    def guess(self, sample: Rows, share: float) -> Bracket:
        """Return a bracket around the share-quantile of a sample, inside the bounds.

        The sample is in order at the `_ends` of the share.
        """
        low, high = self.low, self.high
        if len(sample):
            first, last = _ends(len(sample), share)
            low = max(low, float(sample[first]) if first >= 0 else -np.inf)
            high = min(high, float(sample[last]) if last < len(sample) else np.inf)
            # What the first pass kept may be an odd sample of a bracket that overflowed.
            low, high = min(low, high), max(low, high)
        return Bracket(low, high, _CAPACITY)

    def learn(self, bracket: Bracket, found: Bracketed) -> Bracket | None:
        """Take in what a pass found; return the next bracket, or None where the answer is known.

        The cosines within are in order at the place of the wanted rank.
        """
        place = self.rank - found.below
        if place < 0:
            self.high = np.nextafter(bracket.low, -np.inf)
        elif place >= found.within:
            self.low = np.nextafter(bracket.high, np.inf)
        elif found.complete:
            self.answer = float(found.values[place])
        elif bracket.low == bracket.high:
            self.answer = bracket.low
        else:
            # Too many to keep: look closer, halving at the least so that the search must end.
            self.low, self.high = max(self.low, bracket.low), min(self.high, bracket.high)
            kept = np.sort(found.values)
            closer = self.guess(kept, place / found.within)
            if (closer.low, closer.high) != (self.low, self.high):
                return closer
        if self.answer is not None:
            return None
        return Bracket(self.low, _middle(self.low, self.high), _CAPACITY)


def _ends(count: int, share: float) -> tuple[int, int]:
    """Return between which places of a sample in order the share-quantile of all must lie."""
    spread = _SIGMAS * np.sqrt(count * share * (1 - share)) + 1
    return int(count * share - spread), int(count * share + spread)


def _less(found: Bracketed, bracket: Bracket, left_out: Floats) -> Bracketed:
    """Return what a pass found, less cosines (ascending) that it met and that do not count."""
    if not len(left_out):
        return found
    first = int(np.searchsorted(left_out, bracket.low, side="left"))
    last = int(np.searchsorted(left_out, bracket.high, side="right"))
    within = found.within - (last - first)
    if not found.complete:  # nor must it seem so; a few less are as good a sample
        return Bracketed(found.below - first, within, found.values[: max(0, within - 1)])
    values = np.sort(found.values)
    gone = left_out[first:last]
    repeat = np.arange(len(gone)) - np.searchsorted(gone, gone, side="left")
    places = np.searchsorted(values, gone, side="left") + repeat
    return Bracketed(found.below - first, within, np.delete(values, places))


def _middle(low: float, high: float) -> float:
    """Return the float halfway from low to high, counted in floats, so that 64 halvings suffice.

    Never `high` itself unless the two are equal: the lower half must be smaller than the whole.
    """
    low, high = max(low, -2.0), min(high, 2.0)  # cosines lie in [-1, 1] but for rounding
    return _float((_place(low) + _place(high)) // 2)


def _place(value: float) -> int:
    """Return the place of a float in the order of all floats; 0.0 and -0.0 share place 0."""
    bits: int = struct.unpack("<q", struct.pack("<d", abs(value)))[0]
    return bits if value >= 0 else -bits


def _float(place: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<q", abs(place)))[0]
    return value if place >= 0 else -value


@dataclass(frozen=True)
class OrderStatistics:
    """What `order_statistics` found."""

    cosines: Floats
    """For each rank the cosine that sorting all of them would put there, exactly"""
    ranked: Ranked | None
    """The ranks of the values asked for"""
    along: list[Any]
    """What each consumer found that came along"""


def order_statistics(
    rows: UnitRows,
    ranks: Sequence[int],
    *,
    other: UnitRows | None = None,
    values: Floats | None = None,
    left_out: Floats | None = None,
    along: Sequence[Consumer] = (),
    progress: Progress | None = None,
) -> OrderStatistics:
    """Return the cosines of given ranks among all pairs, and the ranks of given cosines.

    Parameters
    ----------
    rows, other
        The pairs i < j of rows, or every row with every one of other.
    ranks
        Places in ascending order, from 0 to the number of pairs - 1.
    values
        Cosines whose ranks are counted in the same pass, among all pairs.
    left_out
        Cosines of pairs that the ranks asked for leave out, as `UnitRows.cosines` has them.
    along
        Consumers that join the first pass, so that what they find costs no pass of its own.
    progress
        As for `wellgram.pairs.scan_pairs`.

    Raises
    ------
    InputError
        If a rank is out of range.
    """
    gone = np.sort(np.empty(0) if left_out is None else left_out.astype(np.float64))
    pairs = Extent(rows.n, None if other is None else other.n).pairs - len(gone)
    ranks = checked_wholes(ranks, "ranks")
    if any(not 0 <= rank < pairs for rank in ranks):
        raise InputError(f"ranks must lie in [0, {pairs}) for the {pairs} pairs of {rows.n} rows")
    size = min(max(_SAMPLE, pairs // _PAIRS_PER_SAMPLE), _LARGEST_SAMPLE)
    sample = _sample(rows, other, size) if ranks and pairs > size else np.empty(0)
    places = {place for rank in ranks for place in _ends(len(sample), rank / pairs)}
    inside = sorted(place for place in places if 0 <= place < len(sample))
    if inside:
        sample.partition(inside)
    searches = [_Search(rank) for rank in ranks]
    open_ = [(s, s.guess(sample, s.rank / pairs)) for s in searches]
    brackets, place = _joined([bracket for _, bracket in open_])
    if values is None:
        found = scan(rows, other, [*brackets, *along], None, progress)[:]
        ranked, found, others = None, found[: len(brackets)], found[len(brackets) :]
    else:
        bounds = tuple((b.low, b.high) for b in brackets)
        consumer = Ranks(values, bounds, _CAPACITY * len(brackets))
        ranked, *others = scan(rows, other, [consumer, *along], None, progress)
        found = ranked.brackets
    while open_:
        found = [_less(f, bracket, gone) for f, bracket in zip(found, brackets, strict=True)]
        wanted = [s.rank for s, _ in open_]
        for p, bracketed in enumerate(found):
            _order_at(bracketed, [rank for rank, at in zip(wanted, place, strict=True) if at == p])
        learned = [
            (s, s.learn(brackets[p], found[p])) for (s, _), p in zip(open_, place, strict=True)
        ]
        open_ = [(s, bracket) for s, bracket in learned if bracket is not None]
        if open_:
            brackets, place = _joined([bracket for _, bracket in open_])
            found = scan(rows, other, brackets, None, progress)[:]
    answers = np.array([s.answer for s in searches], np.float64)
    return OrderStatistics(answers, ranked, list(others))


def _joined(brackets: Sequence[Bracket]) -> tuple[list[Bracket], list[int]]:
    """Return brackets with those that are nearly the same as one, and the place of each there.

    Ranks side by side have nearly the same bracket: its cosines are kept once.
    """
    joined: list[Bracket] = []
    place, widest = [0] * len(brackets), 0.0
    for k in sorted(range(len(brackets)), key=lambda k: (brackets[k].low, brackets[k].high)):
        low, high = brackets[k].low, brackets[k].high
        if joined and low <= joined[-1].high and high - joined[-1].low <= widest:
            joined[-1] = Bracket(joined[-1].low, max(joined[-1].high, high), _CAPACITY)
        else:
            joined.append(Bracket(low, high, _CAPACITY))
            widest = 2 * (high - low)
        place[k] = len(joined) - 1
    return joined, place


def _order_at(found: Bracketed, ranks: Sequence[int]) -> None:
    """Put the cosines at these ranks into their places, if all within the bracket are there."""
    places = {rank - found.below for rank in ranks}
    inside = sorted(place for place in places if 0 <= place < found.within)
    if found.complete and inside:
        found.values.partition(inside)


def _sample(rows: UnitRows, other: UnitRows | None, size: int) -> Rows:
    """Return the cosines of some pairs.

    Every row has as many partners. A few rows in random order share a few random partners, which
    then stay in the cache.
    """
    rng = np.random.default_rng(0)
    partners = -(-size // (16 * rows.n)) * 16  # sixteen pairs of a row are made at a time
    together = max(64, partners)
    order = rng.permutation(rows.n)
    others = rng.permutation(rows.n if other is None else other.n)
    first = np.arange(0, rows.n, together)
    shared = others[(first[:, None] + np.arange(partners)) % len(others)]
    j = np.repeat(shared, together, axis=0)[: rows.n]
    i = np.broadcast_to(order[:, None], j.shape)
    if other is None:
        apart = i != j
        i, j = i[apart], j[apart]
    # Naming the other map keeps pairs of a row side by side, which share its values.
    return rows.cosines(i.ravel(), j.ravel(), rows if other is None else other)
