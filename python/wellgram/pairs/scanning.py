"""The pass over all pairs of rows, whole or a range of its tiles."""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from wellgram.backends import takes_backend
from wellgram.backends.checks import check_states
from wellgram.backends.consumers import Consumer, Extent, State
from wellgram.backends.number_checks import check_whole, checked_wholes
from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Progress
from wellgram.distributed import Client, takes_client, team
from wellgram.errors import InputError
from wellgram.pairs.groups_apart import GroupsApart
from wellgram.pairs.scan_result import Scan
from wellgram.pairs.tiling import tile_areas, tile_count, tile_grid
from wellgram.pairs.unit_rows import Map, PairDtype, UnitRows, unit_pair

_RANGES_PER_THREAD, _LEAST_TILES = 4, 16
"""How many ranges of tiles a thread of a cluster gets at most, if they are not smaller than this:
neighbours are found faster the more a range has met"""

States = list[State]


def pair_count(n: int) -> int:
    """Return the number of pairs i < j among n rows."""
    check_whole(n, "n")
    return Extent(n).pairs


@takes_client
@takes_backend
def scan_pairs(
    x: Map,
    consumers: Sequence[Consumer],
    *,
    other: Map | None = None,
    tiles: tuple[int, int] | None = None,
    dtype: PairDtype | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> Scan:
    """Hand the cosine of every pair of rows to consumers, in one pass; the matrix is never stored.

    Parameters
    ----------
    x
        A map, or a matrix (n, d) of float32 or float64 whose rows need not have length 1: an array,
        a memory map, or anything that is read by ranges of rows (`RowSource`). Extra memory is
        three times the map up to 0.5 GB of it, and does not grow beyond.
    consumers
        Such as `CountBelow`, `Histogram`, `Bracket`, `Ranks`, `Nearest`, `RowMoments`,
        `WithinGroups` and `Matrix`; any number of them, and any `Consumer` of your own.
    other
        (m, d): every row of x with every row of other, instead of the pairs i < j of x.
    tiles
        Only the tiles start to stop - 1 of `tile_count`; merge the results of all.
    dtype
        The type of the products, by default that of x. ``"float64"`` for parity with float64
        tools. Measured against it on rows of 128 to 3,600 features, half of them noisy copies of
        the others, ``"float32"`` errs by less than 3e-8 (root mean square) and 5e-6 (at most:
        cosines near 1 of 3,600 features). No cosine errs by more than ``(d + 2) / 2^24``: a chain
        of d sums rounds each, and rounds them one way where the values of a row are all alike (2e-5
        at 2,000 features). ``"bfloat16"`` errs by less than 3e-4 and 3e-3, the rounding of the
        rows, and is twice as fast where the processor has AVX512-BF16, and slower where not.
        Rounding carries cosines of equal rows past 1 too; consumers are given them as they are.
    backend
        See `wellgram.set_backend`.
    progress
        Called now and then with the share done, in [0, 1].
    client
        A ``distributed.Client`` whose workers make the pass; see `wellgram.distributed.using`.

    Returns
    -------
    Scan
        A sequence of what each consumer found, in their order.

    Raises
    ------
    InputError
        If a row is zero or not finite, the two maps differ in features or type, a consumer does not
        fit them, or there are no such tiles.
    """
    return scan(*unit_pair(x, other, dtype), consumers, tiles, progress)


def scan(
    rows: UnitRows,
    others: UnitRows | None,
    consumers: Sequence[Consumer],
    tiles: tuple[int, int] | None = None,
    progress: Progress | None = None,
    apart: GroupsApart | None = None,
) -> Scan:
    """Make a pass over rows that are of length 1 already; see `scan_pairs`.

    Where there are groups, their pairs are left out: `GroupsApart` says which.
    """
    extent = Extent(rows.n, None if others is None else others.n)
    total = tile_count(extent)
    start, stop = (0, total) if tiles is None else _ends(tiles)
    if not 0 <= start <= stop <= total:
        raise InputError(f"tiles {start} to {stop} are not within 0 to {total}")
    workers = team()
    if workers is None or not _can_part(rows, others, consumers) or stop - start < 2:
        states = _states((start, stop), rows, others, consumers, apart, progress)
    else:
        check_states(consumers, extent, rows.dtype)
        states = workers.fold(
            _states,
            _ranges(extent, start, stop, workers.threads),
            _merged,
            shared=(rows, others, consumers, apart),
            progress=progress,
        )
    met = ((start, stop),) if stop > start else ()
    digest = _digest(rows) + ("" if others is None else _digest(others))
    digest += "" if apart is None else apart.digest
    return Scan(tuple(consumers), tuple(states), extent, met, digest)


def _ends(tiles: tuple[int, int]) -> tuple[int, int]:
    """Return the first of a range of tiles and the one after its last."""
    ends = checked_wholes(tiles, "tiles")
    if len(ends) != 2:
        raise InputError(f"tiles must be two numbers, a first and an end, not {tiles!r}")
    return ends[0], ends[1]


def _ranges(extent: Extent, start: int, stop: int, threads: int) -> list[tuple[int, int]]:
    """Cut the tiles from start to stop into ranges of about the same work."""
    wanted = max(threads, min((stop - start) // _LEAST_TILES, _RANGES_PER_THREAD * threads))
    work = np.ones(tile_count(extent))
    if extent.symmetric:
        rows = np.arange(tile_grid(extent)[0])
        work[rows * len(rows) - rows * (rows - 1) // 2] = 0.5  # those on the diagonal
    done = np.cumsum(work[start:stop])
    cuts = np.searchsorted(done, done[-1] * np.arange(1, wanted) / wanted) + 1
    return list(pairwise(np.unique([start, *(start + cuts), stop]).tolist()))


def _can_part(rows: UnitRows, others: UnitRows | None, consumers: Sequence[Consumer]) -> bool:
    """Whether ranges of the pass can be made elsewhere: rows can go, and states can come back."""
    moves = rows.moves and (others is None or others.moves)
    return moves and all(consumer.writes_to is None for consumer in consumers)


def _states(
    tiles: tuple[int, int],
    rows: UnitRows,
    others: UnitRows | None,
    consumers: Sequence[Consumer],
    apart: GroupsApart | None,
    progress: Progress | None = None,
) -> States:
    """Return the states of consumers that met the tiles of a range."""
    extent = Extent(rows.n, None if others is None else others.n)
    run = rows.run.pair_scan(consumers, extent, rows.dtype, bfloat16=rows.bfloat16)
    partners = rows if others is None else others
    met = tile_areas(extent, *tiles)
    if apart is not None:
        met = (part for area in met for part in apart.outside(area, extent.symmetric))
    areas = [
        (*across, *along)
        for top, bottom, left, right in met
        for across in rows.spans(top, bottom)
        for along in partners.spans(max(left, across[0]) if extent.symmetric else left, right)
    ]
    done, whole = 0, sum(_size(*area) for area in areas)
    for top, bottom, left, right in areas:
        x, y = rows.span(top, bottom), partners.span(left, right)
        size = _size(top, bottom, left, right)
        run.add(x, y, top, left, part_of(progress, done / whole, size / whole))
        done += size
    return run.states()


def _merged(
    a: States,
    b: States,
    _: UnitRows,
    __: UnitRows | None,
    consumers: Sequence[Consumer],
    ___: GroupsApart | None,
) -> States:
    return [one.merge(*pair) for one, *pair in zip(consumers, a, b, strict=True)]


def _size(top: int, bottom: int, left: int, right: int) -> int:
    return (bottom - top) * (right - left)


def _digest(rows: UnitRows) -> str:
    hashed = blake2b(f"{rows.n} {rows.d} {rows.dtype} {rows.bfloat16}".encode(), digest_size=8)
    for row in {0, rows.n - 1} if rows.n else ():
        hashed.update(rows.span(row, row + 1).tobytes())
    return hashed.hexdigest()
